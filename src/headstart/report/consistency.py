"""F of every run beside its consistency under shifts."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from headstart.naming import label_of_variant, split_run
from headstart.report.palette import in_order, style
from headstart.report.rendering import Table
from headstart.report.scores import difference_text, score_text
from headstart.report.statistics import mean_interval, mean_text, paired_difference, scores_of_runs

SCORES = {"final": "F", "consistency": "Consistency"}


def table_consistency(history: pd.DataFrame, consistency: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Final F and consistency over seeds, and how far both are from plain fine-tuning from the same start.

    Args:
        history: of runs, their initialisations named as by `naming.run_name`.
        consistency: columns initialisation (named so too), shots, seed, images, consistency.
        level: of the Student t intervals.

    Returns:
        Columns initialisation, shots, seeds, classes, images; final and consistency and `<score>_over_plain`, NaN for
        plain fine-tuning itself and where it is not there; each with its half width.
    """
    keys = ["initialisation", "shots", "seed"]
    runs = scores_of_runs(history).merge(consistency[[*keys, "images", "consistency"]], on=keys)
    rows = []
    for shots in sorted(runs["shots"].unique(), reverse=True):
        beside = runs[runs["shots"] == shots]
        for name in in_order(beside["initialisation"]):
            found = beside[beside["initialisation"] == name]
            plain = beside[beside["initialisation"] == split_run(name)[1]]
            row: dict[str, Any] = {"initialisation": name, "shots": shots, "seeds": len(found)}
            row |= {"classes": found["classes"].iloc[0], "images": found["images"].iloc[0]}
            rows.append(row | _scores(found, plain if split_run(name)[1] != name else plain.iloc[:0], level))
    return pd.DataFrame(rows)


def _scores(found: pd.DataFrame, plain: pd.DataFrame, level: float) -> dict[str, float]:
    row = {}
    for score in SCORES:
        row[score], row[f"{score}_half_width"] = mean_interval(found[score], level)
        pairs = found.merge(plain[["seed", score]], on="seed", suffixes=("", "_plain"))
        mean, half = math.nan, math.nan
        if len(pairs):
            mean, half = paired_difference(pairs[score], pairs[f"{score}_plain"], level)
        row[f"{score}_over_plain"], row[f"{score}_over_plain_half_width"] = mean, half
    return row


def lay_out_consistency(tidy: pd.DataFrame) -> Table:
    """Rows = images per class, falling, strategy and start; F and consistency, and their differences to plain."""
    rows = [row for _, row in tidy.iterrows()]
    columns = {
        ("", "Images per class"): [str(row["shots"]) for row in rows],
        ("", "Strategy"): [label_of_variant(split_run(row["initialisation"])[0]) for row in rows],
        ("", "Start"): [style(split_run(row["initialisation"])[1]).name for row in rows],
    }
    for score, title in SCORES.items():
        columns[title, "mean"] = [score_text(row, score, 3) for row in rows]
        columns[title, "− plain, same start"] = [difference_text(row, f"{score}_over_plain", 3) for row in rows]
    return Table(tidy, pd.DataFrame(columns), text=frozenset({1, 2}))


def caption_consistency(tidy: pd.DataFrame, level: float = 0.95) -> str:
    """What the table of consistency shows."""
    first = tidy.iloc[0]
    return (
        f"Macro F-score after the last step, and the share of the {first['images']:,} test images of "
        f"{first['classes']} target classes of which two crops at random places get one label. "
        f"{mean_text(tidy['seeds'], level)}; "
        "differences are taken seed by seed."
    )
