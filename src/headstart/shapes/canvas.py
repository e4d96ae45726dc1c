"""Draw the parts of an outline as a small picture with ground, clutter and noise.

Everything random comes from the generator that is handed in, in a fixed order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from headstart.shapes.outlines import Part, Points, arc, regular, rotation

OVERSAMPLING = 3  # drawn that many times larger, then averaged, which smooths the edges
THINNEST = 1.2  # pixels of a line in the finished picture
BRIGHTNESS = (0.3, 0.6, 0.1)  # of red, green and blue, about as the eye weighs them

Colour = NDArray[np.float64]


def picture(parts: Sequence[Part], rng: Generator, side: int) -> Image.Image:
    """Draw `parts` on a ground among clutter.

    The short side of the picture has `side` to 4/3 `side` pixels, its long side up to 4/3 of the short one.
    """
    short = int(rng.integers(side, side * 4 // 3 + 1))
    long = int(rng.integers(short, short * 4 // 3 + 1))
    ground, inks = _colours(rng)
    canvas = _ground(ground, (short, long) if rng.random() < 0.5 else (long, short), rng)
    pen, scale = ImageDraw.Draw(canvas), float(short * OVERSAMPLING)
    _clutter(pen, ground, inks, scale, rng)
    middle = np.array(canvas.size) / 2 + rng.uniform(-0.07, 0.07, 2) * scale
    _draw(pen, parts, inks, middle, scale * rng.uniform(0.3, 0.43), rng)
    return _noisy(canvas.reduce(OVERSAMPLING), rng)


def _colours(rng: Generator) -> tuple[Colour, Colour]:
    """A ground (3,) and two inks (2, 3), the first clearly lighter or darker than the ground."""
    ground, inks = rng.uniform(0, 255, 3), rng.uniform(0, 255, (24, 3))
    inks = inks[np.argsort(-np.abs((inks - ground) @ BRIGHTNESS), kind="stable")]
    first = inks[rng.integers(0, 8)]
    second = 0.35 * first + 0.65 * ground if rng.random() < 0.5 else inks[rng.integers(8, 16)]
    return ground, np.stack((first, second))


def _ground(colour: Colour, size: tuple[int, int], rng: Generator) -> Image.Image:
    """A canvas of one colour with soft blotches, coarse or fine."""
    cells = int(rng.choice((2, 3, 6, 24)))
    blotches = colour + rng.normal(0, rng.uniform(4, 22), (cells, cells, 3))
    small = Image.fromarray(np.clip(blotches, 0, 255).astype(np.uint8))
    return small.resize((size[0] * OVERSAMPLING, size[1] * OVERSAMPLING), Image.Resampling.BILINEAR)


def _clutter(pen: ImageDraw.ImageDraw, ground: Colour, inks: Colour, scale: float, rng: Generator) -> None:
    """Scatter small figures and lines over the ground, paler than the inks."""
    for _ in range(int(rng.integers(0, 7))):
        ink = inks[rng.integers(2)]
        colour = _rgb(ground + rng.uniform(0.2, 0.75) * (ink - ground) + rng.normal(0, 20, 3))
        spot, turn = rng.uniform(0, 1, 2) * pen.im.size, rotation(rng.uniform(0, 360))
        if rng.random() < 0.4:
            ends = np.array(((0, 0), (rng.uniform(0.1, 0.5), 0))) * scale
            _line(pen, ends @ turn + spot, colour, scale * rng.uniform(0.006, 0.02))
        else:
            figure = arc(0, 360) if rng.random() < 0.4 else regular(int(rng.integers(3, 6)))
            pen.polygon(_flat(figure @ turn * scale * rng.uniform(0.02, 0.07) + spot), fill=colour)


def _draw(
    pen: ImageDraw.ImageDraw, parts: Sequence[Part], inks: Colour, middle: Points, radius: float, rng: Generator
) -> None:
    """Draw the parts in one style: filled, outlined or both."""
    style = rng.choice(("filled", "outlined", "both"), p=(0.45, 0.35, 0.2))
    line = max(radius * rng.uniform(0.06, 0.13), THINNEST * OVERSAMPLING)
    darker = inks[0].mean() < 128
    edge = _rgb(inks[0] * 0.6 + (0 if darker else 102) if style == "both" else inks[0])
    for part in parts:
        rings = [ring * radius + middle for ring in part.rings]
        colour = _rgb(inks[0] + part.tone * (inks[1] - inks[0]))
        if not part.filled:
            _line(pen, rings[0], colour, max(part.width * radius, THINNEST * OVERSAMPLING))
            continue
        if part.look != "free" or style != "outlined":
            # A border and its holes become one path, closed one after the other.
            pen.polygon(_flat(np.concatenate([np.concatenate((ring, ring[:1])) for ring in rings])), fill=colour)
        if part.look == "edged" or (part.look == "free" and style != "filled"):
            for ring in rings:
                _line(pen, np.concatenate((ring, ring[:2])), edge, line)


def _line(pen: ImageDraw.ImageDraw, points: Points, colour: tuple[int, int, int], width: float) -> None:
    pen.line(_flat(points), fill=colour, width=max(1, round(width)), joint="curve")


def _flat(points: Points) -> list[float]:
    return points.ravel().tolist()


def _rgb(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = np.clip(colour, 0, 255).astype(int).tolist()
    return red, green, blue


def _noisy(image: Image.Image, rng: Generator) -> Image.Image:
    """Grain as of a camera, the same in all channels, and another brightness."""
    pixels = np.asarray(image, np.float32) * np.float32(rng.uniform(0.8, 1.1))
    pixels += rng.standard_normal(pixels.shape[:2], np.float32)[..., None] * np.float32(rng.uniform(0, 16))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
