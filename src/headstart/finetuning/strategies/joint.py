"""Selective joint fine-tuning: source images that look like the target's train beside them (Ge and Yu, 1702.08690).

Letters in shapes: N training images, M images of a batch, T target classes, S source images, K neighbours.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from headstart.data.crops import crop_batch
from headstart.finetuning.batches import Batch, TrainingImages, rows_of_step
from headstart.finetuning.replicas import Replica, as_input
from headstart.finetuning.rounds import UNSURE, WRONG, turns
from headstart.finetuning.settings import Training
from headstart.finetuning.strategies.beside import BesideSource, kept_statistics
from headstart.finetuning.strategies.finetune import FineTune, Passes, Step
from headstart.machine.computing import forward_in, send
from headstart.machine.machines import Machine
from headstart.networks.backbones import Network
from headstart.networks.embedding import normalise


@dataclass
class Company:
    """The source images that go with the target images of a step.

    Args:
        rows: of the target images among the training images, (M,).
        passed: reach -> the step's source images where every target image has that reach, once they are needed. A
            whole batch passes for each reach, so that no run's bits depend on the runs beside it.
    """

    rows: np.ndarray
    passed: dict[int, Step] = field(default_factory=dict)


class Joint(BesideSource):
    """Train on both errors at once; each target image brings a source image that is drawn within its reach.

    The reach of an image, a number of source images, is a buffer of the replica. It grows from round to round where
    the image is misjudged or judged unsurely, as last seen in the round, without dropout.
    """

    def begin(self, network: Network, machine: Machine, training: Training, images: TrainingImages) -> None:
        """Open the source images and each training image's nearest ones."""
        super().begin(network, machine, training, images)
        self.turns = turns(training.steps, self.options["rounds"])
        self.nearest = np.load(self.files["nearest"], mmap_mode="r")
        self.rows = _rows_of(pd.read_csv(self.files["described"]), images.names, self.sources.names)
        self.pool = POOLS[self.options["pool"]](self)

    def replica(self, weight: Any, bias: Any) -> Replica:
        """Build the trained part of one run, with the source head, and what is known of each training image."""
        replica = super().replica(weight, bias)
        first = torch.full((len(self.rows),), self.options["neighbours"]).clamp_max(self.nearest.shape[1])
        replica.register_buffer("neighbours", first)
        replica.register_buffer("added", torch.zeros_like(first))  # by the end of the round, in first neighbours
        return replica

    def share(self, step: int, batch: Batch) -> Step:
        """Pass the target images; source images follow when it is known how far each target image reaches."""
        return FineTune.share(self, step, batch)._replace(further=Company(rows_of_step(self.images, step)))

    def take_step(self, replica: Replica, optimiser: torch.optim.Optimizer, step: Step) -> Tensor:
        """Take one step with one run, and give its loss on the target images; with weight 0 a plain one."""
        weight = self.options["weight"]
        optimiser.zero_grad()
        if weight:
            with kept_statistics(replica.tail):
                (weight * self.source_loss(replica, self.beside(replica, step))).backward()
        with forward_in(step.inputs.device, self.machine.precision):
            loss = self.loss(replica, step)
        ((1 - weight) * loss).backward()
        optimiser.step()
        if step.number in self.turns:
            self.widen(replica)
        return loss.detach()

    def loss(self, replica: Replica, step: Step) -> Tensor:
        """Give the cross-entropy of the target images, and note which of them are misjudged or judged unsurely."""
        features, logits = replica(step.outputs, step.mask)
        with torch.no_grad():
            found = verdicts(replica.classify(features), step.labels, self.options["entropy"])
            replica.get_buffer("added")[torch.from_numpy(step.further.rows).to(found.device)] = found
        return functional.cross_entropy(logits, step.labels)

    def widen(self, replica: Replica) -> None:
        """End a round: add neighbours to the training images that need them."""
        wanted, added = replica.get_buffer("neighbours"), replica.get_buffer("added")
        wanted.add_(self.options["neighbours"] * added).clamp_(max=self.nearest.shape[1])

    def beside(self, replica: Replica, step: Step) -> Step:
        """Give the source images of a run's step, one for each target image, as they came through the trunk."""
        company = step.further
        reach = self.pool.reach(replica.get_buffer("neighbours").cpu().numpy())[company.rows]
        for one in map(int, np.unique(reach)):
            if one not in company.passed:
                company.passed[one] = self._pass(step, company.rows, one)
        passed = [company.passed[int(one)] for one in reach]
        if len(np.unique(reach)) == 1:
            return passed[0]
        stacked = torch.stack([part.outputs[place] for place, part in enumerate(passed)])
        labels = torch.stack([part.labels[place] for place, part in enumerate(passed)])
        outputs = as_input(stacked, stacked.device)
        return step._replace(outputs=outputs, labels=labels, mask=None, further=None)

    def _pass(self, step: Step, rows: np.ndarray, reach: int) -> Step:
        """Draw a source image for each target image within one reach, and pass them all through the trunk."""
        images, sources, device = self.images, self.sources, self.machine.device
        places = [drawn(images.seed, step.number, images.names[row], reach) for row in rows]
        chosen = [self.pool.source(row, place) for row, place in zip(rows, places, strict=True)]
        names = [sources.names[source] for source in chosen]
        crops = crop_batch(sources.store, names, images.view.side, images.seed, step.number)
        labels = send(np.asarray(sources.labels)[chosen].astype(np.int64), device)
        inputs = normalise(crops, images.view, device)
        return Step(step.number, inputs, self.through_trunk(inputs), labels, None)

    @staticmethod
    def passes(options: Mapping[str, Any]) -> Passes:
        """Say what a training image costs at most: a source image for each reach that there can be in a round.

        There is one in the first round, three in the second, five in the third: in the mean as many as rounds.
        """
        adaptive = options["pool"] == "selected"
        return Passes(trunk=1.0 + (options["rounds"] if adaptive else 1.0), training=2.0)


