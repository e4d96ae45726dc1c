"""Pictures that a network of a few weights can tell apart: a class is a colour under much noise."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def write_noise(folder: Path, classes: Sequence[str], sizes: Sequence[tuple[int, int]], noise: int) -> None:
    """Write <class>_<k>.png of every size (height, width), with noise below a limit and the class's channel raised."""
    generator = np.random.default_rng(0)
    for number, wnid in enumerate(classes):
        for picture, size in enumerate(sizes):
            pixels = generator.integers(0, noise, (*size, 3), dtype=np.uint8)
            pixels[..., number] += 250 - noise
            Image.fromarray(pixels).save(folder / f"{wnid}_{picture}.png")
