"""Outlines of the demo's shapes as plain geometry; nothing here knows colours or pixels.

Points are float arrays (n, 2) of (x, y) in the box [-1, 1] x [-1, 1], y pointing down. Every outline is a
function of a generator and returns its parts from back to front, so that two calls differ in proportions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]


class Part(NamedTuple):
    """One area (closed rings: the first is its border, the others are holes) or one open curve.

    tone is 0 for the first ink to 1 for the second one; width is that of a curve's line in box units.
    """

    rings: tuple[Points, ...]
    filled: bool = True
    tone: float = 0.0
    width: float = 0.1


def area(points: ArrayLike, *holes: ArrayLike, tone: float = 0.0) -> Part:
    """A filled part bounded by `points` without its `holes`."""
    return Part(tuple(np.asarray(ring, float) for ring in (points, *holes)), True, tone)


def curve(points: ArrayLike, width: float = 0.1, tone: float = 0.0) -> Part:
    """A part that is a line of some width through `points`."""
    return Part((np.asarray(points, float),), False, tone, width)


def arc(start: float, stop: float, radius: tuple[float, float] = (1, 1), centre: tuple[float, float] = (0, 0)) -> Points:
    """Points of an ellipse from one angle to another, in degrees, clockwise as y points down.

    >>> arc(0, 90)[[0, -1]].round(6).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    count = max(3, round(abs(stop - start) / 8) + 1)
    angle = np.radians(np.linspace(start, stop, count))
    return np.column_stack((np.cos(angle), np.sin(angle))) * radius + centre


def turned(points: Points, degrees: float) -> Points:
    """The points rotated about the origin, clockwise as y points down."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return points @ np.array(((cosine, sine), (-sine, cosine)))


def fitted(points: ArrayLike) -> Points:
    """The points moved and scaled so that they fill the unit circle about the middle of their extent.

    >>> fitted([(0, 0), (4, 0), (4, 2), (0, 2)]).round(3).tolist()
    [[-0.894, -0.447], [0.894, -0.447], [0.894, 0.447], [-0.894, 0.447]]
    """
    points = np.asarray(points, float)
    points = points - (points.min(axis=0) + points.max(axis=0)) / 2
    return points / np.linalg.norm(points, axis=1).max()


def regular(sides: int) -> Points:
    """Corners of a regular polygon, the first one on top."""
    return arc(-90, 270, (1, 1))[[0]] if sides < 2 else _at(np.arange(sides) * 360 / sides - 90)


def _at(degrees: NDArray[np.float64], radius: ArrayLike = 1.0) -> Points:
    angle = np.radians(degrees)
    return np.column_stack((np.cos(angle), np.sin(angle))) * np.reshape(radius, (-1, 1))
