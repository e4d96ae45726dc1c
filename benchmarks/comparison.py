"""Time a plain and a fast form of the same computation, and print how they compare."""

import os
import platform
import sys
from collections.abc import Callable, Sequence
from math import nan
from pathlib import Path
from time import perf_counter
from typing import NamedTuple, TypeVar

Result = TypeVar("Result")
Other = TypeVar("Other")

# The library is found, not installed; a benchmark imports this module first.
sys.path.insert(0, str(Path(__file__).parent.parent / "src"))


class Row(NamedTuple):
    """Seconds of the plain and of the fast form, and what is asked of them; 0 where nothing is.

    The floor is what the fast form cannot do without, in seconds; `within` is how many floors it may take.
    """

    what: str
    plain: float
    fast: float
    asked: float
    floor: float = nan
    within: float = 0

    def met(self) -> bool:
        """Say whether the fast form is as fast as asked."""
        return self.plain >= self.asked * self.fast and not self.fast > self.within * self.floor > 0


def measure(function: Callable[[], Result], repeat: int) -> tuple[float, Result]:
    """Return the seconds of the fastest of some calls, and what the last one gave."""
    seconds = []
    for _ in range(repeat):
        start = perf_counter()
        result = function()
        seconds.append(perf_counter() - start)
    return min(seconds), result


def alternate(
    plain: Callable[[], Result], fast: Callable[[], Other], repeat: int
) -> tuple[float, Result, float, Other]:
    """Measure two forms in turn, so that what else the machine does hits both: seconds and result of each."""
    seconds = []
    for _ in range(repeat):
        slow, expected = measure(plain, 1)
        quick, found = measure(fast, 1)
        seconds.append((slow, quick))
    slowest, quickest = (min(times) for times in zip(*seconds, strict=True))
    return slowest, expected, quickest, found


def machine() -> str:
    """Describe this machine in a line: processor, cores, who else is at work, Python."""
    from torch import device  # late: some comparisons time what their forms import

    from headstart.machine.computing import processor_of

    load = os.getloadavg()[0]
    return f"{processor_of(device('cpu'))}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}"


def report(rows: Sequence[Row]) -> bool:
    """Print the machine and the rows as a table; say whether each is as fast as asked."""
    width = max(len(row.what) for row in rows)
    print(machine())
    print(f"{'':{width}}  {'plain, s':>10}  {'fast, s':>10}  {'ratio':>9}  {'asked':>8}  {'floor, s':>10}  above it")
    for row in rows:
        asked = f"{row.asked:g}x" if row.asked else "-"
        floor = f"{row.floor:10.4g}  {row.fast / row.floor:.2f}x" if row.floor > 0 else f"{'-':>10}  -"
        within = f" (asked {row.within:g}x)" if row.within else ""
        times = f"{row.plain:10.3f}  {row.fast:10.4g}  {row.plain / row.fast:8.1f}x  {asked:>8}"
        print(f"{row.what:{width}}  {times}  {floor}{within}{'' if row.met() else '  TOO SLOW'}", flush=True)
    return all(row.met() for row in rows)