class Selected:
    """Each target image reaches its own nearest source images."""

    def __init__(self, strategy: Joint) -> None:
        """Take the neighbours of the training images."""
        self.strategy = strategy

    def reach(self, neighbours: np.ndarray) -> np.ndarray:
        """Give how many source images each training image may draw from, (N,), from its number of neighbours."""
        return neighbours

    def source(self, row: int, place: int) -> int:
        """Give the source image at a place within the reach of a training image."""
        return int(self.strategy.nearest[self.strategy.rows[row], place])


class Everything(Selected):
    """Every target image reaches all source images."""

    def reach(self, neighbours: np.ndarray) -> np.ndarray:
        """Give the number of source images, (N,)."""
        return np.full(len(neighbours), len(self.strategy.sources.names))

    def source(self, row: int, place: int) -> int:
        """Give the source image at this place."""
        return place


class AtRandom(Everything):
    """Every target image reaches the same source images: as many as are selected at first, but drawn at random."""

    def __init__(self, strategy: Joint) -> None:
        """Draw their order by the seed."""
        super().__init__(strategy)
        names, seed = strategy.sources.names, strategy.images.seed
        keys = [hashlib.blake2b(f"pool/{seed}/{name}".encode()).digest() for name in names]
        self.order = sorted(range(len(names)), key=keys.__getitem__)
        first = strategy.nearest[strategy.rows, : strategy.options["neighbours"]]
        self.size = len(np.unique(first))

    def reach(self, neighbours: np.ndarray) -> np.ndarray:
        """Give the number of different source images among the first neighbours of all training images, (N,)."""
        return np.full(len(neighbours), self.size)

    def source(self, row: int, place: int) -> int:
        """Give the source image at this place of the order."""
        return self.order[place]


POOLS = {"selected": Selected, "random": AtRandom, "all": Everything}


def verdicts(logits: Tensor, labels: Tensor, entropy: float) -> Tensor:
    """Give how many times the first neighbours each image needs besides: WRONG, UNSURE or none, (M,) integers.

    Args:
        logits: (M, T), of images as they are judged.
        labels: their classes, (M,).
        entropy: of the classes' probabilities above which an image is judged unsurely, a share of the largest, ln T.

    >>> verdicts(torch.tensor([[9.0, 0.0], [0.1, 0.0], [9.0, 0.0]]), torch.tensor([0, 0, 1]), 0.5).tolist()
    [0, 2, 4]
    """
    logs = functional.log_softmax(logits, 1)
    unsure = -(logs.exp() * logs).sum(1) > entropy * math.log(logits.shape[1])
    return torch.where(logits.argmax(1) != labels, WRONG, torch.where(unsure, UNSURE, 0))


def drawn(seed: int, step: int, name: str, reach: int) -> int:
    """Draw a place below `reach`; the same fraction of it for the same seed, step and target image.

    >>> drawn(0, 7, "n1_2.JPEG", 10) == drawn(0, 7, "n1_2.JPEG", 30) // 3
    True
    """
    key = hashlib.blake2b(f"beside/{seed}/{step}/{name}".encode(), digest_size=8).digest()
    return int.from_bytes(key, "little") * reach >> 64


def _rows_of(described: pd.DataFrame, targets: Sequence[str], sources: Sequence[str]) -> np.ndarray:
    """Give the rows of training images among the described ones; the source images must be those described."""
    parts = {role: list(rows["name"]) for role, rows in described.groupby("role")}
    rows = pd.Index(parts.get("target", [])).get_indexer(list(targets))
    if (rows < 0).any() or parts.get("source") != list(sources):
        raise ValueError(
            f"{(rows < 0).sum()} of {len(rows)} training images were not described, or the source images are others "
            "than those described; describe the images again"
        )
    return rows
