"""The schema of a config: config/schema.yaml, with the words that the vocabulary declares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from headstart.naming import start_pattern
from headstart.vocabulary import KERNELS, PLAIN, STRATEGIES


def read_schema(project: Path) -> dict[str, Any]:
    """Return the schema with what is called `vocabulary: ...` in it spelt out, and with the strategies' options."""
    schema = yaml.safe_load((project / "config/schema.yaml").read_text())
    groups = schema["properties"]["groups"]["additionalProperties"]
    groups["allOf"] = [options_of(word) for word in STRATEGIES]
    return spelt_out(schema)


def spelt_out(part: Any) -> Any:
    """Return a part of the schema with the words in place of their names.

    >>> spelt_out({"vocabulary": "strategies", "default": "finetune"})["enum"][0]
    'finetune'
    """
    if isinstance(part, list):
        return [spelt_out(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    words: dict[str, dict[str, Any]] = {
        "kernels": {"enum": list(KERNELS)},
        "strategies": {"enum": list(STRATEGIES)},
        "starts": {"pattern": start_pattern()},
        "antialiasing": {"additionalProperties": False, "properties": dict(STRATEGIES["ktft"].options)},
    }
    found = words[part["vocabulary"]] if "vocabulary" in part else {}
    return {key: spelt_out(inner) for key, inner in part.items() if key != "vocabulary"} | found


def options_of(strategy: str) -> dict[str, Any]:
    """Return the rule that a group of this strategy has no options but the strategy's own."""
    chosen = {"properties": {"strategy": {"const": strategy}}, "required": [] if strategy == PLAIN else ["strategy"]}
    options = {"type": "object", "additionalProperties": False, "properties": dict(STRATEGIES[strategy].options)}
    return {"if": chosen, "then": {"properties": {"options": options}}}
