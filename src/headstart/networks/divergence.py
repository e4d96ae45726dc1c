"""How far histograms are from each other, and which are nearest (Ge and Yu, 2017, 1702.08690).

Letters in shapes: N images, S source images, C channels, B bins, K neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

# Inside the logarithms, as in the authors' code: that of double precision.
EPSILON = 2.2e-16
# Images whose descriptors are held at once, in double precision.
TARGETS, SOURCES = 256, 1024


def channel_weights(channels: Sequence[int]) -> np.ndarray:
    """Give the weight of each channel, (C,): all banks count as much, and all channels of a bank; their sum is 1.

    >>> channel_weights([1, 2]).tolist()
    [0.5, 0.25, 0.25]
    """
    return np.concatenate([np.full(count, 1 / (len(channels) * count)) for count in channels])


class Side:
    """One side of divergences: histograms as shares, weighted, and their logarithms, (N, C * B) each.

    Args:
        counts: histograms, (N, C, B).
        weights: of the channels, (C,).
    """

    def __init__(self, counts: np.ndarray, weights: Tensor) -> None:
        """Compute both in double precision."""
        given = torch.from_numpy(np.array(counts)).to(weights.device, torch.float64)
        shares = given / given.sum(2, keepdim=True)
        self.logs = (shares + EPSILON).log().flatten(1)
        self.shares = (shares * weights[:, None] / 2).flatten(1)
        self.own = (self.shares * self.logs).sum(1)


def divergences(targets: Side, sources: Side) -> Tensor:
    """Give the weighted sum over channels of the symmetrised Kullback-Leibler divergences, (N, S), as two products.

    Of shares p and q, (p log(p/q) + q log(q/p)) / 2 is half of p log p + q log q - p log q - q log p.
    """
    crossed = targets.shares @ sources.logs.T + targets.logs @ sources.shares.T
    return targets.own[:, None] + sources.own[None] - crossed


def nearest(
    targets: np.ndarray, sources: np.ndarray, channels: Sequence[int], most: int, device: torch.device
) -> np.ndarray:
    """Give the K nearest sources of each target, the nearest first and of equal ones the first, int32 (N, K).

    Args:
        targets, sources: histograms, (N, C, B) and (S, C, B), in memory or mapped from a file.
        channels: of each bank.
        most: neighbours wanted; K is S where there are fewer sources.

    Raises:
        ValueError: histograms of other channels than these.
    """
    if not targets.shape[1:] == sources.shape[1:] or targets.shape[1] != sum(channels):
        raise ValueError(
            f"expected histograms of {sum(channels)} channels, got {targets.shape[1:]} of targets and "
            f"{sources.shape[1:]} of sources; describe all images again"
        )
    device = torch.device("cpu") if device.type == "mps" else device  # which has no double precision
    weights = torch.from_numpy(channel_weights(channels)).to(device)
    kept = min(most, len(sources))
    near = torch.full((len(targets), 0), 0.0, dtype=torch.float64), torch.full((len(targets), 0), 0, dtype=torch.int32)
    for start in tqdm(range(0, len(sources), SOURCES), desc="nearest", unit="block", mininterval=5):
        block = Side(sources[start : start + SOURCES], weights)
        found = [
            _merged(near[0][rows], near[1][rows], divergences(Side(targets[rows], weights), block), start, kept)
            for rows in (slice(first, first + TARGETS) for first in range(0, len(targets), TARGETS))
        ]
        near = torch.cat([one for one, _ in found]), torch.cat([one for _, one in found])
    return near[1].numpy()


def _merged(distances: Tensor, places: Tensor, further: Tensor, start: int, kept: int) -> tuple[Tensor, Tensor]:
    """Keep the nearest of those so far and a block of further sources, which begins at `start`."""
    new = torch.arange(start, start + further.shape[1], dtype=torch.int32).expand(len(further), -1)
    both, order = torch.cat([distances.to(further.device), further], 1).sort(dim=1, stable=True)
    order = order[:, :kept].cpu()
    return both[:, :kept].cpu(), torch.cat([places, new], 1).gather(1, order)
