"""Outlines of the demo's plane figures and curves as plain geometry, without colours or pixels.

Points are float arrays (n, 2) of (x, y) in the box [-1, 1] x [-1, 1], y pointing down. Every outline is a
function of a generator and gives its parts from back to front; two calls differ in their proportions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]


class Part(NamedTuple):
    """An area (closed rings: its border, then its holes) or, not filled, an open curve.

    tone runs from 0, the first ink, to 1, the second ink; width is that of a curve's line in box units. look says
    how an area may be drawn: "free" (filled, outlined or both), "flat" (filled only), "edged" (both).
    """

    rings: tuple[Points, ...]
    filled: bool = True
    tone: float = 0.0
    width: float = 0.1
    look: str = "free"


Outline = Callable[[Generator], list[Part]]


def area(border: ArrayLike, *holes: ArrayLike, tone: float = 0.0, look: str = "free") -> Part:
    """A filled part bounded by `border`, without its `holes`."""
    return Part(tuple(np.asarray(ring, float) for ring in (border, *holes)), tone=tone, look=look)


def curve(points: ArrayLike, width: float = 0.1, tone: float = 0.0) -> Part:
    """A part that is a line through `points`."""
    return Part((np.asarray(points, float),), False, tone, width)


def polar(degrees: ArrayLike, radius: ArrayLike = 1.0) -> Points:
    """Points at the angles `degrees`, counted clockwise from the right as y points down.

    >>> polar([0, 90], [1, 2]).round(6).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    angle = np.radians(np.asarray(degrees, float))
    return np.asarray(radius, float)[..., None] * np.stack((np.cos(angle), np.sin(angle)), axis=-1)


def arc(start: float, stop: float, size: ArrayLike = 1.0, centre: ArrayLike = (0.0, 0.0)) -> Points:
    """Points of an ellipse from one angle to another; `size` is its radius or its two half axes."""
    points = polar(np.linspace(start, stop, max(3, round(abs(stop - start) / 9) + 1)))
    return points * np.asarray(size, float) + np.asarray(centre, float)


def fitted(points: ArrayLike) -> Points:
    """The points moved and scaled to fill the unit circle about the middle of their extent.

    >>> fitted([(0, 0), (6, 0), (6, 8), (0, 8)]).round(3).tolist()
    [[-0.6, -0.8], [0.6, -0.8], [0.6, 0.8], [-0.6, 0.8]]
    """
    points = np.asarray(points, float)
    points = points - (points.min(axis=0) + points.max(axis=0)) / 2
    return points / np.linalg.norm(points, axis=1).max()


def rotation(degrees: float) -> Points:
    """The matrix (2, 2) that turns points (n, 2), multiplied from the left, clockwise as y points down.

    >>> (np.array([[1, 0]]) @ rotation(90)).round(6).tolist()
    [[0.0, 1.0]]
    """
    return polar([degrees, degrees + 90])


def regular(sides: int) -> Points:
    """Corners of a regular polygon, the first one on top."""
    return polar(np.arange(sides) * 360 / sides - 90)


def regular_polygon(sides: int) -> Outline:
    """The outline of a regular polygon."""
    return lambda rng: [area(regular(sides))]


def _triangle(left: float, right: float) -> list[Part]:
    """A triangle with the two given angles, in degrees, at its base."""
    a, b = np.tan(np.radians((left, right)))
    return [area(fitted([(0, 0), (1, 0), (b / (a + b), -a * b / (a + b))]))]


def _mirrored(parts: list[Part], rng: Generator) -> list[Part]:
    side = (rng.choice((-1.0, 1.0)), 1.0)
    return [part._replace(rings=tuple(ring * side for ring in part.rings)) for part in parts]


def right_triangle(rng: Generator) -> list[Part]:
    """One right angle, and legs of different lengths."""
    return _mirrored(_triangle(89.999, rng.uniform(26, 38)), rng)


