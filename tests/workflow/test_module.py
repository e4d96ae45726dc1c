"""Other workflows import this one, from a folder or off a git host; the catalogue finds what it needs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline.docs.shipped import shipped

PROJECT = Path(__file__).parents[2]
PREFIX = "first part/of it"
RESULTS = f"{PREFIX}/results/minimal"
IMPORTER = """
configfile: "settings.yaml"


module headstart:
    snakefile:
        {snakefile}
    config:
        config["headstart"]
    prefix:
        "{prefix}"


use rule * from headstart as headstart_*


for rule in workflow.rules:
    if rule.name == "headstart_fine_tune":
        made = type("Output", (), {{"history": "{prefix}/results/minimal/runs/finetune/4-0.parquet"}})
        print("state:", rule.params.state(type("W", (), {{"strategy": "finetune", "shots": 4, "seed": 0}}), made))
"""


def importer(folder: Path, snakefile: str) -> Path:
    """A folder with another workflow, whose own files have the names of ours."""
    minimal = yaml.safe_load((PROJECT / "config/minimal.yaml").read_text())
    (folder / "settings.yaml").write_text(yaml.safe_dump({"headstart": minimal, "mine": {"experiment": "other"}}))
    (folder / "Snakefile").write_text(IMPORTER.format(snakefile=snakefile, prefix=PREFIX))
    shutil.copytree(PROJECT / "config/sources", folder / "config/sources")
    return folder


def snakemake(folder: Path, *arguments: str, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
        cwd=folder,
        env=os.environ | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert run.returncode == 0, run.stdout[-4000:]
    return run.stdout


def counts(said: str) -> dict[str, str]:
    """Rule, without the name of the module -> number of jobs of a dry run, but for the target rules."""
    rows = dict(re.findall(r"^(?:headstart_)?(\w+) +(\d+)$", said, flags=re.MULTILINE))
    return {rule: number for rule, number in rows.items() if rule not in ("all", "total")}


@pytest.fixture
def local(tmp_path):
    return importer(tmp_path, f'"{PROJECT}/workflow/Snakefile"')


def test_the_whole_is_planned_with_every_file_beneath_the_prefix(local):
    said = snakemake(local, "--dry-run")
    ours = snakemake(PROJECT, "--dry-run", "--forceall", "--nolock", "--configfile", "config/minimal.yaml")
    assert counts(said) == counts(ours) and counts(said)["fine_tune"] == "4"
    state = Path(PREFIX, "work", "minimal", "runs/finetune/4-0.pt")
    assert f"state: {state}" in said
    assert not re.findall(r"(?<!of it/)(?:results|resources)/minimal", said)


def test_the_cheap_rules_run_and_leave_everything_beneath_the_prefix(local):
    before = {path.name for path in local.iterdir()}
    targets = [f"{RESULTS}/splits/0.csv", f"{RESULTS}/similarity/wordnet/all.parquet", f"{RESULTS}/classes.csv"]
    snakemake(local, *targets)
    assert all((local / target).stat().st_size for target in targets)
    assert (local / RESULTS / "logs/split_images/0.log").exists()
    assert {path.name for path in local.iterdir()} - before == {"first part", ".snakemake"}
    assert "Nothing to be done" in snakemake(local, "--dry-run", *targets)
    snakemake(local, f"{RESULTS}/audit.csv", "--report", "report.html")
    assert "How many images each target class had" in (local / "report.html").read_text()


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments], cwd=folder, check=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_it_is_imported_off_a_git_host(tmp_path):
    """As `github(...)` and snakedeploy do it; git is told to find the host in a folder."""
    host = tmp_path / "host/owner/headstart"
    for name in ("Snakefile", "workflow", "src", "config", "envs"):
        copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy
        host.mkdir(parents=True, exist_ok=True)
        copy(PROJECT / name, host / name)
    git(host, "init", "--quiet", ".")
    git(host, "add", ".")
    git(host, "commit", "--quiet", "--message", "all")
    git(host, "tag", "v1")
    other = tmp_path / "other"
    other.mkdir()
    importer(other, 'github("owner/headstart", path="workflow/Snakefile", tag="v1")')
    said = snakemake(
        other,
        f"{RESULTS}/classes.csv",
        XDG_CACHE_HOME=str(tmp_path / "cache"),
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0=f"url.{tmp_path}/host/.insteadOf",
        GIT_CONFIG_VALUE_0="https://github.com/",
    )
    assert "Cloning github.com/owner/headstart" in said
    assert (other / RESULTS / "classes.csv").read_text().startswith("wnid")


def test_the_list_of_shipped_files_is_up_to_date():
    assert (PROJECT / "workflow/files.txt").read_text().split() == shipped(PROJECT), "run `make docs`"


def test_the_catalogue_finds_the_entry_the_usage_and_the_config():
    usage = yaml.safe_load((PROJECT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) <= {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["software-stack-deployment"]["conda"] is True
    assert usage["report"] is True and "--report" in (PROJECT / "README.md").read_text()
    assert (PROJECT / "config/README.md").exists() and (PROJECT / "LICENSE").exists()
    ours = snakemake(PROJECT, "-s", "workflow/Snakefile", "-n", "--forceall", "--nolock")
    assert counts(ours) == counts(snakemake(PROJECT, "-n", "--forceall", "--nolock"))
