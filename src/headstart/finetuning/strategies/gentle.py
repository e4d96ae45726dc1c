"""Fine-tuning in small steps, for a first head that is fitted to the images already.

Adam moves every weight by about the learning rate in each step, however small the error that is left. A head that a
probe has fitted leaves next to none, and steps as long as a random head needs only take it away from where it was best.
"""

from __future__ import annotations

from typing import Any

import torch

from headstart.finetuning.replicas import Replica
from headstart.finetuning.strategies.finetune import FineTune


class Gentle(FineTune):
    """Train all with `share` of the learning rate, and BatchNorm as pretrained; a share of 1 leaves only the latter."""

    recorded = True

    def replica(self, weight: Any, bias: Any) -> Replica:
        """Build the trained part of one run, with BatchNorm's pretrained statistics."""
        return Replica(self.network.tail, weight, bias, batch_norm="eval")

    def optimiser(self, replica: Replica) -> torch.optim.Optimizer:
        """Build plain fine-tuning's optimiser with its learning rate shortened."""
        optimiser = super().optimiser(replica)
        for group in optimiser.param_groups:
            group["lr"] *= self.options["share"]
        return optimiser
