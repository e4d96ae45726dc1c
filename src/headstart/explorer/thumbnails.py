"""Small pictures of classes, as data URIs that a page can hold."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from headstart.data.crops import centre_crop
from headstart.data.images import PixelStore

SIDE = 96  # pixels
PER_TARGET = 6
QUALITY = 62


def thumbnail(pixels: np.ndarray, side: int = SIDE) -> str:
    """Return the central square of a picture (H, W, 3), at most `side` pixels wide, as the data URI of a WebP.

    >>> thumbnail(np.zeros((20, 30, 3), np.uint8))[:23]
    'data:image/webp;base64,'
    """
    square = Image.fromarray(centre_crop(pixels, min(pixels.shape[:2])))
    if square.width > side:
        square = square.resize((side, side), Image.Resampling.LANCZOS)
    packed = io.BytesIO()
    square.save(packed, "WEBP", quality=QUALITY, method=6)
    return "data:image/webp;base64," + base64.b64encode(packed.getvalue()).decode()


def picture_classes(
    store: PixelStore, targets: Sequence[str], sources: Sequence[str], budget: int
) -> dict[str, list[str]]:
    """Return wnid -> thumbnails: up to `PER_TARGET` of each target class and one of each source class.

    First comes one picture of every class, then a second one of every target, and so on, until `budget` is spent.

    Args:
        store: pictures named `<wnid>_<...>`.
        targets: wnids.
        sources: wnids, the most wanted first.
        budget: length of all data URIs together.
    """
    names: dict[str, list[str]] = {}
    for name in store.names:
        names.setdefault(name.split("_")[0], []).append(name)
    found: dict[str, list[str]] = {}
    spent = 0
    for wnid, name in _wanted(names, targets, sources):
        packed = thumbnail(store.pixels(name))
        spent += len(packed)
        if spent > budget:
            break
        found.setdefault(wnid, []).append(packed)
    return found


def _wanted(names: dict[str, list[str]], targets: Sequence[str], sources: Sequence[str]) -> Iterator[tuple[str, str]]:
    for place in range(PER_TARGET):
        for wnid in [*targets, *sources] if place == 0 else targets:
            if place < len(names.get(wnid, [])):
                yield wnid, names[wnid][place]
