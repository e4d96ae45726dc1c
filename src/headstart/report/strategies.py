"""Strategies side by side: what each makes of every start, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from headstart.naming import label_of_variant, split_run
from headstart.report.palette import in_order, style
from headstart.report.rendering import Table
from headstart.report.scores import COLUMNS, budget_text, difference_text, in_order_of_strategies, is_best, score_text
from headstart.report.statistics import mean_interval, mean_text, paired_difference, scores_of_runs
from headstart.vocabulary import PLAIN

# Against what every run is set, seed by seed: plain fine-tuning from a random head, and from the run's own start.
REFERENCES = {"random": "− plain, random", "same": "− plain, same start"}


def compared_by(runs: pd.DataFrame) -> str:
    """Return the score by which strategies are compared: clean best, or best where there are no validation images."""
    return "best" if runs["clean_best"].isna().all() else "clean_best"


def runs_of_strategies(history: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of each run as `scores_of_runs` does, with columns strategy and start.

    Args:
        history: of runs, their initialisations named as by `naming.run_name`.
    """
    runs = scores_of_runs(history)
    named = [split_run(name) for name in runs["initialisation"]]
    return runs.assign(strategy=[strategy for strategy, _ in named], start=[start for _, start in named])


def table_strategies(history: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Scores of every strategy, start and number of images, and how far they are above plain fine-tuning.

    Args:
        history: as for `runs_of_strategies`.
        level: of the Student t intervals over seeds.

    Returns:
        Columns strategy, start, shots, seeds, classes, steps; first, best, final and clean_best; `over_random` and
        `over_same`, paired differences by the score of `compared_by` to plain fine-tuning from a random head and from
        the same start, NaN where there is none and for itself; each of these with its half width.
    """
    runs = runs_of_strategies(history)
    score = compared_by(runs)
    wide = runs.pivot(index=["shots", "seed"], columns="initialisation", values=score)
    rows = []
    for shots in sorted(runs["shots"].unique(), reverse=True):
        for strategy in in_order_of_strategies(runs["strategy"]):
            found = runs[(runs["shots"] == shots) & (runs["strategy"] == strategy)]
            for name in in_order(found["initialisation"]):
                rows.append(_row(found[found["initialisation"] == name], wide.loc[shots], level))
    return pd.DataFrame(rows)


def _row(runs: pd.DataFrame, wide: pd.DataFrame, level: float) -> dict[str, Any]:
    first = runs.iloc[0]
    row: dict[str, Any] = {key: first[key] for key in ("strategy", "start", "shots")}
    row |= {"seeds": len(runs), "classes": first["classes"], "steps": first["steps"]}
    for score in COLUMNS:
        row[score], row[f"{score}_half_width"] = mean_interval(runs[score], level)
    for word, reference in (("random", "random"), ("same", first["start"])):
        row[f"over_{word}"], row[f"over_{word}_half_width"] = _over(wide, first["initialisation"], reference, level)
    return row


def _over(wide: pd.DataFrame, name: str, reference: str, level: float) -> tuple[float, float]:
    # Plain fine-tuning leaves its name unsaid, so that its runs are called like their start.
    if reference not in wide or name == reference:
        return math.nan, math.nan
    pairs = wide[[name, reference]].dropna()
    return paired_difference(pairs[name], pairs[reference], level) if len(pairs) else (math.nan, math.nan)


def lay_out_strategies(tidy: pd.DataFrame, digits: int = 3) -> Table:
    """Rows = images per class, falling, strategy and start; the highest scores of a number of images in bold."""
    rows = [row for _, row in tidy.iterrows()]
    cells = {
        "Images per class": [str(row["shots"]) for row in rows],
        "Strategy": [label_of_variant(row["strategy"]) for row in rows],
        "Start": [style(row["start"]).name for row in rows],
        **{name: [score_text(row, column, digits) for row in rows] for column, name in COLUMNS.items()},
        **{name: [difference_text(row, f"over_{word}", digits) for row in rows] for word, name in REFERENCES.items()},
    }
    bold = {name: [False] * len(rows) for name in cells}
    for column, name in COLUMNS.items():
        bold[name] = [is_best(tidy, row["shots"], row[column], column, digits) for row in rows]
    return Table(tidy, pd.DataFrame(cells), pd.DataFrame(bold), text=frozenset({1, 2}))


def caption_strategies(tidy: pd.DataFrame, level: float = 0.95) -> str:
    """What the table of strategies shows."""
    clean = compared_by(tidy) == "clean_best"
    chosen = "Clean best, the step chosen on validation images" if clean else "Best, picked on the test images"
    return " ".join(
        [
            f"Macro F-score on the test images of {int(tidy['classes'].iloc[0])} target classes, by training images",
            "per class, strategy and start.",
            f"{mean_text(tidy['seeds'], level)}; {budget_text(tidy)} for each strategy.",
            f"Differences are of {chosen}, taken seed by seed:",
            f"to {label_of_variant(PLAIN).lower()} from a random head, and from the same start.",
        ]
    )


def read_costs(histories: Iterable[str], folder: Path) -> pd.DataFrame:
    """Read what each job of fine-tuning took.

    Args:
        histories: of the jobs.
        folder: holds what Snakemake noted, `fine_tune/<strategy>/<shots>-<seed>.tsv`; files may be missing.

    Returns:
        Columns strategy, shots, seed, steps (of all starts together), seconds and megabytes; a row for each job of
        which there is a note.
    """
    rows = []
    for path in histories:
        history = pd.read_parquet(path, columns=["strategy", "shots", "seed", "initialisation", "step"])
        strategy, shots, seed = history.iloc[0][["strategy", "shots", "seed"]]
        note = Path(folder, "fine_tune", strategy, f"{shots}-{seed}.tsv")
        if note.exists():
            taken = pd.read_csv(note, sep="\t", na_values="-").iloc[0]
            steps = int(history.groupby("initialisation")["step"].max().sum())
            rows.append((strategy, int(shots), int(seed), steps, float(taken["s"]), float(taken["max_rss"])))
    return pd.DataFrame(rows, columns=["strategy", "shots", "seed", "steps", "seconds", "megabytes"])


def table_costs(jobs: pd.DataFrame) -> pd.DataFrame:
    """Sum up jobs by strategy: columns strategy, jobs, steps, seconds, steps_per_second, relative and megabytes.

    `relative` is steps_per_second to those of plain fine-tuning, NaN without it; megabytes are of the largest job.
    """
    sums = jobs.groupby("strategy").agg(
        jobs=("seed", "size"), steps=("steps", "sum"), seconds=("seconds", "sum"), megabytes=("megabytes", "max")
    )
    sums = sums.reindex(in_order_of_strategies(jobs["strategy"]))
    speed = sums["steps"] / sums["seconds"]
    plain = speed.get(PLAIN, math.nan)
    return sums.assign(steps_per_second=speed, relative=speed / plain).rename_axis("strategy").reset_index()


def lay_out_costs(tidy: pd.DataFrame) -> Table:
    """Rows = strategies: steps in a second, the same beside plain fine-tuning, memory, and over how many jobs."""
    shown = {"steps_per_second": "Steps per second", "relative": "To plain", "megabytes": "MB at most", "jobs": "Jobs"}
    forms = {"steps_per_second": "{:.2f}", "relative": "{:.2f}", "megabytes": "{:.0f}", "jobs": "{:d}"}
    cells = {"Strategy": [label_of_variant(strategy) for strategy in tidy["strategy"]]}
    for column, name in shown.items():
        cells[name] = ["–" if pd.isna(value) else forms[column].format(value) for value in tidy[column]]
    return Table(tidy, pd.DataFrame(cells))


CAPTION_COSTS = (
    "What a step of each strategy costs: optimiser steps of single runs in a second of a job, start-up and evaluations "
    "included, and the memory of the largest job, as measured when the runs were trained. Starts of a job share the "
    "frozen blocks, so only jobs with as many starts compare; where runs were kept from before, a job looks too fast."
)
