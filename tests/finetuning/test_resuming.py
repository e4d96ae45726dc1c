"""A training that was broken off, by whatever, ends with the bytes of one that was not."""

import contextlib
import os
import signal
from dataclasses import replace

import pytest
import torch
from toys import MACHINE, STEPS, breaking, head, power_cut, same

from headstart.finetuning.strategies.finetune import FineTune
from headstart.jobs.checkpoints import Checkpoint
from headstart.machine.memory import Sizes


@pytest.mark.parametrize("broken_at", [2, 5, 8, 12])
def test_an_attempt_with_less_at_once_goes_on_from_the_state_of_one_with_more(train, tmp_path, monkeypatch, broken_at):
    """Attempts hold three, then two, then one initialisation, then three again; each but the last breaks off."""
    heads = {"a": head(0), "b": head(1), "c": head(2)}
    unbroken_history, unbroken = train(heads)
    for side_by_side in (3, 2, 1):
        checkpoint = Checkpoint(tmp_path / "state.pt", "digest", save_every=0)
        machine = MACHINE.holding(Sizes(side_by_side, side_by_side))
        with monkeypatch.context() as patch:
            patch.setattr(FineTune, "loss", breaking(FineTune.loss, broken_at, out_of_memory))
            with contextlib.suppress(torch.OutOfMemoryError):
                train(heads, checkpoint=checkpoint, machine=machine)
    history, weights = train(heads, checkpoint=Checkpoint(tmp_path / "state.pt", "digest"))
    assert same(weights, unbroken) and history.equals(unbroken_history)


def out_of_memory():
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


@pytest.mark.parametrize("broken_at", [1, 3, 6])
def test_a_run_broken_off_and_resumed_equals_an_unbroken_one_bit_for_bit(
    train, tmp_path, monkeypatch, capsys, broken_at
):
    heads = {"a": head(0), "b": head(1)}
    unbroken_history, unbroken = train(heads)
    checkpoint = Checkpoint(tmp_path / "state.pt", "digest", save_every=0)
    with monkeypatch.context() as patch:
        patch.setattr(FineTune, "loss", breaking(FineTune.loss, 2 * broken_at - 1, power_cut))
        with pytest.raises(RuntimeError, match="power cut"):
            train(heads, checkpoint=checkpoint)
    assert "resumed" not in capsys.readouterr().out
    history, weights = train(heads, checkpoint=Checkpoint(tmp_path / "state.pt", "digest"))
    assert f"resumed at step {broken_at - 1}" in capsys.readouterr().out
    assert same(weights, unbroken) and history.equals(unbroken_history)


def test_runs_that_are_finished_wait_for_those_beside_them_that_are_new(train, tmp_path, monkeypatch, capsys):
    heads = {"a": head(0), "b": head(1), "c": head(2)}
    unbroken_history, unbroken = train(heads)
    with monkeypatch.context() as patch:
        patch.setattr(FineTune, "loss", breaking(FineTune.loss, STEPS + 3, power_cut))  # within b's third step
        with pytest.raises(RuntimeError, match="power cut"):
            train(
                heads,
                checkpoint=Checkpoint(tmp_path / "state.pt", "digest", save_every=0),
                machine=replace(MACHINE, side_by_side=1),
            )
    history, weights = train(heads, checkpoint=Checkpoint(tmp_path / "state.pt", "digest"))
    assert "resumed at step 0\n" in capsys.readouterr().out
    assert same(weights, unbroken) and history.equals(unbroken_history)


def test_sigterm_saves_the_state_and_leaves(train, tmp_path, monkeypatch, capsys):
    unbroken_history, unbroken = train({"a": head(0)})
    checkpoint = Checkpoint(tmp_path / "state.pt", "digest", save_every=1000)
    with monkeypatch.context() as patch:
        patch.setattr(FineTune, "loss", breaking(FineTune.loss, 4, lambda: os.kill(os.getpid(), signal.SIGTERM)))
        with pytest.raises(SystemExit, match="SIGTERM"):
            train({"a": head(0)}, checkpoint=checkpoint)
    history, weights = train({"a": head(0)}, checkpoint=checkpoint)
    assert "resumed at step 4" in capsys.readouterr().out
    assert same(weights, unbroken) and history.equals(unbroken_history)


def test_a_state_of_another_digest_starts_from_zero(train, tmp_path, capsys):
    train({"a": head(0)}, checkpoint=Checkpoint(tmp_path / "state.pt", "old", save_every=0))
    _, weights = train({"a": head(1)}, checkpoint=Checkpoint(tmp_path / "state.pt", "new"))
    assert "starting from zero" in capsys.readouterr().out
    assert same(weights, train({"a": head(1)})[1])
