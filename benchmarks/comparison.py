"""Time a plain and a fast form of the same computation, and print how they compare."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import NamedTuple, TypeVar

Result = TypeVar("Result")

# The library is found, not installed; a benchmark imports this module first.
sys.path.insert(0, str(Path(__file__).parent.parent / "src"))


class Row(NamedTuple):
    """Seconds of the plain and of the fast form, and the ratio asked of them (0 where none is)."""

    what: str
    plain: float
    fast: float
    asked: float


def measure(function: Callable[[], Result], repeat: int) -> tuple[float, Result]:
    """Return the seconds of the fastest of some calls, and what the last one gave."""
    seconds = []
    for _ in range(repeat):
        start = perf_counter()
        result = function()
        seconds.append(perf_counter() - start)
    return min(seconds), result


def report(rows: Sequence[Row]) -> bool:
    """Print the rows as a table; say whether each ratio is what was asked."""
    width = max(len(row.what) for row in rows)
    print(f"{'':{width}}  {'plain, s':>10}  {'fast, s':>10}  {'ratio':>8}  {'asked':>8}")
    for what, plain, fast, asked in rows:
        floor = f"{asked:g}x" if asked else "-"
        slow = "" if plain >= asked * fast else "  too slow"
        print(f"{what:{width}}  {plain:10.3f}  {fast:10.4f}  {plain / fast:7.1f}x  {floor:>8}{slow}")
    return all(row.plain >= row.asked * row.fast for row in rows)
