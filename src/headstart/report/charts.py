"""The pieces of a figure: axes, curves, marks, pictures, legend, and the file at the end.

Sizes of text are in points at the printed size of the figure, the smallest 8.
"""

from __future__ import annotations

import math
import os
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from headstart.jobs.files import replacing, write_table
from headstart.report.palette import Style, chosen_neighbours, in_order, style

INK, FAINT, GRID = "#1c1c1c", "#6b6b6b", "#e2e2e2"
TEXT, SMALL = 9, 8
FILLED, HOLLOW = 4.5, 7.5
HANDLE, GAP = 3.2, 1.5
LEVEL: dict[str, Any] = {"linestyle": (0, (1, 2)), "linewidth": 0.9, "zorder": 1.5}
# Without these, every run of the same code would write other bytes.
UNDATED: dict[str, dict[str, Any]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {}}
SAVING: dict[Any, Any] = {"svg.hashsalt": "headstart", "svg.fonttype": "path", "pdf.fonttype": 42}


def write_figure(figure: Figure, plotted: pd.DataFrame, paths: Iterable[str | os.PathLike[str]]) -> None:
    """Write the figure to every path by its suffix, .svg, .pdf or .png, and the numbers to .csv.

    The same figure gives the same bytes. Raises ValueError for another suffix, before anything is written.
    """
    wanted = [Path(path) for path in paths]
    unknown = [str(path) for path in wanted if path.suffix not in (".csv", *UNDATED)]
    if unknown:
        raise ValueError(f"cannot write a figure to {', '.join(unknown)}; use .csv, {', '.join(UNDATED)}")
    settle(figure)
    for path in wanted:
        if path.suffix == ".csv":
            write_table(plotted, path)
        else:
            with replacing(path) as partial, mpl.rc_context(SAVING):
                figure.savefig(partial, format=path.suffix[1:], metadata=UNDATED[path.suffix], dpi=200)


