"""Do the paper's three claims hold in these results?"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pandas as pd

from headstart.report.palette import CLASS_TYPES, style
from headstart.report.rendering import Table
from headstart.report.statistics import mean_interval, paired_difference, rank_correlation, scores_of_runs

CLAIMS = {
    1: "At the start: visual > WordNet > Word2Vec > random",
    2: "With few images (n ≤ 5) visual stays ahead of random",
    3: "Visual gains smoothly with more neighbours K",
}
ORDER = ("inference", "wordnet", "word2vec", "random")
FEW_SHOTS = 5
LARGEST_K = 50
# A rank correlation from here on is called a smooth rise: at most a few of the steps go down.
SMOOTH = 0.8


def check_claims(history: pd.DataFrame, sweep: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """The paper's claims as differences and rank correlations over seeds, with a verdict each.

    Args:
        history: runs of one group (as for `tables.table2`).
        sweep: columns seed, measure, type, K, images, f1.

    Returns:
        Columns claim (1, 2, 3), measured, value, half_width, seeds, holds. holds is "yes" where the whole interval
        lies above the threshold (0 for a difference, 0.8 for a rank correlation), "no" where all of it lies at or
        below it, and "unclear" otherwise, with a single seed, or where a run is missing.
    """
    runs = scores_of_runs(history)
    rows = [*_start(runs, level), *_lasting(runs, level), *_rise(sweep, level)]
    return pd.DataFrame(rows, columns=["claim", "measured", "value", "half_width", "seeds", "holds"])


def verdict(value: float, half_width: float, threshold: float = 0.0) -> str:
    """Say whether an interval lies above a threshold.

    >>> verdict(0.3, 0.1), verdict(-0.3, 0.1), verdict(0.3, 0.4), verdict(0.3, math.nan)
    ('yes', 'no', 'unclear', 'unclear')
    """
    if value - half_width > threshold:
        return "yes"
    return "no" if value + half_width <= threshold else "unclear"


def _start(runs: pd.DataFrame, level: float) -> list[dict[str, Any]]:
    largest = int(runs["shots"].max())
    return [_difference(1, runs, higher, lower, "first", largest, level) for higher, lower in pairwise(ORDER)]


def _lasting(runs: pd.DataFrame, level: float) -> list[dict[str, Any]]:
    few = sorted((int(n) for n in runs["shots"].unique() if n <= FEW_SHOTS), reverse=True)
    if not few:
        return [_row(2, f"no runs with at most {FEW_SHOTS} images per class", [], level)]
    return [
        _difference(2, runs, "inference", "random", score, shots, level) for shots in few for score in ("best", "final")
    ]


def _difference(
    claim: int, runs: pd.DataFrame, higher: str, lower: str, score: str, shots: int, level: float
) -> dict[str, Any]:
    """One row: the score of `higher` minus that of `lower`, over the seeds that both have."""
    pair = [runs[(runs["initialisation"] == name) & (runs["shots"] == shots)] for name in (higher, lower)]
    joined = pair[0].merge(pair[1], on="seed", suffixes=("_higher", "_lower"))
    measured = f"{score.capitalize()} at n = {shots}: {style(higher).name} − {style(lower).name}"
    if joined.empty:
        return _row(claim, f"{measured} (not both run)", [], level)
    value, half_width = paired_difference(joined[f"{score}_higher"], joined[f"{score}_lower"], level)
    return _filled(claim, measured, value, half_width, len(joined), 0.0)


def _rise(sweep: pd.DataFrame, level: float) -> list[dict[str, Any]]:
    found = sweep[
        (sweep["measure"] == "inference")
        & (sweep["images"] == "test")
        & (sweep["K"] <= LARGEST_K)
        & sweep["f1"].notna()
    ]
    rows = []
    for word in [word for word in CLASS_TYPES if word in set(found["type"])]:
        part = found[found["type"] == word]
        runs = [run.sort_values("K") for _, run in part.groupby("seed")]
        span = f"K = 1 to {int(part['K'].max())}, {word} classes"
        correlations = [rank_correlation(run["K"], run["f1"]) for run in runs]
        gains = [float(run["f1"].iloc[-1] - run["f1"].iloc[0]) for run in runs]
        rows.append(_row(3, f"Rank correlation of F with K, {span}", correlations, level, SMOOTH))
        rows.append(_row(3, f"F at the largest K − F at K = 1, {span}", gains, level))
    return rows or [_row(3, "no sweep over K for the visual measure", [], level)]


def _row(claim: int, measured: str, values: list[float], level: float, threshold: float = 0.0) -> dict[str, Any]:
    value, half_width = mean_interval(values, level) if values else (math.nan, math.nan)
    return _filled(claim, measured, value, half_width, len(values), threshold)


def _filled(claim: int, measured: str, value: float, half_width: float, seeds: int, threshold: float) -> dict[str, Any]:
    holds = verdict(value, half_width, threshold)
    return {
        "claim": claim,
        "measured": measured,
        "value": value,
        "half_width": half_width,
        "seeds": seeds,
        "holds": holds,
    }


def lay_out_claims(tidy: pd.DataFrame, digits: int = 3) -> Table:
    """Rows = what was measured; the claim is named on its first row."""
    rows = []
    for place, row in tidy.reset_index(drop=True).iterrows():
        first = place == 0 or row["claim"] != tidy["claim"].iloc[place - 1]
        name = f"{row['claim']}. {CLAIMS[row['claim']]}" if first else ""
        rows.append([name, row["measured"], _value_text(row, digits), row["holds"]])
    names = ["Claim of the paper", "Measured", "Value", "Holds"]
    return Table(tidy, pd.DataFrame(rows, columns=names), text=frozenset({0, 1, 3}))


def _value_text(row: pd.Series, digits: int) -> str:
    if pd.isna(row["value"]):
        return "–"
    spread = "" if pd.isna(row["half_width"]) else f" ± {row['half_width']:.{digits}f}"
    return f"{row['value']:+.{digits}f}".replace("-", "−") + spread


def caption_claims(tidy: pd.DataFrame, level: float = 0.95) -> str:
    """What the table of claims shows."""
    share = f"{level:.0%}".replace("%", " %")
    return (
        f"The paper's claims, checked. Values are means over seeds (paired where two runs are compared) ± the half "
        f"width of the {share} Student t interval; {int(tidy['seeds'].max())} seeds at most. "
        f"Yes: the whole interval lies above 0, or above {SMOOTH} for a rank correlation (Spearman). "
        "No: all of it lies at or below. Unclear: neither, or a single seed, or not run. "
        "K is 1 to 50 at most; n is the number of training images per class."
    )
