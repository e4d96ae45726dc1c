"""Write config/README.md from the schema and the vocabulary, so that they never differ: `make docs`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from headstart.vocabulary import STRATEGIES, all_starts
from pipeline.config.schema import read_schema

INTRODUCTION = """\
# Config

One YAML file describes one experiment. `config/config.yaml` (drawn shapes) is used unless another is named:

    snakemake --cores 2 --configfile config/photos.yaml

A file named so replaces the default, it is not mixed with it. Single values can be set on the command line:

    snakemake --cores 2 --config 'seeds=[0]'

| file | experiment |
|---|---|
| `config.yaml` | drawn shapes: no download, minutes on two cores |
| `photos.yaml` | photographs and a MobileNetV2 pretrained on ILSVRC |
| `own.yaml` | images of your own: `make own IMAGES=folder` |
| `paper.yaml` | the paper's own: ImageNet and ResNet-101; needs a GPU |
| `rehearsal.yaml` | the same in small, from a server on this machine: `make rehearsal` |
| `rehearsal_full.yaml` | the same at full size with less to train, on a GPU: `make rehearsal SIZE=full` |
| `antialias.yaml` | drawn shapes: the source network blurred, with and without knowledge transfer, in minutes |
| `minimal.yaml` | a few shapes in seconds, for the tests |

[docs/own-data.md](../docs/own-data.md) is about images of your own. The config is checked before any job starts: an
unknown key, a value out of bounds or a file that is not there is refused with key, value and cure. Input paths are
looked for from the working directory, then from the project's folder; `{data}` in them stands for `data`.

This page is written from `schema.yaml` and `src/headstart/vocabulary.py` by `make docs`, and a test compares the two.

## Every key

| key | default | meaning |
|---|---|---|
"""


def rows(schema: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield key, default in words and meaning of every value a schema allows, sections before their parts.

    Where a key must be given, its default is for those who read the schema without a config, and is not promised.
    """
    for name, part in schema.get("properties", {}).items():
        key = f"{prefix}{name}"
        default = part.get("default")
        shown = "" if isinstance(default, dict) else f"`{json.dumps(default)}`"
        yield key, "must be given" if name in schema.get("required", ()) else shown, allowed(part)
        yield from rows(part, f"{key}.")
        if isinstance(part.get("additionalProperties"), Mapping):
            yield from rows(part["additionalProperties"], f"{key}.<name>.")


def allowed(part: Mapping[str, Any]) -> str:
    """Return the meaning of a key, with its allowed words where it is a choice.

    >>> allowed({"description": "Mode.", "enum": ["train", "eval"]})
    'Mode. One of `train`, `eval`.'
    """
    words = f" One of {', '.join(f'`{word}`' for word in part['enum'])}." if "enum" in part else ""
    return part["description"] + words


def words() -> Iterator[str]:
    """Yield the lines on every word that stands for a start, a measure or a strategy."""
    yield "\n## Starts (`groups.<name>.initialisations`)\n\n| word | is |\n|---|---|\n"
    for word, start in all_starts().items():
        named = f"`{word}`, `{word}-k<K>`" if start.measure else f"`{word}`"
        measure = f"; rows of the sources nearest by `similarity/{word}`, K chosen or fixed" if start.measure else ""
        yield f"| {named} | {start.label}{measure} |\n"
    yield "\n## Strategies (`groups.<name>.strategy`) and their options (`groups.<name>.options`)\n\n"
    yield "| word | option | default | meaning |\n|---|---|---|---|\n"
    for word, strategy in STRATEGIES.items():
        yield f"| `{word}` | | | {strategy.label} |\n"
        for name, option in strategy.options.items():
            yield f"| | `{name}` | `{json.dumps(option['default'])}` | {allowed(option)} |\n"


def reference(schema: Mapping[str, Any]) -> str:
    """Return the text of config/README.md."""
    lines = [f"| `{key}` | {default} | {meaning} |\n" for key, default, meaning in rows(schema)]
    return INTRODUCTION + "".join([*lines, *words()])


if __name__ == "__main__":
    project = Path(__file__).parents[3]
    (project / "config/README.md").write_text(reference(read_schema(project)))
