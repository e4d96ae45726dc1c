"""LP-FT: the last layer is trained first, then all of it (Kumar et al., 2022, arXiv 2202.10054).

While the head is still wrong, gradients through it distort features that were good; a head that fits them first does
less harm. BatchNorm keeps its pretrained statistics in both phases, as in the authors' experiments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.finetuning.replicas import Replica
from headstart.finetuning.strategies.finetune import FineTune, Passes


class ProbeThenTune(FineTune):
    """Hold the tail for the first `head_share` of the steps, then train it too, with BatchNorm in eval mode."""

    recorded = True

    def replica(self, weight: Any, bias: Any) -> Replica:
        """Build the trained part of one run, with BatchNorm's pretrained statistics."""
        return Replica(self.network.tail, weight, bias, batch_norm="eval")

    def enter(self, replica: Replica, step: int) -> None:
        """Hold the tail in the first phase, let it go in the second."""
        replica.hold_tail(step <= round(self.options["head_share"] * self.training.steps))

    @staticmethod
    def passes(options: Mapping[str, Any]) -> Passes:
        """Say what a training image costs: a forward pass of the tail in the first phase, all in the second."""
        return Passes(forward=options["head_share"], training=1.0 - options["head_share"])
