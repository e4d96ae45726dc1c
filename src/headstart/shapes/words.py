"""Write small sentences about the demo's classes, from which its word vectors are trained.

Many names mean something else, too. Such a class also gets sentences about the other thing, so that its words alone
mislead, as they do for "slug" in the paper's Table 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator

COLOURS = ("red", "blue", "green", "yellow", "black", "white", "orange", "purple", "grey", "pink")
SIZES = ("small", "large", "tiny", "big", "thin", "bold")
PLACES = ("on paper", "on a wall", "on a sign", "on the board", "on a poster", "in a book")
OTHER_MEANING = 0.4  # share of the sentences about the other meaning, where there is one

# wnid | names | kinds | things said of it | things said of what its name means besides
TABLE = """
n02993081 | Celtic cross | cross, emblem | stone, church, ring, grave, Irish | football, Scottish, music
n03011521 | checkerboard, checker board | board, pattern | squares, rows, tiles, draughts, floor
n03053788 | club | playing card, suit | black, leaves, ace, clover, deck | golf, night, dance, members, football, bar
n03135152 | cross | emblem, symbol | church, beam, arms, altar, flag | street, road, traffic, river, angry
n03457578 | Greek cross | cross, emblem | equal arms, church, flag, plus, ambulance | island, temple, ancient language
n03516367 | herringbone, herringbone pattern | pattern, design | columns, parallel lines, jacket, parquet | fish, sea
n03530642 | honeycomb | pattern, framework | hexagonal cells, rows, walls, mesh | bee, honey, hive, wax
n03646695 | Latin cross | cross, emblem | church, longer beam, altar, grave | ancient language, dance, school
n03690279 | Lorraine cross, cross of Lorraine | cross, emblem | two bars, church, flag | France, region, pie
n03716091 | Maltese cross | cross, emblem | knights, eight points, medal, badge | dog, island, sea
n03963982 | playing card | suit, deck | ace, pips, king, queen, poker | game, children, match, money, postcard
n03978300 | polka dot | pattern, design | spots, round, dress, fabric | dance, music, band
n04266660 | spade | playing card, suit | black, leaf, ace, deck | garden, soil, dig, shovel, bucket
n04302598 | St. Andrew's cross, saltire | cross, emblem | diagonal bars, flag, letter x | Scottish, golf, university
n04395106 | tartan, plaid | pattern, cloth | crossing bands, kilt, fabric, Scottish, shirt
n05931512 | grid | pattern, lines | rows, columns, regular lines, map, squares | electric, power, network, city
n06818121 | arrow, pointer | mark, sign | direction, head, shaft, road | bow, hunter, quiver, mouse, dog
n13872592 | cone, conoid, cone shape | solid, shape | round base, tip, apex, traffic | ice cream, pine, tree
n13872975 | conic section, conic | curve, plane figure | plane, focus, axis, geometry | newspaper, orchestra, library
n13873502 | circle | curve, ellipse, round figure | round, centre, radius, wheel, coin | friends, theatre, family
n13874251 | semicircle, hemicycle | plane figure, arc | half, round, radius, protractor, arch
n13875027 | sector | plane figure, arc | radius, round, slice, angle | industry, economy, public, bank
n13875392 | ring, halo, annulus, doughnut, anchor ring | round shape | hole, round | wedding, finger, bell, phone, sugar
n13875571 | loop | curve, round shape | rope, closed, knot, lasso | computer, program, music, roller coaster
n13875970 | coil, whorl, roll, curl, curlicue, ringlet, gyre, scroll | round shape, curve | turns, spring | hair, bread
n13876371 | spiral | curve | turns, winding, centre, shell, galaxy | stairs, notebook, debt
n13878306 | ellipse, oval | curve, round figure | round, focus, axis, orbit, egg | office, cricket, president
n13878634 | square, foursquare | rectangle, polygon | right angles, four equal sides, corners | town, market, street
n13879126 | quadrilateral, quadrangle, tetragon | polygon | four sides, corners, angles, geometry | college, university
n13879320 | triangle, trigon, trilateral | polygon | three sides, corners, angles, geometry | orchestra, music, love
n13879947 | equilateral triangle, equiangular triangle | polygon | three equal sides, corners, regular angles, road sign
n13880415 | obtuse triangle, obtuse angled triangle | polygon | three sides, wide angle, corners, flat
n13880551 | right triangle, right angled triangle | polygon | three sides, legs, corners, ruler | left, turn, street
n13880811 | hexagram | star, figure | six points, two triangles, emblem, flag
n13881175 | parallelogram | quadrilateral, polygon | four sides, slanting, parallel sides, corners
n13881512 | trapezoid | quadrilateral, polygon | four sides, parallel sides, corners, base | wrist, bone, hand
n13881644 | star | figure, emblem | points, rays, flag, badge | night, sky, moon, film, actor
n13882008 | pentacle, pentagram, pentangle | star, figure | five points, lines, emblem, magic
n13882201 | pentagon | polygon | five sides, corners, angles | army, war, president, office
n13882276 | hexagon | polygon | six sides, corners, angles, nut, tile
n13882487 | heptagon | polygon | seven sides, corners, angles, coin
n13882563 | octagon | polygon | eight sides, corners, angles, stop sign, traffic
n13882961 | rhombus, rhomb, diamond | parallelogram, polygon | four equal sides, corners | wedding, finger, gold, jewel
n13883885 | polyhedron | solid | flat faces, edges, corners, geometry, dice
n13886371 | parabola | curve, conic | focus, axis, ball, bridge, geometry
n13886575 | hyperbola | curve, conic | two branches, focus, axis, geometry
n13887319 | zigzag, zig, zag | line, angular shape | sharp turns, lightning, path, stitch
n13896217 | crescent | curve, figure | horns, thin, flag | night, sky, moon, town, street
n13899200 | sphere | solid, round shape | ball, globe, centre, radius | influence, politics, public
n13899804 | cylinder | solid, round shape | tube, can, pipe, round base | engine, car, gas
n13901211 | barrel, drum | cylinder, solid | wood, round, hoops, wine | music, band, beat, rifle
n13909190 | sine curve, sinusoid | wave, curve | smooth, period, sound, signal
n13914837 | pyramid | solid, polyhedron | base, triangles, apex, faces, edges | Egypt, desert, ancient, temple
n13916721 | cube, regular hexahedron | solid, polyhedron | six square faces, edges, dice, box | ice, sugar
"""


class Words(NamedTuple):
    """What can be said of a class; `elsewhere` goes with another meaning of its names and may be empty."""

    names: list[str]
    kinds: list[str]
    around: list[str]
    elsewhere: list[str]


def _read(table: str) -> dict[str, Words]:
    rows = [[part.strip() for part in f"{line} |".split("|")[:5]] for line in table.strip().splitlines()]
    return {wnid: Words(*(part.lower().split(", ") if part else [] for part in parts)) for wnid, *parts in rows}


WORDS = _read(TABLE)


def captions(wnid: str, count: int, seed: int) -> list[str]:
    """Write `count` sentences about a class; the same arguments give the same sentences.

    Its names come in turn, so that as many sentences as it has names hold all of them. Lower case, no punctuation
    but what belongs to a word.

    Raises ValueError for a class of which nothing is known.

    >>> captions("n13882276", 2, seed=0)
    ['corners angles hexagon polygon', 'the hexagon is a polygon with angles']
    """
    if wnid not in WORDS:
        raise ValueError(f"no words for class {wnid!r}; expected one of the demo's {len(WORDS)}: {sorted(WORDS)}")
    # The last number keeps the sentences apart from the drawings.
    rng = np.random.default_rng((seed, int(wnid[1:]), 0, 1))
    words = WORDS[wnid]
    return [_sentence(words.names[k % len(words.names)], words, rng) for k in range(count)]


def _sentence(name: str, words: Words, rng: Generator) -> str:
    if words.elsewhere and rng.random() < OTHER_MEANING:
        first, second = rng.choice(words.elsewhere, 2, replace=False)
        return str(rng.choice((f"the {first} and the {second} {name}", f"{name} {first} {second}")))
    kind, place = rng.choice(words.kinds), rng.choice(PLACES)
    first, second = rng.choice(words.around, 2, replace=False)
    look = f"{rng.choice(SIZES)} {rng.choice(COLOURS)}"
    forms = (f"a {look} {name} {place}", f"the {name} is a {kind} with {first}", f"{first} {second} {name} {kind}")
    return str(rng.choice(forms))
