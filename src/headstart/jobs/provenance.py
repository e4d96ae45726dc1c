"""Say where results come from: commit, versions, devices and times."""

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd


def commit(project: Path) -> str:
    """Return the commit of a folder, with "-dirty" where files differ from it, or "unknown" outside version control."""
    run = ["git", "-C", str(project), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def digest(config: Mapping[str, Any]) -> str:
    """Return a digest of a config that does not depend on the order of its keys.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1})
    True
    """
    return hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode()).hexdigest()[:16]


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the installed version of each package, "absent" where there is none.

    >>> versions(["no-such-package"])
    {'no-such-package': 'absent'}
    """
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def machine() -> dict[str, str]:
    """Return the Python and the operating system that wrote the record."""
    return {"python": platform.python_version(), "system": platform.platform(), "processor": platform.machine()}


def times(folder: Path) -> dict[str, dict[str, float]]:
    """Sum up Snakemake's benchmark files, per rule: jobs, seconds in total, largest memory in MB.

    Args:
        folder: holds `<rule>.tsv` or `<rule>/.../<job>.tsv`.
    """
    files = sorted(folder.rglob("*.tsv"))
    rows = [
        {"rule": path.relative_to(folder).parts[0].removesuffix(".tsv"), **row}
        for path in files
        for row in pd.read_csv(path, sep="\t", na_values="-").to_dict("records")
    ]
    if not rows:
        return {}
    groups = pd.DataFrame(rows).groupby("rule")
    summary = pd.DataFrame({"jobs": groups.size(), "seconds": groups["s"].sum(), "max_rss_mb": groups["max_rss"].max()})
    return {str(rule): {key: round(float(value), 2) for key, value in row.items()} for rule, row in summary.iterrows()}
