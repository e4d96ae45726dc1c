"""Take a step with several runs: one after the other, or all of them as one recording that a GPU repeats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from headstart.finetuning.replicas import Replica
from headstart.finetuning.strategies.finetune import FineTune, Step
from headstart.machine.graphs import record, records, unchanged, warm_up
from headstart.machine.memory import is_full

Replicas = Mapping[str, Replica]
Optimisers = Mapping[str, torch.optim.Optimizer]
Losses = dict[str, Tensor]


class Steps:
    """The steps of runs that are trained side by side.

    Steps are recorded where the device and the strategy let it, once for each size of batch, and anew where other runs
    take part or other parts of them are held. Recording changes no weight, so a run that is resumed records again.

    Args:
        strategy: which has begun.
        optimisers: of the runs, by initialisation, with the state from which they go on.
    """

    def __init__(self, strategy: FineTune, optimisers: Optimisers) -> None:
        """Record nothing yet; say if nothing will be."""
        self.strategy, self.optimisers = strategy, optimisers
        self.records = records(strategy.machine.device)
        if self.records and not strategy.recorded:
            self._go_on_without(f"{type(strategy).__name__} does not say that its step may be recorded")
        self.kind: object = None  # of what is recorded: who takes part, and what is held
        self.recordings: dict[object, Recording] = {}

    def take(self, replicas: Replicas, step: Step) -> Losses:
        """Take a step with some of the runs, and give their losses, which the next step may overwrite."""
        for replica in replicas.values():
            self.strategy.enter(replica, step.number)
        kind = [(name, replica.held) for name, replica in replicas.items()]
        if kind != self.kind:
            self.kind = kind
            self.recordings.clear()  # and give its memory back
        recording = self._recording(replicas, step)
        return recording.take(step) if recording else self._one_by_one(replicas, step)

    def _one_by_one(self, replicas: Replicas, step: Step) -> Losses:
        return {
            name: self.strategy.take_step(replica, self.optimisers[name], step) for name, replica in replicas.items()
        }

    def _recording(self, replicas: Replicas, step: Step) -> Recording | None:
        """Give the recording of steps like this one, making it if need be; None where nothing is recorded."""
        if not self.records:
            return None
        size = tuple(value.shape for value in tensors_in(step))
        if size not in self.recordings:
            try:
                self.recordings[size] = Recording(self, replicas, step)
            except RuntimeError as error:
                if is_full(error):
                    raise
                self._go_on_without(str(error).partition("\n")[0])
        return self.recordings.get(size)

    def _go_on_without(self, reason: str) -> None:
        self.records = False
        print(f"steps are not recorded as a CUDA graph, but launched one by one: {reason}")


class Recording:
    """One step of some runs, forward and backward pass and optimiser, to be repeated for other batches.

    Args:
        steps: how it is taken.
        replicas: that take part, as they are before the step; they stay so.
        step: one like those that are to be taken.
    """

    def __init__(self, steps: Steps, replicas: Replicas, step: Step) -> None:
        """Warm up and record."""
        device = steps.strategy.machine.device
        optimisers = [steps.optimisers[name] for name in replicas]
        self.given = copied(step)
        self.losses: Losses = {}

        def work() -> None:
            self.losses = steps._one_by_one(replicas, self.given)

        states = [value for replica in replicas.values() for value in replica.state_dict().values()]
        with unchanged(states), unchanged_optimisers(optimisers):
            warm_up(work, device)
        with capturable(optimisers):
            self.repeat = record(work, device)

    def take(self, step: Step) -> Losses:
        """Take a step of the same size, and give the losses, which the next one overwrites."""
        for old, new in zip(tensors_in(self.given), tensors_in(step), strict=True):
            old.copy_(new)
        self.repeat()
        return self.losses


def copied(value: Any) -> Any:
    """Copy all tensors of a step, and of what lies in it."""
    if isinstance(value, Step):
        return Step(*map(copied, value))
    return value.clone() if isinstance(value, Tensor) else value


def tensors_in(value: object) -> list[Tensor]:
    """List all tensors of a step, and of what lies in it."""
    if isinstance(value, Step):
        return [tensor for part in value for tensor in tensors_in(part)]
    return [value] if isinstance(value, Tensor) else []


@contextmanager
def unchanged_optimisers(optimisers: list[torch.optim.Optimizer]) -> Iterator[None]:
    """Put the state of optimisers back at the end; what the block has begun, such as moments, is set to zero.

    That is where Adam begins, and where momentum does.
    """

    def tensors() -> list[Tensor]:
        values = [value for one in optimisers for state in one.state.values() for value in state.values()]
        return [value for value in values if isinstance(value, Tensor)]

    before = tensors()
    with unchanged(before):
        try:
            yield
        finally:
            known = set(map(id, before))
            for value in tensors():
                if id(value) not in known:
                    value.zero_()


@contextmanager
def capturable(optimisers: list[torch.optim.Optimizer]) -> Iterator[None]:
    """Let optimisers be recorded inside this block.

    A fused one counts its steps on the GPU in any case; one that is not recorded would warn of the mark.
    """
    groups = [group for one in optimisers for group in one.param_groups if group["fused"] and "capturable" in group]
    for group in groups:
        group["capturable"] = True
    try:
        yield
    finally:
        for group in groups:
            group["capturable"] = False
