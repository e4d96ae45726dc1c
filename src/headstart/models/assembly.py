"""Train the chosen run again up to its step, and put the whole network together: trunk, tail and head.

Everything random in a run is keyed, so on a CPU the weights are, bit for bit, those that were scored then.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from headstart.finetuning.settings import Task, Training
from headstart.finetuning.strategies.finetune import FineTune
from headstart.finetuning.training import train_lockstep
from headstart.jobs.checkpoints import Checkpoint
from headstart.machine.machines import Machine
from headstart.networks.backbones import Network
from headstart.networks.weights import fill

State = Mapping[str, Tensor]


class Reached(Exception):
    """A run has come to the step where it was to end; `state` is that of its trained part."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        super().__init__()
        self.state = state


class Until(Checkpoint):
    """A checkpoint on no disk: it ends a run of one start after a step, however many steps its strategy plans."""

    def __init__(self, step: int) -> None:
        """Note the step."""
        super().__init__(Path("nowhere"), digest="")
        self.step = step

    def load(self) -> None:
        """Give nothing to go on from."""

    def save(self, state: dict[str, Any]) -> None:
        """Keep nothing: who is stopped begins anew."""

    def offer(self, state: Any, milestone: bool = False) -> None:
        """Look at the state after each step, and end at the right one."""
        (run,) = state()["runs"].values()
        if run["done"] == self.step:
            raise Reached(run["replica"])


def train_until(
    strategy: FineTune, network: Network, head: tuple[Any, Any], task: Task, training: Training, machine: Machine, *,
    step: int,
) -> dict[str, Tensor]:  # fmt: skip
    """Train one run as `train_lockstep` does, up to a step (0: not at all).

    Args:
        strategy, network, task, training, machine: as there; `training` has the whole budget, which strategies look at.
        head: weight (T, D) and bias (T,).
        step: at most that of the budget.

    Returns:
        The trained part's weights and buffers on the CPU, called "tail.<...>" and "head.<...>".

    Raises:
        ValueError: a step beyond the budget.
    """
    if not 0 <= step <= training.steps:
        raise ValueError(f"expected a step from 0 to {training.steps}, got {step}; take one of the run's history")
    try:
        train_lockstep(strategy, network, {"model": head}, task, training, machine, Until(step))
    except Reached as reached:
        return {name: value.detach().cpu().clone() for name, value in reached.state.items()}
    raise AssertionError("a training went past its last step")


def names_in(model: nn.Module, network: Network) -> dict[str, str]:
    """Return name in a replica -> name in the model, of all weights and buffers of tail and head.

    To be called before the parts are moved to a device, which replaces buffers.

    Raises ValueError where the network was cut from an altered copy of the model.
    """
    known = {id(value): name for name, value in _tensors(model)}
    found = {f"tail.{name}": known.get(id(value), "") for name, value in _tensors(network.tail)}
    found |= {f"head.{name}": f"{network.head_name}.{name}" for name, _ in _tensors(network.head)}
    strange = [name for name, own in found.items() if not own]
    if strange:
        raise ValueError(
            f"{len(strange)} trained weights, first {strange[0]}, are none of the network's own, so this strategy "
            "alters the network and the model cannot be loaded by its library; name another in model.group"
        )
    return found


def _tensors(module: nn.Module) -> list[tuple[str, Tensor]]:
    return [*module.named_parameters(), *module.named_buffers()]


def assemble(model: nn.Module, source: State, trained: State, names: Mapping[str, str]) -> nn.Module:
    """Put the network of the target classes together, in eval mode on the CPU.

    Args:
        model: as its library builds it, with T outputs; it is filled.
        source: state of the source network.
        trained: from `train_until`; what a strategy adds to a run is left out.
        names: from `names_in`.

    Raises:
        ValueError: weights that do not fit the network with T outputs.
    """
    fill(model, {**source, **{own: trained[inside] for inside, own in names.items()}}, "of the chosen run")
    return model.eval().requires_grad_(True)


def state_of(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a model's weights and buffers, which later training or cutting does not change."""
    with torch.no_grad():
        return {name: value.detach().clone().contiguous() for name, value in model.state_dict().items()}
