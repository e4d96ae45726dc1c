"""The one look of every initialisation, in every figure and table.

The colours keep at least 28 units of CIELAB between any two under the three kinds of colour blindness, and their
lightness (13, 32, 47, 60, 72 of 100) tells them apart in grey; marker and dashes do so a third time. The same holds
on a dark page for a second set of colours (lightness 50, 62, 73, 85, 100).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from headstart.vocabulary import split_name


@dataclass(frozen=True)
class Style:
    """How one initialisation, or the similarity measure it is named after, is drawn and called."""

    name: str
    colour: str
    night: str
    """The colour on a dark page."""
    marker: str
    dashes: tuple[float, ...]
    """Lengths of line and gap in line widths; empty is a solid line."""
    fill: str

    @property
    def line(self) -> dict[str, Any]:
        """The keywords of matplotlib's `plot` for colour and dashes."""
        return {"color": self.colour, "linestyle": (0, self.dashes) if self.dashes else "-"}

    @property
    def points(self) -> dict[str, Any]:
        """The keywords of matplotlib's `plot` for the marker."""
        return {"marker": self.marker, "markerfacecolor": self.fill, "markeredgecolor": self.colour}


def _style(name: str, colour: str, night: str, marker: str, *dashes: float) -> Style:
    return Style(name, colour, night, marker, dashes, fill=colour)


# The order of the paper's panels.
CLASS_TYPES = ("disjoint", "included", "inclusive")
PALETTE = {
    "random": _style("Random", "#222222", "#ffffff", "X", 1.0, 1.4),
    "inference": _style("Visual (inference)", "#004c97", "#4170e7", "o"),
    "wordnet": _style("WordNet", "#c2440c", "#dc7c38", "s", 4.5, 1.6),
    "word2vec": _style("Word2Vec", "#e3a600", "#ffd031", "^", 6.0, 1.4, 1.2, 1.4),
    "imprinted": _style("Imprinted", "#2fa387", "#4cca94", "D", 2.6, 1.2),
}
WITHOUT_NEIGHBOURS = ("random", "imprinted")


def style(initialisation: str) -> Style:
    """The look of an initialisation; one with a fixed K has its measure's, with hollow markers.

    Raises ValueError for a name without a look.

    >>> style("inference").name, style("inference-k1").name
    ('Visual (inference)', 'Visual (inference), K = 1')
    >>> style("inference-k1").colour == style("inference").colour
    True
    """
    word, fixed = split_name(initialisation)
    if word not in PALETTE:
        raise ValueError(
            f"no colour is set for the initialisation {initialisation!r}; known: {', '.join(PALETTE)} "
            "and <measure>-k<K>; add it to headstart.report.palette.PALETTE"
        )
    look = PALETTE[word]
    return look if fixed is None else replace(look, name=f"{look.name}, K = {fixed}", fill="white")


def in_order(initialisations: Any) -> list[str]:
    """The distinct initialisations, in the order of the palette, a fixed K after the chosen one.

    >>> in_order(["wordnet", "inference-k1", "random", "inference", "random"])
    ['random', 'inference', 'inference-k1', 'wordnet']
    """
    words = list(PALETTE)

    def place(initialisation: str) -> tuple[int, int]:
        word, fixed = split_name(initialisation)
        style(initialisation)
        return words.index(word), fixed or 0

    return sorted(set(initialisations), key=place)


def chosen_neighbours(initialisations: Any) -> str:
    """How the number of neighbours K of these initialisations was set, for a title.

    >>> chosen_neighbours(["random", "inference-k1", "wordnet-k1"])
    'K = 1'
    >>> chosen_neighbours(["inference", "inference-k1"]), chosen_neighbours(["random"])
    ('K chosen per class type', '')
    """
    measured = [name for name in initialisations if split_name(name)[0] not in WITHOUT_NEIGHBOURS]
    fixed = {split_name(name)[1] for name in measured}
    if not measured:
        return ""
    return f"K = {fixed.pop()}" if len(fixed) == 1 and None not in fixed else "K chosen per class type"
