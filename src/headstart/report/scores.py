"""Scores against the number of training images (Table 2), for one strategy or several."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from headstart.naming import label_of_variant, run_name, split_run
from headstart.report.palette import in_order, style
from headstart.report.rendering import Table
from headstart.report.statistics import mean_interval, mean_text, scores_of_runs
from headstart.vocabulary import PLAIN, STRATEGIES

COLUMNS = {"first": "First", "best": "Best", "final": "Final", "clean_best": "Clean best"}
NOTES = {
    "first": "First: right after initialisation, before any training.",
    "best": "Best: the highest value of a run over its evaluated steps, step 0 included; it is picked on the test "
    "images, as the paper does, and so a little too high.",
    "final": "Final: after the last step.",
    "clean_best": "Clean best: at the step with the highest F on held-out validation images.",
}
RULES = {
    "paper": "K per class type with the highest F on the test images (the paper's rule)",
    "clean": "K per class type by cross-validation on the training images of Figure 3, however small n is",
}


def table2(history: pd.DataFrame, published: pd.DataFrame | None = None, level: float = 0.95) -> pd.DataFrame:
    """Macro F of every initialisation and shot count: first, best, final and clean best, over seeds.

    Args:
        history: runs of one strategy and group (columns strategy, group, initialisation, shots, seed, step, part,
            wnid, f1).
        published: the paper's values to stand beside ours, columns shots, initialisation, first, best, classes.
        level: of the Student t intervals over seeds.

    Returns:
        Columns initialisation, shots, seeds, classes, steps, then a mean and `<name>_half_width` for each of
        first, best, final, clean_best (see `scores_of_runs`), then published_first, published_best and the
        differences ours - published, NaN where nothing is published, and published_classes where `published` is
        given: the number of classes that its values are means over.

    Raises ValueError for mixed groups, runs without step 0, or runs that disagree on classes or steps.
    """
    runs = scores_of_runs(history)
    rows = []
    for (initialisation, shots), group in runs.groupby(["initialisation", "shots"], sort=True):
        row: dict[str, Any] = {"initialisation": initialisation, "shots": shots, "seeds": len(group)}
        row |= {"classes": group["classes"].iloc[0], "steps": group["steps"].iloc[0]}
        for score in ("first", "best", "final", "clean_best"):
            row[score], row[f"{score}_half_width"] = mean_interval(group[score], level)
        rows.append(row)
    tidy = pd.DataFrame(rows)
    order = {name: place for place, name in enumerate(in_order(tidy["initialisation"]))}
    tidy = tidy.sort_values(
        ["initialisation", "shots"], key=lambda c: c.map(order) if c.name == "initialisation" else -c
    )
    return _by_strategy(_beside_published(tidy.reset_index(drop=True), published))


def _by_strategy(tidy: pd.DataFrame) -> pd.DataFrame:
    """Add columns strategy and start where there is any strategy but the paper's."""
    runs = [split_run(name) for name in tidy["initialisation"]]
    if {strategy for strategy, _ in runs} == {PLAIN}:
        return tidy
    strategies, starts = zip(*runs, strict=True)
    return tidy.assign(strategy=strategies, start=starts)


def _beside_published(tidy: pd.DataFrame, published: pd.DataFrame | None) -> pd.DataFrame:
    values = {} if published is None else published.set_index(["initialisation", "shots"]).to_dict()
    for score in ("first", "best"):
        found = values.get(score, {})
        keys = zip(tidy["initialisation"], tidy["shots"], strict=True)
        tidy[f"published_{score}"] = [float(found.get(key, math.nan)) for key in keys]
        tidy[f"difference_{score}"] = tidy[score] - tidy[f"published_{score}"]
    return tidy if published is None else tidy.assign(published_classes=int(published["classes"].iloc[0]))


def caption(tidy: pd.DataFrame, rule: str, columns: Sequence[str] = ("first", "best"), level: float = 0.95) -> str:
    """What Table 2 shows: classes, seeds, interval, shots, steps, and on what K and best were chosen.

    Args:
        tidy: the frame of `table2`.
        rule: of `RULES`, by which K was chosen.
        columns: those laid out, each explained.
        level: of the intervals.

    Raises ValueError for an unknown rule or column.
    """
    if rule not in RULES:
        raise ValueError(f"no rule {rule!r} chooses K; known: {', '.join(RULES)}")
    _check_columns(columns)
    classes = int(tidy["classes"].iloc[0])
    notes = dict.fromkeys(NOTES[column] for column in columns if column in NOTES)
    no_clean = "clean_best" in columns and tidy["clean_best"].isna().all()
    parts = [
        f"Macro F-score on the test images of {_classes(classes)}, by training images per class "
        f"(n = {_listed(tidy['shots'])}).",
        f"{mean_text(tidy['seeds'], level)}; {budget_text(tidy)}.",
        f"Neighbours: {RULES[rule]}.",
        *notes,
        "It is missing, as there are no validation images." if no_clean else "",
    ]
    return " ".join(part for part in parts if part)


