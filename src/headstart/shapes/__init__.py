"""The demo's classes: which outline each one has, drawn into pictures and packed like ImageNet's synsets."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from os import PathLike

import numpy as np
from numpy.random import Generator
from PIL import Image

from headstart.jobs.files import replacing
from headstart.shapes import emblems, outlines, solids
from headstart.shapes.canvas import picture
from headstart.shapes.outlines import Outline, Part, rotation
from headstart.shapes.words import captions

SIDE = 72
QUALITY = 90


def turned(outline: Outline, most: float, size: float = 1.0) -> Outline:
    """The outline rotated by up to `most` degrees either way and drawn `size` times as large."""

    def outline_turned(rng: Generator) -> list[Part]:
        parts = outline(rng)
        turn = rotation(rng.uniform(-most, most)) * size
        return [
            part._replace(rings=tuple(ring @ turn for ring in part.rings), width=part.width * size) for part in parts
        ]

    return outline_turned


def one_of(*wnids: str) -> Outline:
    """The outline of one of several kinds, chosen anew for every picture."""
    return lambda rng: SHAPES[wnids[rng.integers(len(wnids))]](rng)


# Polygons and curves lie at any angle; crosses, pips and solids stand nearly upright.
_ANY = {
    "n13878306": outlines.ellipse,
    "n13873502": outlines.circle,
    "n13874251": outlines.semicircle,
    "n13875027": outlines.sector,
    "n13875392": outlines.ring,
    "n13875571": outlines.loop,
    "n13875970": outlines.coil,
    "n13876371": outlines.spiral,
    "n13878634": outlines.square,
    "n13879947": outlines.regular_polygon(3),
    "n13880199": outlines.isosceles_triangle,
    "n13880415": outlines.obtuse_triangle,
    "n13880551": outlines.right_triangle,
    "n13880704": outlines.scalene_triangle,
    "n13880811": outlines.hexagram,
    "n13881175": outlines.parallelogram,
    "n13881381": outlines.trapezium,
    "n13881512": outlines.trapezoid,
    "n13881644": outlines.star,
    "n13882008": outlines.pentacle,
    "n13882201": outlines.regular_polygon(5),
    "n13882276": outlines.regular_polygon(6),
    "n13882487": outlines.regular_polygon(7),
    "n13882563": outlines.regular_polygon(8),
    "n13882961": outlines.rhombus,
    "n13883346": outlines.rectangle,
    "n13886371": outlines.parabola,
    "n13886575": outlines.hyperbola,
    "n13887319": outlines.zigzag,
    "n13896217": outlines.crescent,
    "n13909190": outlines.sine_curve,
    "n06818121": outlines.arrow,
}
_UPRIGHT = {
    "n02993081": emblems.celtic_cross,
    "n03457578": emblems.greek_cross,
    "n03646695": emblems.latin_cross,
    "n03690279": emblems.lorraine_cross,
    "n03716091": emblems.maltese_cross,
    "n03900104": emblems.patriarchal_cross,
    "n04302598": emblems.saltire,
    "n04395760": emblems.tau_cross,
    "n03053788": emblems.club,
    "n03187972": emblems.diamond,
    "n03507048": emblems.heart,
    "n04266660": emblems.spade,
    "n13872592": solids.cone,
    "n13885111": solids.triangular_prism,
    "n13899200": solids.sphere,
    "n13899804": solids.cylinder,
    "n13901211": solids.barrel,
    "n13914837": solids.pyramid,
    "n13916721": solids.cube,
    "n13917214": solids.octahedron,
}
_PATTERNS = {
    "n03011521": emblems.checkerboard,
    "n03516367": emblems.herringbone,
    "n03530642": emblems.honeycomb,
    "n03978300": emblems.polka_dot,
    "n04395106": emblems.tartan,
    "n05931512": emblems.grid,
}
# Classes drawn as one of their kinds; some kinds are drawn for no class of their own.
KINDS = {
    "n13879320": ("n13879947", "n13880199", "n13880415", "n13880551", "n13880704"),  # triangle
    "n13879126": ("n13881175", "n13881381", "n13881512", "n13883346"),  # quadrilateral
    "n13872975": ("n13873502", "n13878306", "n13886371", "n13886575"),  # conic section
    "n13883885": ("n13885111", "n13914837", "n13916721", "n13917214"),  # polyhedron
    "n03963982": ("n03053788", "n03187972", "n03507048", "n04266660"),  # playing card
    "n03135152": (  # cross
        "n02993081",
        "n03457578",
        "n03646695",
        "n03690279",
        "n03716091",
        "n03900104",
        "n04302598",
        "n04395760",
    ),
}
SHAPES: dict[str, Outline] = {
    **{wnid: turned(outline, 180) for wnid, outline in _ANY.items()},
    **{wnid: turned(outline, 12) for wnid, outline in _UPRIGHT.items()},
    **{wnid: turned(outline, 20, 1.2) for wnid, outline in _PATTERNS.items()},
    **{wnid: one_of(*kinds) for wnid, kinds in KINDS.items()},
}


def draw_image(wnid: str, number: int, seed: int, side: int = SIDE) -> Image.Image:
    """Draw the picture `number` of a class; the same arguments give the same pixels.

    The short side has `side` to 4/3 `side` pixels, the long one up to 4/3 of the short one.

    Raises ValueError for a class without an outline.

    >>> draw_image("n13881644", 0, seed=0).mode
    'RGB'
    """
    if wnid not in SHAPES:
        raise ValueError(f"no outline for class {wnid!r}; expected one of the demo's {len(SHAPES)}: {sorted(SHAPES)}")
    rng = np.random.default_rng((seed, int(wnid[1:]), number))
    return picture(SHAPES[wnid](rng), rng, side)


def write_synset(path: str | PathLike[str], wnid: str, images: int, seed: int, side: int = SIDE) -> None:
    """Write `images` pictures of a class as a tar in ImageNet's layout, members `<wnid>_<number>.JPEG`.

    The same arguments give the same bytes, and more images keep the earlier ones.
    """
    with replacing(path) as partial, tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in _members(wnid, images, seed, side):
            member = tarfile.TarInfo(name)  # owner, mode and date are constants
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def write_captions(path: str | PathLike[str], wnid: str, count: int, seed: int) -> None:
    """Write `count` sentences about a class, one per line."""
    with replacing(path) as partial:
        partial.write_text("".join(f"{sentence}\n" for sentence in captions(wnid, count, seed)), encoding="utf-8")


def _members(wnid: str, images: int, seed: int, side: int) -> Iterator[tuple[str, bytes]]:
    for number in range(images):
        buffer = io.BytesIO()
        draw_image(wnid, number, seed, side).save(buffer, "JPEG", quality=QUALITY)
        yield f"{wnid}_{number}.JPEG", buffer.getvalue()
