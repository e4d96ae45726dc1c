"""Plain fine-tuning by stochastic gradient descent with momentum: the control of strategies that ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from headstart.finetuning.replicas import Replica
from headstart.finetuning.strategies.finetune import FineTune


class Descent(FineTune):
    """Take the steps of plain fine-tuning by SGD instead of Adam."""

    recorded = True

    def optimiser(self, replica: Replica) -> torch.optim.Optimizer:
        """Build the optimiser of one run."""
        return descent(replica, self.options)


def descent(replica: Replica, options: Mapping[str, Any]) -> torch.optim.Optimizer:
    """Build an SGD over everything trained, of the options learning_rate and momentum."""
    return torch.optim.SGD(replica.parameters(), lr=options["learning_rate"], momentum=options["momentum"], fused=True)
