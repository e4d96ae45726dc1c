"""GPUs that are names alone, claimed by real processes."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from headstart.machine import devices, machines
from headstart.machine.machines import pick_machine

LIBRARY = Path(__file__).parents[2] / "src"
JOB = """
import sys
from pathlib import Path
from headstart.machine import devices
devices.SECONDS_BETWEEN_TRIES = 0.05
print(devices.claim(sys.argv[2:], Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def start(tmp_path):
    """Start jobs that claim one of some GPUs and keep it until they are told to end."""
    jobs = []

    def run(*names):
        job = subprocess.Popen(
            [sys.executable, "-c", JOB, str(tmp_path / "locks"), *names],
            env={"PYTHONPATH": str(LIBRARY)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        jobs.append(job)
        return job

    yield run
    for job in jobs:
        job.kill()
        job.communicate()


def said(job):
    return job.stdout.readline().strip()


def test_each_job_takes_one_and_the_next_waits_until_one_ends(start):
    jobs = [start("a", "b") for _ in range(2)]
    first, second = map(said, jobs)
    assert {first, second} == {"0", "1"}
    third = start("a", "b")
    assert said(third).startswith("all 2 GPUs are taken by other jobs (locks in ")
    jobs[1].communicate("")  # its standard input ends, and so does the job
    assert said(third) == second


def test_a_killed_job_holds_its_gpu_no_longer(start):
    first = start("a")
    assert said(first) == "0"
    second = start("a")
    assert "waiting" in said(second)
    first.kill()
    assert said(second) == "0"


def test_a_gpu_is_the_same_one_under_another_number(start):
    assert said(start("a", "b")) == "0"
    assert said(start("b", "a")) == "0"
    assert said(start("a", "b", "c")) == "2"


def test_a_process_that_asks_again_keeps_the_one_it_has(tmp_path, monkeypatch, start):
    monkeypatch.setattr(devices, "_held", {})
    other = start("a", "b")
    assert said(other) == "0"
    assert devices.claim(["a", "b"], tmp_path / "locks") == 1
    other.communicate("")
    assert devices.claim(["a", "b"], tmp_path / "locks") == 1


def test_locks_lie_in_a_folder_of_the_user_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(devices.os, "getuid", lambda: 77)
    assert devices.claim(["a"]) == 0
    assert (tmp_path / "headstart-77").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in (tmp_path / "headstart-77").iterdir()] == ["gpu-a.lock"]


@pytest.mark.parametrize(("count", "expected"), [(1, 0), (3, 2)])
def test_the_device_is_claimed_where_there_are_several(monkeypatch, count, expected, capsys):
    claimed, current = [], []

    class Properties:
        def __init__(self, place):
            self.uuid = f"uuid-{place}"

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "get_device_properties", Properties)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"Card {device.index}")
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    monkeypatch.setattr(machines, "set_precision", lambda device, precision: None)
    monkeypatch.setattr(machines, "claim", lambda names: claimed.append(names) or len(names) - 1)
    assert pick_machine(threads=1).device == torch.device("cuda", expected) == current[0]
    assert claimed == ([["uuid-0", "uuid-1", "uuid-2"]] if count > 1 else [])
    assert f"device cuda (Card {expected})" in capsys.readouterr().out
