import os
import signal
import threading

import pytest
import torch

from headstart.jobs.checkpoints import Checkpoint, digest_of, termination

STATE = {
    "step": 3,
    "scores": [("random", 0, "test", torch.tensor([0.25, float("nan")]))],
    "nested": {"a": torch.ones(2)},
}


def test_a_saved_state_comes_back(tmp_path):
    Checkpoint(tmp_path / "deep/state.pt", "d").save(STATE)
    found = Checkpoint(tmp_path / "deep/state.pt", "d").load()
    assert found["step"] == 3 and found["scores"][0][:3] == ("random", 0, "test")
    assert torch.equal(found["nested"]["a"], torch.ones(2))


def test_no_state_is_no_message(tmp_path, capsys):
    assert Checkpoint(tmp_path / "state.pt", "d").load() is None
    assert capsys.readouterr().out == ""


def test_a_state_of_another_digest_is_left_aside_with_a_line(tmp_path, capsys):
    Checkpoint(tmp_path / "state.pt", "old").save(STATE)
    assert Checkpoint(tmp_path / "state.pt", "new").load() is None
    assert "another config or code" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", b"<html>"])
def test_an_unreadable_state_is_left_aside_with_a_line(tmp_path, capsys, content):
    (tmp_path / "state.pt").write_bytes(content)
    assert Checkpoint(tmp_path / "state.pt", "d").load() is None
    assert "cannot be read" in capsys.readouterr().out


def test_a_state_holding_code_is_left_aside(tmp_path, capsys):
    torch.save({"digest": "d", "state": Checkpoint(tmp_path, "d")}, tmp_path / "state.pt")
    assert Checkpoint(tmp_path / "state.pt", "d").load() is None
    assert "cannot be read" in capsys.readouterr().out


def test_states_are_saved_when_due_or_at_cheap_milestones(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state.pt", "d", save_every=1000)
    checkpoint.offer(lambda: STATE)
    assert not checkpoint.path.exists()
    large = {"weights": torch.empty(10**9, device="meta")}  # 4 GB: more than the work so far is worth
    checkpoint.offer(lambda: {"runs": [large]}, milestone=True)
    assert not checkpoint.path.exists()
    checkpoint._saved -= 1.0
    checkpoint.offer(lambda: STATE, milestone=True)
    assert checkpoint.path.exists()
    checkpoint.remove()
    checkpoint._cost = 1000.0
    checkpoint.offer(lambda: STATE, milestone=True)
    assert not checkpoint.path.exists()
    checkpoint.save_every = 0
    checkpoint.offer(lambda: STATE)
    assert checkpoint.path.exists()


def test_removing_leaves_nothing_and_may_be_repeated(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state.pt", "d")
    checkpoint.save(STATE)
    checkpoint.remove()
    checkpoint.remove()
    assert list(tmp_path.iterdir()) == []


def test_the_digest_changes_with_the_content_of_a_file(tmp_path):
    path = tmp_path / "head"
    path.write_bytes(b"a")
    first = digest_of([("x", 1)], [path])
    assert digest_of([("x", 1)], [path]) == first
    path.write_bytes(b"b")
    assert digest_of([("x", 1)], [path]) != first


def test_sigterm_sets_the_event_and_the_old_handler_returns():
    before = signal.getsignal(signal.SIGTERM)
    with termination() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(1)
    assert signal.getsignal(signal.SIGTERM) is before


def test_termination_works_outside_the_main_thread():
    seen = []

    def job():
        with termination() as stop:
            seen.append(stop.is_set())

    thread = threading.Thread(target=job)
    thread.start()
    thread.join()
    assert seen == [False]
