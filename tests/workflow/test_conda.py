"""Rules run in their conda environments, with Snakemake in its own: both spellings, same results, same container.

No conda channel is asked: tests/conda holds a stand-in for `conda` that links the packages of this environment.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from running import PROJECT, RESULTS

STANDIN = PROJECT / "tests/conda"
HOST = {"channels": ["conda-forge"], "dependencies": ["python >=3.11", "snakemake =9.27"]}
# One cheap result of each environment.
MADE = {
    "text": f"{RESULTS}/similarity/wordnet/all.parquet",
    "vision": f"{RESULTS}/heads/4-1.safetensors",
    "report": f"{RESULTS}/figures/figure3.csv",
}


def run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess:
    """Run a command where nothing is on the path but the stand-in and the system."""
    path = f"{STANDIN / 'bin'}:{os.defpath}:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(folder), "CONDA_STANDIN_PYTHON": sys.executable}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.run(list(map(str, command)), cwd=folder, env=environment, text=True, **pipes)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a Snakemake that has none of the pipeline's packages."""
    folder = tmp_path_factory.mktemp("conda")
    (folder / "host.yaml").write_text(yaml.safe_dump(HOST))
    made = run(folder, "conda", "env", "create", "--file", folder / "host.yaml", "--prefix", folder / "host")
    assert made.returncode == 0, made.stderr
    return folder


def snakemake(place: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return run(folder, place / "host/bin/python", "-m", "snakemake", "--cores", "2", *arguments)


def test_snakemake_stands_alone(place):
    for package in ("numpy", "torch", "tqdm"):
        assert "No module named" in run(place, place / "host/bin/python", "-c", f"import {package}").stderr


@pytest.mark.parametrize(
    ("spelling", "names"), [(["--use-conda"], ["text", "report"]), (["--sdm", "conda"], ["vision"])], ids=str
)
def test_rules_run_in_their_environments_and_give_the_same_bytes(place, project, spelling, names):
    before = {name: (project / MADE[name]).read_bytes() for name in names}
    # Everything else was made without conda, which would be a reason to make it again.
    only = ["--rerun-triggers", "mtime", "--conda-prefix", str(place / "envs"), "--configfile", "config/minimal.yaml"]
    made = snakemake(place, project, *spelling, *only, "--force", *(MADE[name] for name in names))
    assert made.returncode == 0, made.stderr[-4000:]
    assert "Activating conda environment" in made.stderr
    assert {name: (project / MADE[name]).read_bytes() for name in names} == before


def test_without_conda_the_run_says_so(place):
    command = [str(place / "host/bin/python"), "-m", "snakemake", "-n", "--sdm", "conda"]
    said = subprocess.run(command, cwd=PROJECT, env={"PATH": os.defpath}, text=True, capture_output=True)
    assert said.returncode != 0 and "conda" in said.stderr


def test_the_dockerfile_is_that_of_the_environments(place):
    every_rule = ("--configfile", "config/minimal.yaml", "--config", "model={start: imprinted}")
    said = snakemake(place, PROJECT, "--containerize", "--nolock", *every_rule)
    assert said.returncode == 0, said.stderr
    assert said.stdout == (PROJECT / "Dockerfile").read_text(), "run `make Dockerfile`"
    assert "--file" in said.stdout and said.stdout.count("COPY envs/") == len(list((PROJECT / "envs").iterdir()))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pandas =3.1", "pandas =3.0", "UnsatisfiableError: pandas =3.0"),
        ("tqdm =4.70", "pandoc =4.70", "PackagesNotFoundError: pandoc"),
        (">=3.11", ">=4", "UnsatisfiableError: python >=4"),
    ],
)
def test_the_standin_refuses_what_does_not_fit(tmp_path, old, new, said):
    text = (PROJECT / "envs/report.yaml").read_text()
    assert old in text
    (tmp_path / "env.yaml").write_text(text.replace(old, new))
    made = run(tmp_path, "conda", "env", "create", "--file", tmp_path / "env.yaml", "--prefix", tmp_path / "env")
    assert made.returncode != 0 and said in made.stderr


def test_an_environment_lacks_what_it_does_not_name(place):
    shutil.rmtree(place / "report", ignore_errors=True)
    made = run(place, "conda", "env", "create", "--file", PROJECT / "envs/report.yaml", "--prefix", place / "report")
    assert made.returncode == 0, made.stderr
    for package, there in (("matplotlib", True), ("torch", False), ("gensim", False), ("snakemake", False)):
        assert (run(place, place / "report/bin/python", "-c", f"import {package}").returncode == 0) == there
