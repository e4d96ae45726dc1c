"""Cut squares out of the pictures of a store: the central one, or one whose place depends on its keys alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from headstart.data.images import PixelStore


def centre_crop(pixels: np.ndarray, side: int) -> np.ndarray:
    """View the central square of a picture (height, width, 3), the window of torchvision's `CenterCrop`.

    Raises ValueError for a picture smaller than the square.

    >>> centre_crop(np.arange(5).reshape(1, 5, 1), 1).item()
    2
    """
    spare_rows, spare_columns = _spare(pixels, side)
    top, left = round(spare_rows / 2), round(spare_columns / 2)
    return pixels[top : top + side, left : left + side]


def random_crop(pixels: np.ndarray, side: int, seed: int, name: str, epoch: int) -> np.ndarray:
    """View a square of a picture (height, width, 3) at a place that depends on (seed, name, epoch) alone.

    Every place is equally likely. Raises ValueError for a picture smaller than the square.
    """
    spare_rows, spare_columns = _spare(pixels, side)
    # A hash is the same on every machine and under every version of NumPy, and costs a microsecond.
    key = hashlib.blake2b(f"{seed}/{epoch}/{name}".encode(), digest_size=16).digest()
    top = int.from_bytes(key[:8], "little") % (spare_rows + 1)
    left = int.from_bytes(key[8:], "little") % (spare_columns + 1)
    return pixels[top : top + side, left : left + side]


def crop_batch(
    store: PixelStore, names: Sequence[str], side: int, seed: int | None = None, epoch: int | None = None
) -> np.ndarray:
    """Stack one square per name, uint8 (N, side, side, 3): the central one, or with a seed a random one.

    Raises ValueError for an unknown name, a picture smaller than the square, or a seed without an epoch.
    """
    if (seed is None) != (epoch is None):
        raise ValueError(f"random crops need both a seed and an epoch, got seed {seed} and epoch {epoch}")
    batch = np.empty((len(names), side, side, 3), np.uint8)
    for row, name in zip(batch, names, strict=True):
        pixels = store.pixels(name)
        if seed is None or epoch is None:
            row[:] = centre_crop(pixels, side)
        else:
            row[:] = random_crop(pixels, side, seed, name, epoch)
    return batch


def _spare(pixels: np.ndarray, side: int) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    if min(height, width) < side:
        raise ValueError(
            f"cannot cut a square of side {side} out of a picture {height} high and {width} wide; "
            f"images.short_side must be at least images.crop"
        )
    return height - side, width - side
