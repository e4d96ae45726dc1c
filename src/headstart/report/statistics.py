"""From single runs to means over seeds, with intervals and paired comparisons."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtrit


def mean_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Mean of a few repeats and the half width of its Student t interval.

    The half width is NaN for one value; both are NaN where any value is NaN. Raises ValueError for no value.

    >>> mean, half_width = mean_interval([0.4, 0.5, 0.6])
    >>> round(mean, 4), round(half_width, 4)
    (0.5, 0.2484)
    """
    array = np.asarray(values, dtype=np.float64).ravel()
    if array.size == 0:
        raise ValueError("a mean needs at least one value, got none; are there runs for this combination?")
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval lies between 0 and 1, got {level}; 0.95 is usual")
    mean = float(array.mean())
    if array.size == 1:
        return mean, math.nan
    quantile = stdtrit(array.size - 1, 0.5 + level / 2)
    return mean, float(quantile * array.std(ddof=1) / math.sqrt(array.size))


def paired_difference(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Mean of a - b, pair by pair, and the half width of its Student t interval.

    Raises ValueError where the two differ in length.

    >>> paired_difference([0.75, 0.5], [0.25, 0.0])
    (0.5, 0.0)
    """
    first, second = (np.asarray(values, dtype=np.float64).ravel() for values in (a, b))
    if first.size != second.size:
        raise ValueError(f"pairs need as many values on both sides, got {first.size} and {second.size}")
    return mean_interval(first - second, level)


def rank_correlation(x: ArrayLike, y: ArrayLike) -> float:
    """Spearman's correlation, ties sharing their mean rank; NaN where x or y is constant.

    >>> rank_correlation([1, 2, 3, 4], [0.1, 0.2, 0.5, 0.4])
    0.8
    """
    ranks = [pd.Series(np.asarray(values, dtype=np.float64)).rank().to_numpy() for values in (x, y)]
    centred = [rank - rank.mean() for rank in ranks]
    norm = math.sqrt(float(centred[0] @ centred[0]) * float(centred[1] @ centred[1]))
    return float(centred[0] @ centred[1]) / norm if norm else math.nan


def macro_curves(history: pd.DataFrame) -> pd.DataFrame:
    """Macro F of every run, part and evaluated step.

    Args:
        history: one row per class (columns initialisation, shots, seed, part, step, wnid, f1).

    Returns:
        Columns initialisation, shots, seed, part, step, f1 and classes: the mean over the classes that have
        images (f1 not NaN) and their number.
    """
    run = ["initialisation", "shots", "seed", "part", "step"]
    # Scores may be stored in single precision; their mean is not.
    scores = history["f1"].astype(np.float64)
    groups = scores.groupby([history[column] for column in run], observed=True, sort=True)
    return groups.agg(f1="mean", classes="count").reset_index()


def intervals(frame: pd.DataFrame, by: Sequence[str], value: str = "f1", level: float = 0.95) -> pd.DataFrame:
    """Mean and half width of `value` over the rows of each group, which are its seeds.

    Returns the columns `by`, seeds, mean and half_width, sorted by `by`.
    """
    rows: list[dict[str, Any]] = []
    for key, group in frame.groupby(list(by), observed=True, sort=True):
        mean, half_width = mean_interval(group[value], level)
        rows.append({**dict(zip(by, key, strict=True)), "seeds": len(group), "mean": mean, "half_width": half_width})
    return pd.DataFrame(rows, columns=[*by, "seeds", "mean", "half_width"])


def gather_seeds(frames: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Put the tables of several seeds under each other, with a first column `seed`.

    >>> gather_seeds({3: pd.DataFrame({"K": [1]}), 4: pd.DataFrame({"K": [2]})})["seed"].tolist()
    [3, 4]
    """
    if not frames:
        raise ValueError("expected the table of at least one seed, got none")
    return pd.concat(dict(frames), names=["seed"]).reset_index("seed").reset_index(drop=True)


def scores_of_runs(history: pd.DataFrame) -> pd.DataFrame:
    """The scores of each run: columns initialisation, shots, seed, classes, steps, first, best, final, clean_best.

    first is the test macro F at step 0, best its maximum over the evaluated steps with step 0, final the one at
    the last step, clean_best the one at the (earliest) step with the highest validation macro F, NaN where there
    is no validation part.
    """
    curves = macro_curves(history)
    rows = []
    for (initialisation, shots, seed), run in curves.groupby(["initialisation", "shots", "seed"], observed=True):
        scores = _scores(run, f"{initialisation}, {shots} shots, seed {seed}")
        rows.append({"initialisation": initialisation, "shots": shots, "seed": seed, **scores})
    runs = pd.DataFrame(rows)
    _check_agreement(runs)
    return runs


def _scores(run: pd.DataFrame, name: str) -> dict[str, Any]:
    test = run[run["part"] == "test"].set_index("step")
    validation = run[run["part"] == "validation"].set_index("step")["f1"].dropna()
    if 0 not in test.index:
        raise ValueError(f"the run {name} has no test scores at step 0 (steps {list(test.index)}); train it again")
    # PAPER: "best registered" is a maximum over the test set, the paper having no validation images.
    return {
        "classes": int(test["classes"].min()),
        "steps": int(test.index.max()),
        "first": float(test["f1"].loc[0]),
        "best": float(test["f1"].max()),
        "final": float(test["f1"].loc[test.index.max()]),
        "clean_best": float(test["f1"].loc[validation.idxmax()]) if len(validation) else math.nan,
    }


def _check_agreement(runs: pd.DataFrame) -> None:
    if runs["classes"].nunique() > 1:
        counts = ", ".join(map(str, sorted(runs["classes"].unique())))
        raise ValueError(f"the runs count {counts} classes with test images; a mean needs the same; train them again")
    for shots, group in runs.groupby("shots"):
        if group["steps"].nunique() > 1:
            steps = ", ".join(map(str, sorted(group["steps"].unique())))
            raise ValueError(f"runs of {shots} shots end after {steps} steps; all need one budget; train them again")


def lower_median(values: Any) -> Any:
    """The middle value, the lower one of two, so that it is one of the values.

    >>> lower_median([5, 1, 9, 2])
    2
    """
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2]


def mean_text(seeds: Iterable[int], level: float) -> str:
    """Say over how many seeds a mean is taken, and what stands behind its ±.

    >>> mean_text([3, 3], 0.95)
    'Mean ± half width of the 95 % Student t interval over 3 seeds'
    """
    few, many = min(seeds), max(seeds)
    if many == 1:
        return "One seed, hence no interval"
    count = f"{few}" if few == many else f"{few} to {many}"
    return f"Mean ± half width of the {level:.0%} Student t interval over {count} seeds".replace("%", " %")
