"""Linear probe: the last layer alone is trained, on the features of the pretrained network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.finetuning.replicas import Replica
from headstart.finetuning.strategies.finetune import FineTune, Passes


class Linear(FineTune):
    """Hold the tail at its pretrained weights and BatchNorm at its pretrained statistics throughout."""

    recorded = True

    def enter(self, replica: Replica, step: int) -> None:
        """Hold the tail."""
        replica.hold_tail(True)

    @staticmethod
    def passes(options: Mapping[str, Any]) -> Passes:
        """Say what a training image costs: the tail passes forward only, the head's work is left out as small."""
        return Passes(forward=1.0, training=0.0)
