"""The pictures of source classes that a config names: a folder of a few, or the tar of each class."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.config.contradictions import read_wnids
from pipeline.config.tables import ConfigError


def in_tars(config: Mapping[str, Any]) -> bool:
    """Say whether the pictures of source classes come in tars, one for each class; drawn ones do not.

    >>> in_tars({"images": {"drawn": None}, "source": {"samples": "/data/{wnid}.tar"}})
    True
    """
    return not config["images"]["drawn"] and "{wnid}" in (config["source"]["samples"] or "")


def source_tars(config: Mapping[str, Any]) -> dict[str, Path]:
    """Return wnid -> tar of every source class, there or not."""
    return {
        wnid: Path(config["source"]["samples"].format(wnid=wnid)) for wnid in read_wnids(config["classes"]["sources"])
    }


def require_source_tars(config: Mapping[str, Any]) -> None:
    """Raise ConfigError before any job where a source class has no tar; a plan may be made without them."""
    tars = source_tars(config) if in_tars(config) else {}
    lacking = [path for path in tars.values() if not os.path.isfile(path)]
    if lacking:
        raise ConfigError(
            f"source.samples: no file for {len(lacking)} of {len(tars)} source classes (first {lacking[0]}); correct "
            "the path, or put the tars there"
        )
