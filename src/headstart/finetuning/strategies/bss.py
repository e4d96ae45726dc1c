"""BSS: the weakest directions of a batch's features are shrunk (batch spectral shrinkage; Chen et al., 2019).

Letters in shapes: N images, D features of the last layer.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from headstart.finetuning.replicas import Replica
from headstart.finetuning.strategies.finetune import FineTune, Step
from headstart.machine.computing import in_float32


class Shrunk(FineTune):
    """Add `eta` times the sum of the `count` smallest squared singular values of the features (N, D)."""

    recorded = False  # singular values make a GPU wait for the CPU

    def loss(self, replica: Replica, step: Step) -> Tensor:
        """Give cross-entropy and penalty; with eta = 0 plain fine-tuning, bit for bit."""
        features, logits = replica(step.outputs, step.mask)
        loss = functional.cross_entropy(logits, step.labels)
        eta = self.options["eta"]
        if not eta:
            return loss
        with in_float32(features.device):
            weakest = torch.linalg.svdvals(features)[-self.options["count"] :]
        return loss + eta * weakest.square().sum()
