"""Run the pipeline on the smallest experiment, in a copy of the project."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import torch

PROJECT = Path(__file__).parent.parent
RESULTS = Path("results/minimal")
KEPT = ("Snakefile", "config", "envs", "profiles", "src", "workflow")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]


def snakemake(folder: Path, *arguments: str, config: str = "config/minimal.yaml") -> subprocess.CompletedProcess:
    run = command(*arguments, "--configfile", config)
    return subprocess.run(run, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def jobs(folder: Path, *arguments: str, config: str = "config/minimal.yaml") -> dict[str, int]:
    """What a dry run would do: rule -> number of jobs."""
    run = snakemake(folder, "--dry-run", *arguments, config=config)
    assert run.returncode == 0, run.stdout
    table = re.search(r"^job +count\n[- ]+\n(.*?)\n\n", run.stdout, flags=re.MULTILINE | re.DOTALL)
    if table is None:
        assert "Nothing to be done" in run.stdout, run.stdout
        return {}
    counts = {name: int(count) for name, count in (line.split() for line in table[1].splitlines())}
    return {name: count for name, count in counts.items() if name not in ("total", "all")}


def copy_project(folder: Path) -> Path:
    for name in KEPT:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    return folder


def saved_step(state: Path) -> int:
    """The step of a saved state that all initialisations have reached, -1 where there is none."""
    if not state.exists():
        return -1
    return min(run["done"] for run in torch.load(state, weights_only=True)["state"]["runs"].values())
