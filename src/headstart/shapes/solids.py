"""Outlines of the demo's solids: faces turned in space, those that face the viewer drawn from back to front."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from headstart.shapes.outlines import Outline, Part, Points, arc, area, curve, polar, rotation


def polyhedron(
    corners: Sequence[Sequence[float]], faces: Sequence[Sequence[int]], yaw: float, pitch: tuple[float, float]
) -> Outline:
    """The outline of a convex polyhedron about the origin, seen from a little above.

    corners are (x, y, z), y pointing down; faces list their corners in order round. It is turned about its
    upright axis by up to `yaw` degrees either way and tipped towards the viewer by `pitch` degrees.
    """
    return lambda rng: _projected(np.asarray(corners, float), faces, rng.uniform(-yaw, yaw), rng.uniform(*pitch))


def _projected(corners: Points, faces: Sequence[Sequence[int]], yaw: float, pitch: float) -> list[Part]:
    xz = corners[:, [0, 2]] @ rotation(yaw)
    yz = np.column_stack((corners[:, 1], xz[:, 1])) @ rotation(-pitch)
    space = np.column_stack((xz[:, 0], yz))
    plane = space[:, :2] / np.linalg.norm(space[:, :2], axis=1).max()
    parts = []
    for face in faces:
        middle = space[list(face)].mean(axis=0)
        normal = np.cross(space[face[1]] - space[face[0]], space[face[2]] - space[face[0]])
        normal *= np.sign(normal @ middle) / np.linalg.norm(normal)
        if normal[2] > 0.02:  # the viewer looks against z
            tone = float(np.clip(0.5 - 0.6 * normal[1] - 0.4 * normal[0], 0, 1))
            parts.append(area(plane[list(face)], tone=tone, look="edged"))
    return parts


def _prism(sides: int, half: float) -> tuple[list[list[float]], list[list[int]]]:
    base = polar(np.arange(sides) * 360 / sides)
    corners = [[x, y, z] for y in (-half, half) for x, z in base]
    walls = [[i, (i + 1) % sides, (i + 1) % sides + sides, i + sides] for i in range(sides)]
    return corners, [list(range(sides)), list(range(sides, 2 * sides)), *walls]


_PYRAMID = [[1, 0.4, 0], [0, 0.4, 1], [-1, 0.4, 0], [0, 0.4, -1], [0, -0.9, 0]]
_OCTAHEDRON = [[1, 0, 0], [0, 0, 1], [-1, 0, 0], [0, 0, -1], [0, -1, 0], [0, 1, 0]]

# With the corners on the axes, no turn shows an edge in front and a large one a face.
cube = polyhedron(*_prism(4, 0.5**0.5), 28, (20, 40))
triangular_prism = polyhedron(*_prism(3, 0.9), 180, (20, 40))
pyramid = polyhedron(_PYRAMID, [[0, 1, 2, 3], *([i, (i + 1) % 4, 4] for i in range(4))], 25, (8, 25))
octahedron = polyhedron(_OCTAHEDRON, [[i, (i + 1) % 4, tip] for tip in (4, 5) for i in range(4)], 180, (12, 30))


def sphere(rng: Generator) -> list[Part]:
    """A ball: lit from one side, or a globe with circles of latitude and meridians."""
    if rng.random() < 0.5:
        way = polar(rng.uniform(0, 360))
        steps = [(1 - k / 7) for k in range(7)]
        return [area(arc(0, 360, r, way * (1 - r) * 0.55), tone=1 - r, look="flat") for r in steps]
    line = rng.uniform(0.03, 0.06)
    rings = [curve(arc(0, 360, (x, 1)), line) for x in (0.38, 0.78)]
    levels = [curve(arc(0, 180, ((1 - y * y) ** 0.5, 0.16), (0, y)), line) for y in (-0.55, 0.0, 0.55)]
    return [area(arc(0, 360), tone=0.9, look="edged"), *rings, *levels]


def _turned_body(side: Points, lid: float) -> list[Part]:
    """A round body from its right-hand profile, top to bottom; its two ends are circles seen at a slant, `lid` flat."""
    top, bottom = side[[0, -1], 0]
    body = np.concatenate((side, arc(0, 180, (bottom, bottom * lid), (0, side[-1, 1])), (side * (-1, 1))[::-1]))
    cover = arc(0, 360, (top, top * lid), (0, side[0, 1]))
    return [area(body, tone=0.3, look="edged"), area(cover, tone=0.9, look="edged")]


def cylinder(rng: Generator) -> list[Part]:
    """A can."""
    half, lid = rng.uniform(0.4, 0.65), rng.uniform(0.25, 0.45)
    end = 1 - half * lid
    return _turned_body(np.array([(half, -end), (half, end)]), lid)


def barrel(rng: Generator) -> list[Part]:
    """A cylinder with a belly and hoops."""
    half, lid, belly = rng.uniform(0.42, 0.5), rng.uniform(0.22, 0.4), rng.uniform(0.2, 0.3)
    end = 1 - half * lid
    y = np.linspace(-end, end, 15)
    side = np.column_stack((half + belly * (1 - (y / end) ** 2), y))
    hoops = [side[k] for k in (4, 10)]
    return _turned_body(side, lid) + [curve(arc(0, 180, (x, x * lid), (0, y)), 0.07) for x, y in hoops]


def cone(rng: Generator) -> list[Part]:
    """A cone on its base, one side in the shade."""
    half, lid = rng.uniform(0.5, 0.75), rng.uniform(0.2, 0.35)
    base = arc(0, 180, (half, half * lid), (0, 1 - half * lid))
    parts = [area(np.concatenate(([(0, -1)], base)), tone=0.3, look="edged")]
    dark = arc(80, 180, (half, half * lid), (0, 1 - half * lid))
    return parts + [area(np.concatenate(([(0, -1)], dark)), tone=0.9, look="flat")]
