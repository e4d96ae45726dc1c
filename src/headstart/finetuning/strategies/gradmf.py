"""GradMF: the source gradient is altered until it agrees with the target's, then projected on it (Han et al., 2024).

Our reading; docs/strategies.md says what the paper leaves open here, and what follows from it.

Letters in shapes: P parameters that both tasks share.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from headstart.finetuning.replicas import Replica
from headstart.finetuning.strategies.beside import BesideSource
from headstart.finetuning.strategies.sgd import descent


class Altered(BesideSource):
    """Step along the target's gradient, as far as the altered source gradient reaches in its direction."""

    def optimiser(self, replica: Replica) -> torch.optim.Optimizer:
        """Build the optimiser of one run: one that takes longer steps along longer gradients, as Adam does not."""
        return descent(replica, self.options)

    def meet(self, source: Tensor, target: Tensor) -> Tensor:
        """Give the projection of the altered source gradient; the target's own where it never comes to agree."""
        length = float(target.norm())
        if not length:
            return target
        along = float(torch.dot(source, target)) / length
        across = float((source - along / length * target).norm())
        return reach(along, across, length, self.options["threshold"], self.options["rounds"]) / length * target


def reach(along: float, across: float, length: float, threshold: float, rounds: int) -> float:
    """Give how far the source gradient reaches along the target's once it has been altered until they agree.

    A round adds the part of the target's gradient that is orthogonal to the source's. That never leaves the plane of
    the two, so two numbers say where the source's is.

    Args:
        along, across: the source gradient along the target's, and at right angles to it.
        length: of the target's, above 0; also given where they do not agree after all rounds.
        threshold: the cosine above which they agree.
        rounds: at most.

    >>> reach(along=0.0, across=1.0, length=2.0, threshold=0.5, rounds=20)
    2.0
    >>> reach(along=3.0, across=1.0, length=1.0, threshold=0.5, rounds=20)
    3.0
    """
    for _ in range(rounds + 1):
        size = math.hypot(along, across)
        if along > threshold * size:
            return along
        if not across:  # nothing, or exactly opposite: no round changes that
            break
        added = length * across / size**2
        along, across = along + added * across, across - added * along
    return length