def budget_text(tidy: pd.DataFrame) -> str:
    """Say how many steps were taken: as many in every run, or by the number of images.

    >>> budget_text(pd.DataFrame({"shots": [1, 2, 5], "steps": [9, 9, 9]}))
    '9 optimiser steps'
    >>> budget_text(pd.DataFrame({"shots": [5, 2, 1], "steps": [25, 10, 10]}))
    '10 (n = 1, 2), 25 (n = 5) optimiser steps'
    """
    found = {steps: _listed(rows["shots"]) for steps, rows in tidy.groupby("steps")}
    parts = [f"{steps}" if len(found) == 1 else f"{steps} (n = {shots})" for steps, shots in found.items()]
    return f"{', '.join(parts)} optimiser steps"


def _check_columns(columns: Sequence[str]) -> None:
    unknown = [column for column in columns if column not in COLUMNS]
    if unknown:
        raise ValueError(f"Table 2 has no column {', '.join(unknown)}; known: {', '.join(COLUMNS)}")


def _classes(number: int) -> str:
    return f"{number} target class" + ("" if number == 1 else "es")


def _listed(values: Iterable[int]) -> str:
    return ", ".join(f"{value}" for value in sorted(set(values)))


def lay_out_table2(tidy: pd.DataFrame, columns: Sequence[str] = ("first", "best"), digits: int = 3) -> Table:
    """Rows = images per class, falling; a group of columns per start; the best at a number of images in bold.

    With strategies besides the paper's, rows = images per class and strategy. `columns` are names of `COLUMNS`; in
    bold is what shows the highest number of its number of images and column name. Raises ValueError for an unknown
    column.
    """
    _check_columns(columns)
    several = "strategy" in tidy
    strategies = in_order_of_strategies(tidy["strategy"]) if several else [PLAIN]
    lines = [(n, strategy) for n in sorted(tidy["shots"].unique(), reverse=True) for strategy in strategies]
    cells = {("", "Images per class"): [str(n) for n, _ in lines]}
    if several:
        cells[("", "Strategy")] = [label_of_variant(strategy) for _, strategy in lines]
    bold = {corner: [False] * len(lines) for corner in cells}
    runs = tidy.set_index(["initialisation", "shots"])
    for start in in_order(split_run(name)[1] for name in tidy["initialisation"]):
        rows = runs.reindex([(run_name(strategy, start), n) for n, strategy in lines])
        for column in columns:
            name = (style(start).name, COLUMNS[column])
            cells[name] = [score_text(row, column, digits) for _, row in rows.iterrows()]
            values = zip(lines, rows[column], strict=True)
            bold[name] = [is_best(tidy, n, value, column, digits) for (n, _), value in values]
    return Table(tidy, pd.DataFrame(cells), pd.DataFrame(bold), text=frozenset({1} if several else ()))


def in_order_of_strategies(variants: Iterable[str]) -> list[str]:
    """Return the distinct strategies in the vocabulary's order."""
    words = list(STRATEGIES)
    return sorted(set(variants), key=lambda variant: (words.index(variant.split(",")[0]), variant))


def score_text(row: pd.Series, column: str, digits: int) -> str:
    """A mean with its half width where there is one, a dash where there is no mean.

    >>> score_text(pd.Series({"best": 0.51234, "best_half_width": 0.0312}), "best", 3)
    '0.512 ± 0.031'
    """
    if pd.isna(row[column]):
        return "–"
    half_width = row.get(f"{column}_half_width", math.nan)
    return f"{row[column]:.{digits}f}" + ("" if pd.isna(half_width) else f" ± {half_width:.{digits}f}")


def difference_text(row: pd.Series, column: str, digits: int) -> str:
    """A difference with its sign, and its half width where there is one; a dash where there is no difference.

    >>> difference_text(pd.Series({"over": -0.5, "over_half_width": 0.25}), "over", 2)
    '−0.50 ± 0.25'
    """
    if pd.isna(row[column]):
        return "–"
    half = row[f"{column}_half_width"]
    text = f"{row[column]:+.{digits}f}" + ("" if pd.isna(half) else f" ± {half:.{digits}f}")
    return text.replace("-", "−")


def is_best(tidy: pd.DataFrame, shots: int, value: Any, column: str, digits: int) -> bool:
    """Say whether a value is the highest of its column at this number of images.

    Judged by what is printed: two cells that read the same are both best.
    """
    if pd.isna(value):
        return False
    return round(float(value), digits) == round(float(tidy.loc[tidy["shots"] == shots, column].max()), digits)
