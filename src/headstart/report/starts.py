"""Starts side by side before any training, and which measure finds the best sources."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from headstart.report.palette import in_order, style
from headstart.report.rendering import Table
from headstart.report.statistics import mean_interval, mean_text, paired_difference, scores_of_runs

# What a practitioner would use instead; every start is set against these, seed by seed.
REFERENCES = ("imprinted", "probe")
TRAINED = {"best": "Best after training", "clean_best": "Clean best after training"}


def table_starts(
    starts: pd.DataFrame, history: pd.DataFrame, references: Sequence[str] = REFERENCES, level: float = 0.95
) -> pd.DataFrame:
    """Macro F of every start before training, its difference to the references, and what training makes of it.

    Args:
        starts: F per class (columns initialisation, shots, seed, wnid, f1).
        history: of runs, as for `scores.table2`, or empty.
        references: initialisations whose F is subtracted, at the same number of images and seed.
        level: of the Student t intervals over seeds.

    Returns:
        Columns initialisation, shots, seeds, classes, first and first_half_width; `over_<reference>` and its half width
        for each reference that is there (NaN for itself); and where there are runs trained_seeds, best, clean_best and
        their half widths.
    """
    macro = starts.groupby(["initialisation", "shots", "seed"])["f1"].agg(f1="mean", classes="count").reset_index()
    wide = macro.pivot(index=["shots", "seed"], columns="initialisation", values="f1")
    trained = scores_of_runs(history) if len(history) else pd.DataFrame(columns=["initialisation", "shots"])
    rows = []
    for initialisation in in_order(macro["initialisation"]):
        for shots in sorted(macro["shots"].unique()):
            ours = wide.loc[shots, initialisation].dropna()
            row: dict[str, Any] = {"initialisation": initialisation, "shots": shots, "seeds": len(ours)}
            row["classes"] = int(macro["classes"].iloc[0])
            row["first"], row["first_half_width"] = mean_interval(ours, level)
            for reference in references:
                if reference in wide:
                    row |= _over(ours, wide.loc[shots, reference], reference, initialisation, level)
            runs = trained[(trained["initialisation"] == initialisation) & (trained["shots"] == shots)]
            rows.append(row | _after_training(runs, level))
    return pd.DataFrame(rows)


def _over(ours: pd.Series, theirs: pd.Series, reference: str, initialisation: str, level: float) -> dict[str, float]:
    pairs = pd.concat([ours, theirs], axis=1, join="inner").dropna()
    nothing = reference == initialisation or pairs.empty
    value, half = (math.nan,) * 2 if nothing else paired_difference(pairs.iloc[:, 0], pairs.iloc[:, 1], level)
    return {f"over_{reference}": value, f"over_{reference}_half_width": half}


def _after_training(runs: pd.DataFrame, level: float) -> dict[str, float]:
    if not len(runs):
        return {}
    found: dict[str, float] = {"trained_seeds": len(runs)}
    for score in TRAINED:
        found[score], found[f"{score}_half_width"] = mean_interval(runs[score], level)
    return found


def lay_out_starts(tidy: pd.DataFrame, digits: int = 3) -> Table:
    """Rows = starts, each with its F, its differences and its scores after training; a column per number of images."""
    shots = sorted(tidy["shots"].unique())
    measured = {"first": "F before training"}
    measured |= {f"over_{one}": f"− {style(one).name}" for one in REFERENCES if f"over_{one}" in tidy}
    measured |= {score: title for score, title in TRAINED.items() if score in tidy}
    rows, bold = [], []
    for initialisation in in_order(tidy["initialisation"]):
        found = tidy[tidy["initialisation"] == initialisation].set_index("shots")
        for column, title in measured.items():
            if found[column].isna().all():
                continue
            name = style(initialisation).name if column == "first" else ""
            signed = column.startswith("over_")
            rows.append([name, title, *(_value(found.loc[n], column, digits, signed) for n in shots)])
            best = [tidy.loc[tidy["shots"] == n, column].max() for n in shots]
            highest = [not signed and found.loc[n, column] == top for n, top in zip(shots, best, strict=True)]
            bold.append([False, False, *highest])
    columns = ["Start", "Measured", *(f"n = {n}" for n in shots)]
    cells, marks = (pd.DataFrame(part, columns=columns) for part in (rows, bold))
    return Table(tidy, cells, marks, text=frozenset({0, 1}))


def _value(row: pd.Series, column: str, digits: int, signed: bool) -> str:
    if pd.isna(row[column]):
        return "–"
    half = row[f"{column}_half_width"]
    sign = "+" if signed else ""
    text = f"{row[column]:{sign}.{digits}f}" + ("" if pd.isna(half) else f" ± {half:.{digits}f}")
    return text.replace("-", "−")


def caption_starts(tidy: pd.DataFrame, level: float = 0.95) -> str:
    """What the table of starts shows."""
    parts = [
        f"Macro F-score on the test images of {int(tidy['classes'].iloc[0])} target classes before any training, by "
        "start and training images per class (n).",
        f"{mean_text(tidy['seeds'], level)}, which draw the training images; the test images are the same for all.",
        "Differences are taken seed by seed.",
    ]
    if "best" in tidy:
        seeds = mean_text(tidy["trained_seeds"].dropna().astype(int), level)
        parts.append("After training: highest on the test images (Best), and at the step chosen on validation images")
        parts.append(f"(Clean best). {seeds}.")
    return " ".join(parts)


def table_measures(sweep: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """F of rows blended by each measure, over all classes: from the nearest source, from the best K, and that K.

    Args:
        sweep: columns seed, measure, type, K, images, f1, classes.

    Returns:
        Columns measure, seeds, nearest (K = 1), best (the highest over all K on the test images) and their half widths,
        and K (the lower median over seeds of where that is).
    """
    found = sweep[(sweep["images"] == "test") & sweep["f1"].notna()]
    weighted = found.assign(f1=found["f1"] * found["classes"])
    sums = weighted.groupby(["measure", "seed", "K"])[["f1", "classes"]].sum()
    macro = (sums["f1"] / sums["classes"]).unstack("K")
    rows = []
    for measure in in_order(macro.index.get_level_values("measure")):
        curves = macro.loc[measure]
        row: dict[str, Any] = {"measure": measure, "seeds": len(curves)}
        row["nearest"], row["nearest_half_width"] = mean_interval(curves.iloc[:, 0], level)
        row["best"], row["best_half_width"] = mean_interval(curves.max(axis=1), level)
        row["K"] = int(sorted(curves.idxmax(axis=1))[(len(curves) - 1) // 2])
        rows.append(row)
    return pd.DataFrame(rows)


def lay_out_measures(tidy: pd.DataFrame, digits: int = 3) -> Table:
    """Rows = measures: F with one neighbour, F with the best number of them, and that number."""
    rows = [
        [
            style(row["measure"]).name,
            *(_value(row, column, digits, False) for column in ("nearest", "best")),
            str(row["K"]),
        ]
        for _, row in tidy.iterrows()
    ]
    names = ["Measure", "F at K = 1", "F at the best K", "That K"]
    bold = [[False, *(row[one] == tidy[one].max() for one in ("nearest", "best")), False] for _, row in tidy.iterrows()]
    return Table(tidy, pd.DataFrame(rows, columns=names), pd.DataFrame(bold, columns=names))


def caption_measures(tidy: pd.DataFrame, shots: int, level: float = 0.95) -> str:
    """What the table of measures shows."""
    return (
        "Which measure finds the best sources: macro F-score on the test images, over all classes, right after rows "
        f"are blended by it. {mean_text(tidy['seeds'], level)}. Measures that look at images saw {shots} of each. "
        "The best K is chosen on the test images, one for all classes."
    )