def settle(figure: Figure) -> None:
    """Lay the figure out once and keep that, rounded.

    The solver behind matplotlib's layout differs in the last bits from one process to the next.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = axes.get_position(original=True).bounds
        axes.set_position((round(left, 4), round(bottom, 4), round(width, 4), round(height, 4)))
    for text in figure.texts:
        x, y = text.get_position()
        text.set_position((round(x, 4), round(y, 4)))


def head(figure: Figure, lines: Sequence[str]) -> None:
    """Write lines above the whole figure, from its left edge."""
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=TEXT, color=INK)


def dress(axes: Axes, title: str, x: str, y: str) -> None:
    """Give axes their title, their names, a thin grid, and two of their four edges."""
    axes.set_title(title, loc="left", fontsize=TEXT, color=INK)
    axes.set_xlabel(x, fontsize=TEXT, color=INK)
    axes.set_ylabel(y, fontsize=TEXT, color=INK)
    axes.tick_params(labelsize=SMALL, color=FAINT, labelcolor=INK, width=0.6, length=3)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set(visible=side in ("left", "bottom"), color=FAINT, linewidth=0.6)


def limit_scores(axes: Axes, plotted: pd.DataFrame) -> None:
    """Let the y axis run from 0 to just above the highest mean, interval or published value, at most to 1."""
    values = [plotted[name] for name in ("published", "published_first", "published_best") if name in plotted]
    highest = pd.concat([plotted["mean"] + plotted["half_width"].fillna(0), *values]).max()
    top = 1.0 if pd.isna(highest) else min(1.0, math.ceil(10 * highest + 0.2) / 10)
    axes.set_ylim(0, top)


def number_ticks(axes: Axes, places: Sequence[int]) -> None:
    """Put plain whole numbers at these places of the x axis, and nothing between."""
    axes.xaxis.set_major_locator(FixedLocator(list(places)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(plain_number))


def plain_number(value: float, place: int | None = None) -> str:
    """A whole number with thin spaces between thousands, as matplotlib's formatters are called.

    >>> plain_number(20.0), len(plain_number(1000.0))
    ('20', 5)
    """
    return f"{value:,.0f}".replace(",", "\u2009")


def round_numbers(largest: int, few: int = 200) -> list[int]:
    """Round numbers from 1 up to `largest`: 1, 2, 5, 10, ... below `few`, else powers of ten.

    >>> round_numbers(60), round_numbers(1000)
    ([1, 2, 5, 10, 20, 50], [1, 10, 100, 1000])
    """
    steps = (1, 2, 5) if largest < few else (1,)
    powers = [10**power for power in range(len(str(largest)))]
    return [step * power for power in powers for step in steps if step * power <= largest]


def draw_curve(axes: Axes, x: pd.Series, part: pd.DataFrame, look: Style, markers: bool = True) -> None:
    """Draw the mean of `part` (columns mean, half_width) as a line with a band where there is an interval."""
    points = look.points | {"markersize": FILLED, "markevery": math.ceil(len(part) / 16)} if markers else {}
    # Marks at the very edge, such as a score of 0 at step 0, stay whole.
    axes.plot(x, part["mean"], **look.line, **points, linewidth=1.5, zorder=3, clip_on=False)
    if part["half_width"].notna().any():
        low, high = part["mean"] - part["half_width"], part["mean"] + part["half_width"]
        axes.fill_between(x, low, high, color=look.colour, alpha=0.14, linewidth=0, zorder=2)


def draw_marks(axes: Axes, x: pd.Series, y: pd.Series, look: Style, hollow: bool) -> None:
    """Draw marks of this look alone, small and filled or large and hollow, so that both show at one place."""
    shown = y.notna()
    # Marks that are not clipped and not there would still claim the corner of the figure from its layout.
    if shown.any():
        points = look.points | _size_and_fill(hollow, look.colour)
        axes.plot(x[shown], y[shown], linestyle="", **points, zorder=4, clip_on=False)


def _size_and_fill(hollow: bool, colour: str) -> dict[str, Any]:
    return (
        {"markersize": HOLLOW, "markerfacecolor": "none"}
        if hollow
        else {"markersize": FILLED, "markerfacecolor": colour}
    )


def draw_level(axes: Axes, height: float, look: Style) -> None:
    """Draw a thin dotted line of this colour across the axes, behind the curves."""
    axes.axhline(height, color=look.colour, **LEVEL)


def draw_picture(axes: Axes, name: str, text: str, pixels: np.ndarray | None, colour: str) -> None:
    """Show the centre square of a picture (H, W, 3), framed, with a name above and a text below."""
    for spine in axes.spines.values():
        spine.set(color=colour, linewidth=2)
    if pixels is None:
        axes.set(xlim=(0, 1), ylim=(0, 1), box_aspect=1)
        axes.text(0.5, 0.5, "no picture", ha="center", va="center", fontsize=SMALL, color=FAINT)
    else:
        height, width = pixels.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        axes.imshow(pixels[top : top + side, left : left + side], interpolation="antialiased")
    axes.set(xticks=[], yticks=[])
    # One line for each line given: more would run into the picture below.
    lines = [textwrap.shorten(line, width=20, placeholder=" …") for line in text.split("\n")]
    axes.set_title(name, fontsize=SMALL, fontweight="bold", color=INK, pad=4)
    axes.set_xlabel("\n".join(lines), fontsize=SMALL, color=INK, labelpad=3)


def line_keys(initialisations: Iterable[str]) -> list[Line2D]:
    """One entry of a legend for each initialisation or measure, without a K that all share (the title has it)."""
    names = in_order(initialisations)
    shared = f", {chosen_neighbours(names)}"
    sizes: dict[str, Any] = {"markersize": FILLED, "linewidth": 1.5}
    return [
        Line2D([], [], **look.line, **look.points, **sizes, label=look.name.removesuffix(shared))
        for look in map(style, names)
    ]


def mark_key(label: str, hollow: bool) -> Line2D:
    """The entry of a legend for small filled or large hollow marks, whatever their colour."""
    return Line2D([], [], linestyle="", marker="o", **_size_and_fill(hollow, FAINT), markeredgecolor=FAINT, label=label)


def level_key(label: str) -> Line2D:
    """The entry of a legend for the lines of `draw_level`, whatever their colour."""
    return Line2D([], [], color=FAINT, **LEVEL, label=label)


def draw_legend(figure: Figure, keys: list[Line2D]) -> None:
    """Put the keys below the figure, in as few rows of even length as fit its width."""
    texts = [TextPath((0, 0), str(key.get_label()), size=SMALL).get_extents().width for key in keys]
    width = 72 * figure.get_figwidth()
    rows = next(rows for rows in range(1, len(keys) + 1) if rows == len(keys) or _legend_width(texts, rows) < width)
    figure.legend(
        handles=keys,
        loc="outside lower center",
        ncols=math.ceil(len(keys) / rows),
        fontsize=SMALL,
        labelcolor=INK,
        frameon=False,
        handlelength=HANDLE,
        columnspacing=GAP,
    )


def _legend_width(texts: Sequence[float], rows: int) -> float:
    """Points taken by a legend of so many rows; it is filled column by column."""
    columns = [texts[start : start + rows] for start in range(0, len(texts), rows)]
    # 0.8: the gap between line and text, in letter heights; the last GAP stands for the border.
    return sum(max(column) + SMALL * (HANDLE + 0.8 + GAP) for column in columns)