def obtuse_triangle(rng: Generator) -> list[Part]:
    """One angle well above a right one."""
    return _mirrored(_triangle(rng.uniform(116, 134), rng.uniform(18, 26)), rng)


def isosceles_triangle(rng: Generator) -> list[Part]:
    """Two equal sides, longer than the third."""
    angle = rng.uniform(69, 77)
    return _triangle(angle, angle)


def scalene_triangle(rng: Generator) -> list[Part]:
    """Three acute, different angles."""
    return _mirrored(_triangle(rng.uniform(74, 80), rng.uniform(38, 46)), rng)


def square(rng: Generator) -> list[Part]:
    """Four equal sides and right angles."""
    return [area(regular(4))]


def rectangle(rng: Generator) -> list[Part]:
    """Right angles, clearly longer than wide."""
    width = rng.uniform(1.6, 2.4)
    return [area(fitted([(0, 0), (width, 0), (width, 1), (0, 1)]))]


def rhombus(rng: Generator) -> list[Part]:
    """Four equal sides, far from right angles."""
    half = rng.uniform(0.4, 0.62)
    return [area([(-half, 0), (0, -1), (half, 0), (0, 1)])]


def parallelogram(rng: Generator) -> list[Part]:
    """Two pairs of parallel sides, slanting."""
    width, slant = rng.uniform(1.5, 2.1), rng.uniform(0.5, 0.85)
    return _mirrored([area(fitted([(0, 0), (width, 0), (width + slant, 1), (slant, 1)]))], rng)


def trapezoid(rng: Generator) -> list[Part]:
    """One pair of parallel sides."""
    top, height = rng.uniform(0.4, 0.6), rng.uniform(0.5, 0.75)
    start = (1 - top) * rng.uniform(0.25, 0.75)
    return [area(fitted([(start, 0), (start + top, 0), (1, height), (0, height)]))]


def trapezium(rng: Generator) -> list[Part]:
    """Four sides, none parallel."""
    return [area(polar((-90, 0, 90, 180) + rng.uniform(-14, 14, 4), rng.permutation((1, 0.85, 0.7, 0.5))))]


def star(rng: Generator) -> list[Part]:
    """Five to eight points around a body without lines in it."""
    points = int(rng.integers(5, 9))
    inner = rng.uniform(0.38, 0.5)
    return [area(polar(np.arange(2 * points) * 180 / points - 90, np.tile((1, inner), points)))]


def pentacle(rng: Generator) -> list[Part]:
    """Five straight lines from corner to corner of a pentagon, often in a circle."""
    lines = regular(5)[[0, 2, 4, 1, 3, 0, 2]]
    round_about = [curve(arc(0, 360), 0.07)] if rng.random() < 0.6 else []
    return [*round_about, curve(lines, rng.uniform(0.07, 0.12))]


def hexagram(rng: Generator) -> list[Part]:
    """Two triangles laid over each other."""
    width = rng.uniform(0.08, 0.14)
    corners = [regular(3), -regular(3)]
    fill = [area(ring, tone=0.6) for ring in corners] if rng.random() < 0.4 else []
    return fill + [curve(ring[[0, 1, 2, 0, 1]], width) for ring in corners]


def circle(rng: Generator) -> list[Part]:
    """A circle."""
    return [area(arc(0, 360))]


def ellipse(rng: Generator) -> list[Part]:
    """A clearly flattened circle."""
    return [area(arc(0, 360, (1, rng.uniform(0.45, 0.68))))]


def semicircle(rng: Generator) -> list[Part]:
    """Half a circle."""
    return [area(fitted(arc(0, 180)))]


def sector(rng: Generator) -> list[Part]:
    """Two radii and the arc between them."""
    half = rng.uniform(22, 50)
    return [area(fitted([(0, 0), *arc(-half, half)]))]


