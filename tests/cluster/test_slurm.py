"""The minimal experiment on a real Slurm of one node, with GPUs in name only (`make test-cluster`)."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config
from test_profiles import slurm_jobs

from running import copy_project, saved_step

PROJECT = Path(__file__).parent.parent.parent
SCRIPT = PROJECT / "tests/cluster/slurm.sh"
RESULTS = Path("results/minimal")
# Fewer heads than config/minimal.yaml, and training long enough to be cancelled on the way.
SMALLER = {
    "seeds": [0],
    "groups": {
        "main": {"initialisations": ["random", "inference"], "shots": [1, 4]},
        "curves": {"initialisations": ["random"], "shots": [4]},
    },
    "training": {"steps": 300, "evaluations": 12},
}
STATE = "work/minimal/runs/finetune/4-0.pt"
WILDCARDS = "finetune_4_0"
ON_GPU = {"embed_images", "cache_trunk", "fine_tune"}
# The profile's own waits suit a cluster of many users; and there is no accounting here, so squeue is asked.
QUICKER = [
    *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "3"),
    *("--max-status-checks-per-second", "0.5", "--latency-wait", "10"),
]
# What differs from run to run: when, how long and on which machine.
TIMED = re.compile(r"(logs|benchmarks)/|provenance\.json$")


@pytest.fixture(scope="module")
def slurm():
    """A running Slurm; its environment for snakemake, sbatch and the like."""
    # Not in a folder of pytest, which munge refuses since others cannot enter it.
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder:
        Path(folder).chmod(0o711)
        environment = os.environ | {"SLURM_CONF": f"{folder}/etc/slurm.conf", "CPUS": "2", "GPUS": "2"}
        try:
            subprocess.run([SCRIPT, "start", folder], env=environment, check=True)
            yield environment
        finally:
            subprocess.run([SCRIPT, "stop", folder], env=environment, check=True)


def smaller_project(folder: Path) -> Path:
    (copy_project(folder) / "smaller.yaml").write_text(yaml.safe_dump(SMALLER))
    return folder


def snakemake(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    run = [sys.executable, "-m", "snakemake", *arguments]
    run += ["--configfile", "config/minimal.yaml", "smaller.yaml"]
    return subprocess.run(run, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def on_slurm(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess:
    return snakemake(folder, "--profile", "profiles/slurm", *QUICKER, *arguments, environment=environment)


def jobs_of_slurm(environment: dict[str, str]) -> list[dict[str, str]]:
    """Every job that Slurm knows, finished ones included."""
    fields = ("jobid", "state", "comment", "tres-alloc", "tres-per-job")
    asked = ",".join(f"{name}:200" for name in fields)
    text = subprocess.run(["squeue", "-h", "-t", "all", "-O", asked], env=environment, text=True, capture_output=True)
    lines = [[line[start : start + 200].strip() for start in range(0, 1000, 200)] for line in text.stdout.splitlines()]
    return [dict(zip(fields, line, strict=True)) for line in lines]


def asked_for(jobs: list[dict[str, str]], rule: str) -> list[dict[str, str]]:
    """The jobs of a rule, or of a batch of its jobs."""
    return [job for job in jobs if re.match(rf"rule_(\w+_)?{rule}(_|$)", job["comment"])]


def wait_until(there: Callable[[], bool], running: Future) -> None:
    """Wait for something that a run does on its way."""
    while not there():
        assert not running.done(), running.result().stdout[-6000:]
        time.sleep(0.05)


def cancel_training(environment: dict[str, str]) -> None:
    training = asked_for(jobs_of_slurm(environment), "fine_tune")
    job = next(job["jobid"] for job in training if job["state"] == "RUNNING" and job["comment"].endswith(WILDCARDS))
    subprocess.run(["scancel", job], env=environment, check=True)


@pytest.fixture(scope="module")
def ran(slurm, tmp_path_factory):
    """A copy of the project whose experiment ran on Slurm, one job being cancelled; what was said; Slurm's jobs."""
    folder = smaller_project(tmp_path_factory.mktemp("on slurm"))
    with ThreadPoolExecutor() as pool:
        running = pool.submit(on_slurm, folder, slurm)
        wait_until(lambda: saved_step(folder / STATE) >= 10, running)
        cancel_training(slurm)
        run = running.result()
    assert run.returncode == 0, run.stdout[-6000:]
    return folder, run.stdout, jobs_of_slurm(slurm)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """A copy of the project whose experiment ran here."""
    folder = smaller_project(tmp_path_factory.mktemp("here"))
    run = snakemake(folder, "--cores", "2")
    assert run.returncode == 0, run.stdout[-6000:]
    return folder


