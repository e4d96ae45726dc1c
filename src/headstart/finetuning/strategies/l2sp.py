"""L2-SP: weights are drawn towards where they started (Li, Grandvalet, Davoine, 2018, arXiv 1802.01483)."""

from __future__ import annotations

import torch
from torch import Tensor

from headstart.finetuning.replicas import Replica
from headstart.finetuning.strategies.finetune import FineTune, Step


class TowardsPretrained(FineTune):
    """Add alpha / 2 |w - w0|^2 over the trained blocks and beta / 2 |W|^2 over the rows of the new last layer."""

    recorded = True

    def loss(self, replica: Replica, step: Step) -> Tensor:
        """Give cross-entropy and both penalties; with alpha = beta = 0 plain fine-tuning, bit for bit."""
        loss = super().loss(replica, step)
        alpha, beta = self.options["alpha"], self.options["beta"]
        if alpha:
            pairs = zip(replica.tail.parameters(), self.network.tail.parameters(), strict=True)
            distances = [(new - old.detach()).square().sum() for new, old in pairs]
            # A network whose last layer alone is trained has no blocks to draw anywhere.
            loss = loss + alpha / 2 * torch.stack(distances).sum() if distances else loss
        return loss + beta / 2 * replica.head.weight.square().sum() if beta else loss