def crescent(rng: Generator) -> list[Part]:
    """The moon in its first quarter."""
    angle, thick = rng.uniform(50, 75), rng.uniform(0.3, 0.6)
    x, y = polar(angle)
    inner = arc(90, -90, (thick - 1 - x, y), (x, 0))
    return [area(np.concatenate((arc(angle, 360 - angle), inner[::-1])))]


def ring(rng: Generator) -> list[Part]:
    """A flat ring."""
    return [area(arc(0, 360), arc(0, 360, rng.uniform(0.5, 0.75)))]


def loop(rng: Generator) -> list[Part]:
    """A line that turns back and crosses itself, as in a lasso."""
    reach = rng.uniform(0.35, 0.6)
    angle = np.linspace(-1, 1, 33) * np.pi
    body = np.column_stack((np.sin(angle) * reach * (1 + 0.45 * np.cos(angle)), -np.cos(angle) * 0.6 - 0.4))
    tail = rng.uniform(0.35, 0.65)
    return [curve([(tail, 1), *body[2:-2], (-tail, 1)], rng.uniform(0.08, 0.16))]


def parabola(rng: Generator) -> list[Part]:
    """A curve with one bend whose arms widen."""
    x = np.linspace(-1, 1, 25)
    return [curve(np.column_stack((x * rng.uniform(0.6, 0.85), 0.9 - 1.8 * x**2)), rng.uniform(0.07, 0.14))]


def hyperbola(rng: Generator) -> list[Part]:
    """Two branches facing away from each other."""
    near, t = rng.uniform(0.16, 0.3), np.linspace(-1, 1, 25)
    reach = np.arccosh(1 / near)
    branch = np.column_stack((near * np.cosh(t * reach), rng.uniform(0.75, 1) * np.sinh(t * reach) / np.sinh(reach)))
    width = rng.uniform(0.07, 0.14)
    return [curve(branch, width), curve(-branch, width)]


def spiral(rng: Generator) -> list[Part]:
    """A curve that winds outwards, either way."""
    turns, hand = rng.uniform(2.2, 3.6), rng.choice((-1, 1))
    t = np.linspace(0.02, 1, 90)
    return [curve(polar(hand * t * turns * 360, t ** rng.uniform(0.8, 1.2)), rng.uniform(0.06, 0.12))]


def coil(rng: Generator) -> list[Part]:
    """A wire wound about an axis, seen from its side."""
    turns, thick = int(rng.integers(4, 8)), rng.uniform(0.3, 0.5)
    t = np.linspace(0, 1, 24 * turns)
    x = np.interp(t, (0, 1), (-0.85, 0.85)) + 0.15 * np.sin(t * turns * 2 * np.pi)
    return [curve(np.column_stack((x, thick * np.cos(t * turns * 2 * np.pi))), rng.uniform(0.05, 0.09))]


def sine_curve(rng: Generator) -> list[Part]:
    """A smooth wave."""
    t = np.linspace(-1, 1, 70)
    wave = rng.uniform(0.2, 0.36) * np.sin(t * np.pi * rng.uniform(1.4, 2.6) + rng.uniform(0, 6.28))
    return [curve(np.column_stack((t, wave)), rng.uniform(0.07, 0.15))]


def zigzag(rng: Generator) -> list[Part]:
    """A line with sharp turns left and right."""
    count = int(rng.integers(5, 10))
    y = rng.uniform(0.22, 0.4) * np.where(np.arange(count) % 2, 1, -1)
    return [curve(np.column_stack((np.linspace(-1, 1, count), y)), rng.uniform(0.08, 0.16))]


def arrow(rng: Generator) -> list[Part]:
    """A shaft with a head."""
    shaft, head, reach = rng.uniform(0.08, 0.2), rng.uniform(0.4, 0.6), rng.uniform(0.0, 0.4)
    barb = reach - rng.uniform(0, 0.2)
    upper = [(-1, -shaft), (reach, -shaft), (barb, -head), (1, 0)]
    return [area(upper + [(x, -y) for x, y in upper[-2::-1]])]