def digests(folder: Path) -> dict[str, str]:
    """The content of every result that does not say when or where it was made."""
    files = [path for path in sorted((folder / RESULTS).rglob("*")) if path.is_file()]
    named = {str(path.relative_to(folder / RESULTS)): path for path in files}
    return {name: sha256(path.read_bytes()).hexdigest() for name, path in named.items() if not TIMED.match(name)}


def test_every_result_is_the_local_one_byte_for_byte(ran, local):
    on_slurm, here = digests(ran[0]), digests(local)
    assert {Path(name).suffix for name in here} >= {
        ".arrow",
        ".csv",
        ".npy",
        ".parquet",
        ".safetensors",
        ".svg",
        ".pdf",
    }
    assert {name for name in here.keys() | on_slurm if here.get(name) != on_slurm.get(name)} == set()


def test_a_cancelled_training_is_tried_again_and_goes_on_where_it_was(ran):
    folder, said, jobs = ran
    training = [job for job in asked_for(jobs, "fine_tune") if job["comment"].endswith(WILDCARDS)]
    assert [job["state"] for job in training] == ["CANCELLED", "COMPLETED"]
    assert "SLURM status is: 'CANCELLED'" in said and "Trying to restart job" in said
    resumed = re.search(r"resumed at step (\d+)", (folder / RESULTS / "logs/fine_tune/finetune/4-0.log").read_text())
    assert resumed and 10 <= int(resumed[1]) < SMALLER["training"]["steps"]
    # Twice the memory, in case that was what was wrong.
    memory = [int(re.search(r"mem=(\d+)", job["tres-alloc"])[1]) for job in training]
    assert memory[1] == 2 * memory[0]


def test_slurm_sees_few_jobs_and_those_on_the_network_get_a_gpu(ran):
    _, said, jobs = ran
    counts = {rule: len(asked_for(jobs, rule)) for rule in ("decode_images", "initialise_heads", "measure_similarity")}
    assert counts == {"decode_images": 1, "initialise_heads": 1, "measure_similarity": 1}
    config = yaml.safe_load((PROJECT / "config/minimal.yaml").read_text())
    update_config(config, SMALLER)
    # One more, for one of them was cancelled.
    assert len(jobs) == len(set(re.findall(r"SLURM jobid (\d+)", said))) == slurm_jobs(config)[1] + 1
    on_gpu = [job for job in jobs if job["tres-per-job"] == "gres:gpu:1"]
    assert {re.match(r"rule_(\w+?)(_wildcards|$)", job["comment"])[1] for job in on_gpu} == ON_GPU
    assert not [job for rule in counts for job in asked_for(jobs, rule) if "cpu=1," not in job["tres-alloc"]]


def spoil(tar: Path) -> None:
    tar.write_bytes(b"<!DOCTYPE html><html>Sign in</html>" + bytes(100))


def test_a_batch_that_fails_in_one_member_keeps_what_the_others_made(ran, slurm, tmp_path):
    folder = Path(shutil.copytree(ran[0], tmp_path / "copy"))
    decoded = sorted((folder / RESULTS / "images").glob("n*.arrow"))
    for path in decoded:
        path.unlink()
    targets = [str(path.relative_to(folder)) for path in decoded]
    with ThreadPoolExecutor() as pool:
        running = pool.submit(on_slurm, folder, slurm, *targets, "--retries", "0")
        wait_until(lambda: any(path.exists() for path in decoded), running)
        for path in decoded:
            if not path.exists():
                spoil(folder / f"resources/minimal/{path.stem}.tar")
        run = running.result()
    assert run.returncode != 0
    log = "\n".join(path.read_text() for path in (folder / ".snakemake/slurm_logs").rglob("*.log"))
    assert "is a web page" in log
    kept = {path for path in decoded if path.exists()}
    assert 0 < len(kept) < len(decoded)
    planned = snakemake(folder, *targets, "--cores", "2", "--dry-run")
    assert int(re.search(r"^decode_images +(\d+)$", planned.stdout, re.M)[1]) == len(decoded) - len(kept)


def test_without_gpus_the_same_jobs_run_on_cpus(ran, slurm):
    folder = ran[0]
    profile = folder / "profiles/slurm/profile.yaml"
    profile.write_text(re.sub(r"^    gpu: 1  ", "    gpu: 0  ", profile.read_text(), flags=re.MULTILINE))
    target = str(RESULTS / "features.safetensors")
    before = (folder / target).read_bytes()
    run = on_slurm(folder, slurm, target, "--forcerun", "embed_images")
    assert run.returncode == 0, run.stdout
    assert asked_for(jobs_of_slurm(slurm), "embed_images")[-1]["tres-per-job"] == "N/A"
    assert (folder / target).read_bytes() == before
