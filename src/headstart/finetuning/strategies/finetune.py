"""Plain fine-tuning: nothing but the error on the target images (the paper's way).

Letters in shapes: N images, T target classes, D features of the last layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.finetuning.batches import Batch, TrainingImages
from headstart.finetuning.kept import KeptBatches
from headstart.finetuning.replicas import Replica
from headstart.finetuning.settings import Training
from headstart.machine.computing import forward_in
from headstart.machine.machines import Machine
from headstart.networks.backbones import Network, cut
from headstart.networks.embedding import frozen_pass


class Passes(NamedTuple):
    """What a strategy costs for each training image, in passes of each part of the network."""

    trunk: float = 1.0  # forward, shared by all replicas of a job
    forward: float = 0.0  # of the tail without gradients, for each replica
    training: float = 1.0  # of tail and head, forward and backward, for each replica
    shared: float = 0.0  # of the tail without gradients, shared by all replicas, as by a teacher


class Step(NamedTuple):
    """What all replicas of a step share.

    Args:
        number: of the step, from 1.
        inputs: of the network, (N, 3, H, W).
        outputs: of the trunk for them.
        labels: target classes, (N,) integers below T.
        mask: factor of each feature before the head, (N, D), or None without dropout.
        further: whatever else the strategy wants of a step, such as a teacher's features.
    """

    number: int
    inputs: Tensor
    outputs: Tensor
    labels: Tensor
    mask: Tensor | None
    further: Any = None


class FineTune:
    """Plain fine-tuning, and the defaults of every other strategy, which overrides what it does differently.

    One object serves all replicas of a job, so it keeps nothing of any run: what a run has to remember are parameters
    and buffers of its replica, which are saved and resumed with it.

    On a GPU a step is recorded once and then repeated (finetuning.steps), if the class itself says `recorded = True`:
    `loss` and `take_step` do the same work at each step, whatever its number and the values of its tensors, `enter`
    changes nothing but what is held, and the optimiser is a fused one whose learning rate stays.

    Args:
        options: of the strategy, all of them, as the vocabulary declares them.
        files: what its rules made for it, by name.
    """

    recorded = True

    def __init_subclass__(cls) -> None:
        """Take nothing for granted of a class that does something differently: a wrong recording tells nobody."""
        cls.recorded = cls.__dict__.get("recorded", False)

    def __init__(self, options: Mapping[str, Any], files: Mapping[str, Any] | None = None) -> None:
        """Keep the options; nothing is read or built before the network is there."""
        self.options = options
        self.files = files or {}
        self.network: Network
        self.machine: Machine
        self.training: Training
        self.images: TrainingImages
        self.kept: KeptBatches | None = None

    def cut(self, model: nn.Module, trained_from: str, side: int = 96) -> Network:
        """Cut the pretrained model for images of a side; one that alters it first (blur, other blocks) does so here.

        It works on a copy then.
        """
        return cut(model, trained_from, side)

    def begin(self, network: Network, machine: Machine, training: Training, images: TrainingImages) -> None:
        """Take what all runs share; a teacher, a second head's first values or further images are made ready here.

        Args:
            network: in eval mode on its device.
            machine: what computes.
            training: the budget.
            images: to train on; further ones are drawn by the same seed and seen by the same view.
        """
        self.network, self.machine, self.training, self.images = network, machine, training, images
        if "batches" in self.files:
            self.kept = KeptBatches(self.files["batches"], images, training.steps)

    def replica(self, weight: Any, bias: Any) -> Replica:
        """Build the trained part of one run from its head, (T, D) and (T,); parts added to it are trained with it."""
        return Replica(self.network.tail, weight, bias, self.training.batch_norm)

    def optimiser(self, replica: Replica) -> torch.optim.Optimizer:
        """Build the optimiser of one run: Adam over everything trained."""
        training = self.training
        betas = (training.betas[0], training.betas[1])
        return torch.optim.Adam(
            replica.parameters(), fused=True, lr=training.learning_rate, betas=betas, eps=training.eps
        )

    def enter(self, replica: Replica, step: int) -> None:
        """Set what is trained and held from this step on; called before each, so it depends on the step alone."""

    def share(self, step: int, batch: Batch) -> Step:
        """Do once, without gradients, what all replicas of a step share: the pass through the trunk."""
        inputs, labels, mask = batch
        outputs = self.kept.of(step, self.machine) if self.kept else self.through_trunk(inputs)
        return Step(step, inputs, outputs, labels, mask)

    def share_all(self, batches: Sequence[tuple[int, Batch]]) -> Iterable[Step]:
        """Do the same for several steps, whose images pass the trunk together; step by step where more is shared."""
        if self.kept or len(batches) == 1 or type(self).share is not FineTune.share:
            return (self.share(number, batch) for number, batch in batches)
        together = self.through_trunk(torch.cat([inputs for _, (inputs, _, _) in batches]))
        outputs = together.split([len(inputs) for _, (inputs, _, _) in batches])
        return [
            Step(number, inputs, output, labels, mask)
            for (number, (inputs, labels, mask)), output in zip(batches, outputs, strict=True)
        ]

    def through_trunk(self, inputs: Tensor) -> Tensor:
        """Give the trunk's output for images (N, 3, side, side), without gradients."""
        with torch.no_grad(), forward_in(inputs.device, self.machine.precision):
            return frozen_pass(self.network.trunk, inputs, self.machine.at_once)

    def loss(self, replica: Replica, step: Step) -> Tensor:
        """Give the loss of one run on a step, a scalar: the cross-entropy."""
        _, logits = replica(step.outputs, step.mask)
        return functional.cross_entropy(logits, step.labels)

    def take_step(self, replica: Replica, optimiser: torch.optim.Optimizer, step: Step) -> Tensor:
        """Take one step with one run, and give its loss; a strategy with a backward pass of its own overrides this."""
        with forward_in(step.inputs.device, self.machine.precision):
            loss = self.loss(replica, step)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.detach()

    @staticmethod
    def passes(options: Mapping[str, Any]) -> Passes:
        """Say what a training image costs; plans and counts of FLOP rest on it."""
        return Passes()
