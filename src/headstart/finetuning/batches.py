"""Draw the batches of a training run; everything random depends on its keys alone, never on a global generator.

Letters in shapes: N images, T target classes, D features of the last layer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from headstart.data.crops import crop_batch
from headstart.data.images import PixelStore
from headstart.data.splits import label, shots
from headstart.data.views import View
from headstart.machine.computing import send
from headstart.networks.embedding import normalise

Batch = tuple[Tensor, Tensor, Tensor | None]


@dataclass(frozen=True)
class TrainingImages:
    """The images of a run and what decides how they are drawn.

    Args:
        names: of the images in the store, N.
        labels: target class of each, (N,), in 0..T-1.
        view: how the network sees a picture; crops are cut at random.
        shots: images per class; a key of the order.
        batch: images per step; the last batch of an epoch may be smaller.
    """

    store: PixelStore
    names: Sequence[str]
    labels: np.ndarray
    view: View
    seed: int
    shots: int
    batch: int = 64


def chosen_images(stores: Sequence[str], split: str, targets: Sequence[str], view: View, **keys: int) -> TrainingImages:
    """Take the training images of a split.

    Args:
        stores: paths of the pixel stores.
        split: path of the table (columns wnid, name, part).
        targets: wnids, T, in the order of their labels.
        keys: seed, shots and batch, as of `TrainingImages`.
    """
    chosen = shots(pd.read_csv(split), keys["shots"])
    store = PixelStore([Path(path) for path in stores])
    return TrainingImages(store, list(chosen["name"]), label(chosen, targets), view, **keys)


def batch_order(images: int, seed: int, shots: int, epoch: int) -> np.ndarray:
    """Give the order of the images in an epoch, a permutation (N,) that depends on the arguments alone."""
    return _generator("order", seed, shots, epoch).permutation(images)


def drawn_in(images: TrainingImages, step: int) -> tuple[int, range]:
    """Give the epoch of a step, counted from 1, and the places in that epoch's order that it draws.

    The last batch of an epoch is smaller where the images do not come out even.
    """
    epoch, place = divmod(step - 1, -(-len(images.names) // images.batch))
    return epoch, range(len(images.names))[place * images.batch : (place + 1) * images.batch]


def rows_of_step(images: TrainingImages, step: int) -> np.ndarray:
    """Give which images a step, counted from 1, draws: places among `images.names`, (N,), as in the batch."""
    epoch, places = drawn_in(images, step)
    return batch_order(len(images.names), images.seed, images.shots, epoch)[places.start : places.stop]


def rows_drawn(images: TrainingImages, step: int) -> slice:
    """Give where the images of a step, counted from 1, lie among those of all steps, one step after the other."""
    epoch, places = drawn_in(images, step)
    before = epoch * len(images.names)
    return slice(before + places.start, before + places.stop)


def draw_batch(images: TrainingImages, step: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Give the network's input (N, 3, side, side) and the labels (N,) of a step, counted from 1."""
    (epoch, _), chosen = drawn_in(images, step), rows_of_step(images, step)
    crops = crop_batch(images.store, [images.names[i] for i in chosen], images.view.side, images.seed, epoch)
    labels = np.asarray(images.labels)[chosen].astype(np.int64)
    return normalise(crops, images.view, device), send(labels, device)


def draw_step(images: TrainingImages, features: int, dropout: float, device: torch.device, step: int) -> Batch:
    """Give all that a step draws: the network's input, the labels, and the factor of each feature or None."""
    inputs, labels = draw_batch(images, step, device)
    if dropout == 0:
        return inputs, labels, None
    return inputs, labels, send(dropout_mask(len(labels), features, dropout, images.seed, step).numpy(), device)


def dropout_mask(rows: int, features: int, probability: float, seed: int, step: int) -> Tensor:
    """Give the factor of each feature, (N, D): 0 with the probability, else 1 / (1 - probability).

    PAPER: says "dropout 0.75"; here it is the probability of dropping.

    >>> sorted(dropout_mask(1, 99, 0.75, seed=0, step=1).unique().tolist())
    [0.0, 4.0]
    """
    kept = _generator("dropout", seed, step).random((rows, features), dtype=np.float32) >= probability
    return torch.from_numpy(kept.astype(np.float32) / np.float32(1 - probability))


def _generator(*key: object) -> np.random.Generator:
    # A hash of the whole key: NumPy gives the seeds (1, 2) and (1, 2, 0) the same stream.
    digest = hashlib.blake2b("/".join(map(str, key)).encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))
