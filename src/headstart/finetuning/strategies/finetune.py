"""Plain fine-tuning: nothing but the error on the target images (the paper's way)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from headstart.finetuning.replicas import Replica
    from headstart.networks.backbones import Network


def loss(replica: Replica, pretrained: Network, features: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
    """Give the cross-entropy of a batch, a scalar.

    Args:
        replica: the tail and the head being trained.
        pretrained: the network they came from, source head included; never trained.
        features: what the tail gives, before dropout, (N, D).
        logits: what the head gives, (N, T).
        labels: target classes, (N,) integers below T.
    """
    return functional.cross_entropy(logits, labels)
