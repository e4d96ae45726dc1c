"""Co-Tuning: the source head is kept, and tuned towards p(source | target class) (You et al., 2020, NeurIPS 33).

Letters in shapes: S source classes, T target classes, D features of the last layer, N images.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.numpy import load_file
from scipy.special import softmax
from torch import Tensor
from torch.nn import functional

from headstart.finetuning.batches import TrainingImages
from headstart.finetuning.replicas import Replica
from headstart.finetuning.settings import Training
from headstart.finetuning.strategies.finetune import FineTune, Step
from headstart.machine.computing import in_float32
from headstart.machine.machines import Machine
from headstart.measures.relations import ESTIMATORS
from headstart.networks.backbones import Network


class CoTuning(FineTune):
    """Add `weight` times the source head's cross-entropy to the source classes that go with each target class."""

    recorded = True

    def begin(self, network: Network, machine: Machine, training: Training, images: TrainingImages) -> None:
        """Estimate p(source | target), (T, S), on the training images, as the pretrained network sees them."""
        super().begin(network, machine, training, images)
        features = _features_of(self.files["features"], self.files["images"], images)
        weight, bias = (value.detach().cpu().numpy() for value in (network.head.weight, network.head.bias))
        probabilities = softmax(features.astype(np.float64) @ weight.T + bias, axis=1)
        labels = np.asarray(images.labels)
        relation = ESTIMATORS[self.options["estimator"]](probabilities, labels, int(labels.max()) + 1)
        self.relation = torch.from_numpy(relation.astype(np.float32)).to(machine.device)

    def replica(self, weight: Any, bias: Any) -> Replica:
        """Build the trained part of one run, with the source head beside the new one."""
        replica = super().replica(weight, bias)
        replica.source_head = deepcopy(self.network.head).requires_grad_(True)
        return replica

    def loss(self, replica: Replica, step: Step) -> Tensor:
        """Give both cross-entropies; with weight 0 plain fine-tuning, bit for bit."""
        features, logits = replica(step.outputs, step.mask)
        loss = functional.cross_entropy(logits, step.labels)
        weight = self.options["weight"]
        if not weight:
            return loss
        with in_float32(features.device):
            old = functional.cross_entropy(replica.get_submodule("source_head")(features), self.relation[step.labels])
        return loss + weight * old


def _features_of(features: Any, table: Any, images: TrainingImages) -> np.ndarray:
    """Read the pretrained network's features of the training images, (N, D).

    Args:
        features: a file of all images' features.
        table: a file that names the images in that order.
        images: the training images.
    """
    rows = pd.Index(pd.read_csv(table)["name"]).get_indexer(list(images.names))
    if (rows < 0).any():
        raise ValueError(
            f"{features} lacks features of {(rows < 0).sum()} of {len(rows)} training images; embed the images again"
        )
    return load_file(features)["features"][rows]
