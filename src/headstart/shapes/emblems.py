"""Outlines of the demo's crosses, card pips and patterns; geometry as in `outlines`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from headstart.shapes.outlines import Part, arc, area, curve, regular, rotation


def barred_cross(bars: Sequence[tuple[float, float]], half: float, top: float = -1.0, bottom: float = 1.0) -> Part:
    """A vertical beam of the width 2 `half` with crossbars given as (height of the middle, half length)."""
    side: list[tuple[float, float]] = [(half, top)]
    for y, reach in bars:
        side += [(half, y - half), (reach, y - half), (reach, y + half), (half, y + half)]
    side.append((half, bottom))
    return area(side + [(-x, y) for x, y in side[::-1]])


def latin_cross(rng: Generator) -> list[Part]:
    """A beam and one crossbar above its middle."""
    return [barred_cross([(rng.uniform(-0.48, -0.36), rng.uniform(0.52, 0.66))], rng.uniform(0.1, 0.2))]


def greek_cross(rng: Generator) -> list[Part]:
    """Four arms of one length."""
    return [barred_cross([(0, 1)], rng.uniform(0.15, 0.34))]


def saltire(rng: Generator) -> list[Part]:
    """Two diagonal bars."""
    return [area(barred_cross([(0, 1)], rng.uniform(0.12, 0.22)).rings[0] @ rotation(45) * 1.1)]


def maltese_cross(rng: Generator) -> list[Part]:
    """Four arms that widen outwards and end in two points each."""
    near, far, notch = rng.uniform(0.05, 0.1), rng.uniform(0.42, 0.55), rng.uniform(0.68, 0.8)
    arm = np.array([(near, -near), (far, -1), (0, -notch), (-far, -1), (-near, -near)])
    return [area(np.concatenate([arm @ rotation(-90 * k) for k in range(4)]))]


def celtic_cross(rng: Generator) -> list[Part]:
    """A Latin cross with a ring about its crossing."""
    middle, radius = rng.uniform(-0.4, -0.3), rng.uniform(0.42, 0.5)
    halo = area(arc(0, 360, radius, (0, middle)), arc(0, 360, radius * 0.68, (0, middle)), tone=0.5, look="flat")
    return [halo, barred_cross([(middle, rng.uniform(0.58, 0.66))], rng.uniform(0.09, 0.13))]


def lorraine_cross(rng: Generator) -> list[Part]:
    """Two crossbars, one above and one below the middle, the lower one longer."""
    return [barred_cross([(-0.5, rng.uniform(0.38, 0.46)), (rng.uniform(0.2, 0.45), 0.68)], rng.uniform(0.08, 0.13))]


def patriarchal_cross(rng: Generator) -> list[Part]:
    """Two crossbars in the upper half, the upper one shorter."""
    return [barred_cross([(-0.65, rng.uniform(0.3, 0.4)), (rng.uniform(-0.25, -0.15), 0.64)], rng.uniform(0.08, 0.13))]


def tau_cross(rng: Generator) -> list[Part]:
    """The letter T."""
    half = rng.uniform(0.12, 0.2)
    return [barred_cross([(half - 1, rng.uniform(0.7, 0.85))], half)]


def heart(rng: Generator) -> list[Part]:
    """The pip of a card: two lobes and a tip."""
    lobe = arc(180, 382, 0.47, (-0.47, -0.35))
    tip = np.array([(0.0, 0.95)])
    return [area(np.concatenate((tip, lobe, (lobe * (-1, 1))[::-1])))]


def _stem(rng: Generator) -> Part:
    foot = rng.uniform(0.2, 0.36)
    return area([(-0.05, 0.1), (-0.09, 0.6), (-foot, 0.98), (foot, 0.98), (0.09, 0.6), (0.05, 0.1)])


def spade(rng: Generator) -> list[Part]:
    """The pip of a card: a leaf on a stem."""
    leaf = heart(rng)[0].rings[0] * (1, -0.85) + (0, -0.13)
    return [_stem(rng), area(leaf)]


def club(rng: Generator) -> list[Part]:
    """The pip of a card: three leaves on a stem."""
    leaf = rng.uniform(0.38, 0.44)
    leaves = [area(arc(0, 360, leaf, spot)) for spot in ((0, -0.52), (-0.47, 0.14), (0.47, 0.14))]
    return [_stem(rng), *leaves, area(arc(0, 360, 0.2, (0, -0.05)))]


def diamond(rng: Generator) -> list[Part]:
    """The pip of the card: like a rhombus with hollow sides."""
    side = rng.uniform(0.62, 0.72)
    quarter = np.array([(0, -1), (side * 0.42, -0.42), (side, 0)])
    half = np.concatenate((quarter, (quarter * (1, -1))[1::-1]))
    return [area(np.concatenate((half, (half * (-1, 1))[-2:0:-1])))]


def _rectangle(x: float, y: float, width: float, height: float, tone: float) -> Part:
    return area([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], tone=tone, look="flat")


def checkerboard(rng: Generator) -> list[Part]:
    """Squares of two tones in turn."""
    count = int(rng.integers(4, 9))
    step = 2 / count
    cells = [(i, j) for i in range(count) for j in range(count) if (i + j) % 2]
    return [_rectangle(-1, -1, 2, 2, 1.0)] + [_rectangle(i * step - 1, j * step - 1, step, step, 0.0) for i, j in cells]


def polka_dot(rng: Generator) -> list[Part]:
    """Regular spots."""
    count, offset = int(rng.integers(4, 7)), rng.random() < 0.7
    step = 2 / count
    radius = step * rng.uniform(0.22, 0.34)
    places = [(i + 0.5 * offset * (j % 2), j) for i in range(count) for j in range(count)]
    spots = [((x + 0.5) * step - 1, (y + 0.5) * step - 1) for x, y in places]
    dots = [area(arc(0, 360, radius, spot), look="flat") for spot in spots]
    return [_rectangle(-1, -1, 2, 2, 1.0), *dots]


def tartan(rng: Generator) -> list[Part]:
    """Bands and thin lines that cross at right angles, darker where they meet."""
    count, thick = int(rng.integers(2, 4)), rng.uniform(0.3, 0.5)
    starts = [(k + 0.5 - thick / 2) * 2 / count - 1 for k in range(count)]
    wide = thick * 2 / count
    bands = [_rectangle(x, -1, wide, 2, 0.5) for x in starts] + [_rectangle(-1, y, 2, wide, 0.5) for y in starts]
    knots = [_rectangle(x, y, wide, wide, 0.0) for x in starts for y in starts]
    lines = [x - wide * 0.55 for x in starts[1:]] + [x + wide * 0.5 for x in starts]
    threads = [curve([(x, -1), (x, 1)], 0.03) for x in lines] + [curve([(-1, y), (1, y)], 0.03) for y in lines]
    return [_rectangle(-1, -1, 2, 2, 1.0), *bands, *knots, *threads]


def herringbone(rng: Generator) -> list[Part]:
    """Columns of short parallel lines that slope one way, then the other."""
    columns, rows = int(rng.integers(4, 7)), int(rng.integers(6, 10))
    wide, high = 2 / columns, 2 / rows
    slope, width = rng.uniform(0.7, 1.1) * wide, high * rng.uniform(0.3, 0.5)
    lines = []
    for i in range(columns):
        left, right = (i + 0.06) * wide - 1, (i + 0.94) * wide - 1
        rise = slope / 2 if i % 2 else -slope / 2
        for y in (np.arange(rows) + 0.5) * high - 1:
            lines.append(curve([(left, y + rise), (right, y - rise)], width))
    return lines


def grid(rng: Generator) -> list[Part]:
    """Regular lines across and down."""
    places = np.linspace(-1, 1, int(rng.integers(5, 9)))
    width = rng.uniform(0.03, 0.07)
    return [curve([(x, -1), (x, 1)], width) for x in places] + [curve([(-1, y), (1, y)], width) for y in places]


def honeycomb(rng: Generator) -> list[Part]:
    """Six-sided cells wall to wall."""
    radius, width = rng.uniform(0.24, 0.36), rng.uniform(0.04, 0.08)
    cell, fill = regular(6)[[0, 1, 2, 3, 4, 5, 0]] * radius, rng.random() < 0.4
    reach = int(np.ceil(1 / radius))
    parts = []
    for j in range(-reach, reach + 1):
        for i in range(-reach, reach + 1):
            middle = np.array(((i + (j % 2) / 2) * np.sqrt(3) * radius, j * 1.5 * radius))
            if np.abs(middle).max() < 1 - radius / 2:
                parts += [area(cell + middle, tone=0.8, look="flat")] if fill else []
                parts.append(curve(cell + middle, width))
    return parts
