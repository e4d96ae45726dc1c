"""Describe images by how strongly filters answer them: a histogram for each channel (Ge and Yu, 2017, 1702.08690).

Letters in shapes: N images, C channels of all banks, P places of an image, B bins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from headstart.data.crops import crop_batch
from headstart.data.images import PixelStore
from headstart.data.views import View
from headstart.jobs.files import replacing
from headstart.machine.machines import Machine, use_threads
from headstart.machine.prefetch import one_ahead
from headstart.networks.embedding import normalise

BINS = 100
# Of equal width, between the least and the largest answer; bins are made of whole cells, as the authors' code does.
CELLS = 2000
Answers = Callable[[Tensor], list[Tensor]]


class Histograms:
    """Histograms of the answers of some filters, in bins that hold as many of the target images' answers each.

    Args:
        filters: gives the answers of each bank to images (N, 3, H, W), each (N, C, P).
        view: how the network sees a picture; its central crop is described.
        machine: what computes.
        batch: images read at once.
    """

    def __init__(self, filters: Answers, view: View, machine: Machine, batch: int = 16) -> None:
        """Keep what all images are described by; bins are found by `fit`."""
        self.filters, self.view, self.machine, self.batch = filters, view, machine, batch
        self.channels: list[int] = []  # of each bank
        self.low: list[Tensor] = []  # least and largest answer of each channel, (C,)
        self.high: list[Tensor] = []
        self.bins: list[Tensor] = []  # of each cell, (C, CELLS)

    def fit(self, store: PixelStore, names: Sequence[str]) -> None:
        """Find bins of equal mass in two passes over images; ValueError without any."""
        if len(names) == 0:
            raise ValueError("got no image to find bins from; was the split empty?")
        self.low, self.high = [], []
        for banks in self._answers(store, names, "range"):
            self.low = _joined(torch.minimum, [answers.amin((0, 2)) for answers in banks], self.low)
            self.high = _joined(torch.maximum, [answers.amax((0, 2)) for answers in banks], self.high)
        self.channels = [len(low) for low in self.low]
        mass: list[Tensor] = []
        for banks in self._answers(store, names, "bins"):
            found = [counted(cells_of(*bank), CELLS).sum(0) for bank in zip(banks, self.low, self.high, strict=True)]
            mass = _joined(torch.add, found, mass)
        self.bins = [equal_bins(one) for one in mass]

    def ranges(self) -> dict[str, list[float]]:
        """Give the bank of each channel and its least and largest answer, as columns of a table."""
        banks = [bank for bank, count in enumerate(self.channels) for _ in range(count)]
        ends = {"low": self.low, "high": self.high}
        return {"bank": banks, **{name: torch.cat(values).cpu().tolist() for name, values in ends.items()}}

    def write(self, store: PixelStore, names: Sequence[str], path: Path) -> None:
        """Write the descriptors of images, an .npy file (N, C, B) of counts for np.load, each channel's sum its P."""
        with replacing(path) as partial:
            file, start = None, 0
            for banks in self._answers(store, names, Path(path).stem):
                part = self._described(banks)
                if file is None:
                    file = np.lib.format.open_memmap(partial, "w+", part.dtype, (len(names), *part.shape[1:]))
                file[start : start + len(part)] = part
                start += len(part)
            if file is None:
                raise ValueError(f"got no image to describe in {path}; are there pictures of source classes?")
            file.flush()

    def _described(self, banks: Sequence[Tensor]) -> np.ndarray:
        found = []
        for answers, low, high, bins in zip(banks, self.low, self.high, self.bins, strict=True):
            cells = cells_of(answers, low, high)
            found.append(counted(bins.expand(len(cells), -1, -1).gather(2, cells), BINS))
        most = max(answers.shape[2] for answers in banks)
        return torch.cat(found, 1).cpu().numpy().astype(np.min_scalar_type(most))

    def _answers(self, store: PixelStore, names: Sequence[str], title: str) -> Iterator[list[Tensor]]:
        """Yield the answers of each bank to each batch."""
        view, device = self.view, self.machine.device

        def draw(chosen: Sequence[str]) -> Tensor:
            return normalise(crop_batch(store, chosen, view.side), view, device)

        parts = (names[start : start + self.batch] for start in range(0, len(names), self.batch))
        progress = tqdm(total=len(names), desc=title, unit="image", mininterval=5)
        with progress, use_threads(self.machine.threads):
            for images in one_ahead(draw, parts, second_thread=device.type == "cuda"):
                with torch.inference_mode():
                    banks = self.filters(images)
                yield banks
                progress.update(len(images))


def cells_of(answers: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Give the cell of each answer (N, C, P), integers below CELLS; what lies outside goes to the end cells.

    Args:
        low, high: ends of the cells of each channel, (C,).
    """
    width = (high - low).clamp_min(torch.finfo(torch.float32).tiny)[:, None]
    return ((answers - low[:, None]) / width * CELLS).clamp(0, CELLS - 1).long()


def counted(places: Tensor, among: int) -> Tensor:
    """Count how often each integer below `among` comes in each row of (N, C, P), as (N, C, among).

    >>> counted(torch.tensor([[[0, 2, 2]]]), 4).tolist()
    [[[1, 0, 2, 0]]]
    """
    images, channels, _ = places.shape
    first = torch.arange(images * channels, device=places.device).view(images, channels, 1) * among
    return torch.bincount((places + first).flatten(), minlength=images * channels * among).view(images, channels, among)


def equal_bins(mass: Tensor) -> Tensor:
    """Give the bin of each cell, (C, CELLS) integers below BINS, so that all bins of a channel hold about as much.

    A cell goes where its middle lies; one that holds more than a bin leaves the next ones empty.

    Args:
        mass: of each cell, (C, CELLS).
    """
    until = mass.cumsum(1)
    middle = (2 * until - mass) * BINS // (2 * until[:, -1:])
    return middle.clamp_max(BINS - 1)


def _joined(how: Callable[[Tensor, Tensor], Tensor], new: list[Tensor], old: list[Tensor]) -> list[Tensor]:
    """Join what a batch says of each bank with what was known, if anything was."""
    return [how(one, other) for one, other in zip(new, old, strict=True)] if old else new
