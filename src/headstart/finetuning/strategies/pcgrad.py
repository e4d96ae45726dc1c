"""PCGrad: of two gradients that conflict, each gives up what works against the other (Yu et al., 2020, 2001.06782)."""

from __future__ import annotations

import torch
from torch import Tensor

from headstart.finetuning.strategies.beside import BesideSource

# Keeps the division by a gradient of nothing finite.
TINY = 1e-30


class Unconflicted(BesideSource):
    """Step along the sum of both tasks' gradients, each projected on the other's normal plane where they conflict."""

    def meet(self, source: Tensor, target: Tensor) -> Tensor:
        """Give the sum; with weight 0 the target's gradient alone."""
        weighted = self.options["weight"] * source
        return unconflicted(weighted, target) + unconflicted(target, weighted)


def unconflicted(gradient: Tensor, other: Tensor) -> Tensor:
    """Take from a gradient (P,) what works against the other, if anything does.

    With two tasks the order in which they are taken makes no difference, since each is set against the other as it was.

    >>> unconflicted(torch.tensor([-1.0, 1.0]), torch.tensor([2.0, 0.0]))
    tensor([0., 1.])
    >>> unconflicted(torch.tensor([1.0, 1.0]), torch.tensor([2.0, 0.0]))
    tensor([1., 1.])
    """
    along = torch.dot(gradient, other)
    return torch.where(along < 0, gradient - along / other.square().sum().clamp_min(TINY) * other, gradient)
