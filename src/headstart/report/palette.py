"""The one look of every start, in every figure and table: chosen in the vocabulary, or taken from spare ones.

The colours of the paper's starts and of imprinting keep at least 28 units of CIELAB between any two under the three
kinds of colour blindness, and their lightness (13, 32, 47, 60, 72 of 100) tells them apart in grey; marker and dashes
do so a third time. The same holds on a dark page for a second set of colours (lightness 50, 62, 73, 85, 100). All
others keep 15 units from each other, and have markers and dashes of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from headstart.entries import Look
from headstart.naming import label_of_variant, read_start, rows_of, split_name, split_run
from headstart.vocabulary import PLAIN, ROWS, STRATEGIES, all_starts

# The order of the paper's panels.
CLASS_TYPES = ("disjoint", "included", "inclusive")
# For words whose look nobody chose, in the order in which they are declared.
SPARE = (
    Look("#665577", "#cc88ff", "d", (5.0, 1.0, 1.0, 1.0, 1.0, 1.0)),
    Look("#bb44dd", "#dd99bb", "p", (1.0, 2.5)),
    Look("#bbaa66", "#aaff88", "h", (9.0, 1.5, 2.0, 1.5)),
    Look("#885544", "#449988", "*", (3.5, 3.0)),
    Look("#330099", "#55ffaa", "H", (6.0, 1.0, 2.0, 1.0)),
    Look("#7788bb", "#88cc66", "P", (2.0, 0.8)),
    Look("#88bbcc", "#ccff66", "8", (7.0, 3.0)),
    Look("#ee3366", "#bbaa00", "2", (12.0, 1.0)),
    Look("#6622cc", "#eeccee", "_", (2.0, 2.0, 5.0, 2.0)),
)


@dataclass(frozen=True)
class Style:
    """How runs of one start and strategy, or the measure a start is named after, are drawn and called."""

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


def look_of(word: str) -> Look:
    """The look of a start: the one chosen in the vocabulary, else a spare one; past the last the first come again."""
    starts = all_starts()
    spare = [name for name, start in starts.items() if start.look is None]
    return starts[word].look or SPARE[spare.index(word) % len(SPARE)]


def style(run: str) -> Style:
    """The look of runs, named as by `vocabulary.run_name`.

    A fixed K has its measure's look with hollow markers; a strategy other than the paper's, and changed source rows,
    draw with their own dashes.
    Raises ValueError for a name without a look.

    >>> style("inference").name, style("inference-k1+l2sp").name
    ('Visual (inference)', 'Visual (inference), K = 1, L2-SP')
    >>> style("inference-k1").colour == style("inference").colour
    True
    """
    strategy, initialisation = split_run(run)
    start, fixed = read_start(initialisation)
    look, plain, rows = look_of(split_name(initialisation)[0]), strategy == PLAIN, rows_of(initialisation)
    parts = [start.label, f"K = {fixed}" if fixed else "", *(ROWS[word].label for word in rows)]
    parts += [] if plain else [label_of_variant(strategy)]
    dashes = look.dashes if plain else STRATEGIES[strategy.split(",")[0]].dashes
    dashes = sum((ROWS[word].dashes for word in rows), ()) if plain and rows else dashes
    fill = "white" if fixed else look.colour
    return Style(", ".join(filter(None, parts)), look.colour, look.night, look.marker, dashes, fill)


def looks_of(runs: Iterable[str]) -> dict[str, dict[str, Any]]:
    """How each of some runs and measures is called and drawn, as plain values."""
    return {run: asdict(style(run)) for run in runs}


def in_order(runs: Iterable[str]) -> list[str]:
    """The distinct names of runs, in the order of the vocabulary: by start, a fixed K after the chosen one, strategy.

    >>> in_order(["wordnet", "inference-k1", "random", "inference+l2sp", "inference", "random"])
    ['random', 'inference', 'inference+l2sp', 'inference-k1', 'wordnet']
    """
    words, strategies = list(all_starts()), list(STRATEGIES)

    def place(run: str) -> tuple[int, int, list[int], int, str]:
        strategy, initialisation = split_run(run)
        read_start(initialisation)
        word, fixed = split_name(initialisation)
        rows = [list(ROWS).index(one) for one in rows_of(initialisation)]
        return words.index(word), fixed or 0, rows, strategies.index(strategy.split(",")[0]), strategy

    return sorted(set(runs), key=place)


def chosen_neighbours(runs: Iterable[str]) -> str:
    """How the number of neighbours K of these runs was set, for a title.

    >>> chosen_neighbours(["random", "inference-k1", "wordnet-k1"])
    'K = 1'
    >>> chosen_neighbours(["inference", "inference-k1"]), chosen_neighbours(["random"])
    ('K chosen per class type', '')
    """
    found = [read_start(split_run(run)[1]) for run in runs]
    fixed = {K for start, K in found if start.measure}
    if not fixed:
        return ""
    return f"K = {fixed.pop()}" if len(fixed) == 1 and None not in fixed else "K chosen per class type"
