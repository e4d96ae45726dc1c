"""Training beside the source task: a second batch of source images, whose gradient meets the target's.

Letters in shapes: S source classes, N images, P parameters that both tasks share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.data.images import PixelStore
from headstart.finetuning.batches import Batch, TrainingImages, draw_batch
from headstart.finetuning.replicas import Replica
from headstart.finetuning.settings import Training
from headstart.finetuning.strategies.finetune import FineTune, Passes, Step
from headstart.machine.computing import forward_in, in_float32
from headstart.machine.machines import Machine
from headstart.networks.backbones import Network
from headstart.networks.pretraining import class_indices


class BesideSource(FineTune):
    """Meet the gradient of the source task on the blocks that both tasks share; each head follows its own task.

    Source images are as many as target images, or a batch, and see no dropout. BatchNorm normalises each batch by
    itself, but its running statistics, by which target images are scored, are those of target images alone.
    """

    def begin(self, network: Network, machine: Machine, training: Training, images: TrainingImages) -> None:
        """Open the source images."""
        super().begin(network, machine, training, images)
        self.sources = source_images(self.files["sources"], self.files["classes"], images)

    def replica(self, weight: Any, bias: Any) -> Replica:
        """Build the trained part of one run, with the source head beside the new one."""
        replica = super().replica(weight, bias)
        replica.source_head = deepcopy(self.network.head).requires_grad_(True)
        return replica

    def share(self, step: int, batch: Batch) -> Step:
        """Pass a batch of source images through the trunk too, once for all replicas."""
        inputs, labels = draw_batch(self.sources, step, self.machine.device)
        further = Step(step, inputs, self.through_trunk(inputs), labels, None)
        return super().share(step, batch)._replace(further=further)

    def meet(self, source: Tensor, target: Tensor) -> Tensor:
        """Give the update of the shared blocks from both tasks' gradients, all (P,); the target's alone is plain."""
        return target

    def take_step(self, replica: Replica, optimiser: torch.optim.Optimizer, step: Step) -> Tensor:
        """Take one step with one run, and give its loss on the target images."""
        shared = list(replica.tail.parameters())
        optimiser.zero_grad()
        with kept_statistics(replica.tail):
            self.source_loss(replica, step.further).backward()
        source = taken(shared)
        with forward_in(step.inputs.device, self.machine.precision):
            loss = self.loss(replica, step)
        loss.backward()
        if shared:
            put(self.meet(source, flat([block.grad for block in shared])), shared)
        optimiser.step()
        return loss.detach()

    def source_loss(self, replica: Replica, step: Step) -> Tensor:
        """Give the cross-entropy of the source head on source images, a scalar."""
        with forward_in(step.inputs.device, self.machine.precision):
            features, _ = replica(step.outputs)
            with in_float32(features.device):
                return functional.cross_entropy(replica.get_submodule("source_head")(features), step.labels)

    @staticmethod
    def passes(options: Mapping[str, Any]) -> Passes:
        """Say what a training image costs: a source image goes with it all the way."""
        return Passes(trunk=2.0, training=2.0)


def source_images(stores: Sequence[Any], classes: Any, images: TrainingImages) -> TrainingImages:
    """Open the pictures of source classes, to be drawn and seen as the training images are.

    Args:
        stores: pixel stores, of pictures named `<wnid>_<k>`.
        classes: a table of all classes (wnid, role); source classes in the order of their wnids are the outputs of
            the source head.
        images: to train on.
    """
    table, store = pd.read_csv(classes, keep_default_na=False), PixelStore([Path(path) for path in stores])
    labels = class_indices(store.names, sorted(table.loc[table["role"] == "source", "wnid"]))
    beside = min(images.batch, len(images.names))
    return replace(images, store=store, names=store.names, labels=np.array(labels), batch=beside)


@contextmanager
def kept_statistics(module: nn.Module) -> Iterator[None]:
    """Put the buffers of a module back at the end to what they were."""
    kept = [(buffer, buffer.clone()) for buffer in module.buffers()]
    yield
    for buffer, value in kept:
        buffer.copy_(value)


def flat(gradients: Sequence[Tensor | None]) -> Tensor:
    """Lay gradients end to end, (P,)."""
    return torch.cat([gradient.reshape(-1) for gradient in gradients if gradient is not None])


def taken(parameters: Sequence[Tensor]) -> Tensor:
    """Take the gradients away from some parameters, laid end to end, (P,); empty where there are no parameters."""
    found = flat([parameter.grad for parameter in parameters]) if parameters else torch.empty(0)
    for parameter in parameters:
        parameter.grad = None
    return found


def put(update: Tensor, parameters: Sequence[Tensor]) -> None:
    """Give parameters the gradients that `flat` has laid end to end."""
    for parameter, part in zip(parameters, update.split([one.numel() for one in parameters]), strict=True):
        assert parameter.grad is not None
        parameter.grad.copy_(part.view(parameter.shape))
