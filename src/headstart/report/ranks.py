"""Strategies ranked against each other, with the difference that is critical (Demsar, 2006, JMLR 7)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from headstart.naming import label_of_variant
from headstart.report.charts import FILLED, INK, SMALL, dress, head
from headstart.report.scores import COLUMNS, in_order_of_strategies
from headstart.report.strategies import compared_by, runs_of_strategies


def rank_strategies(history: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Rank the strategies within each start, number of images and seed that all of them have, and average the ranks.

    Args:
        history: as for `strategies.runs_of_strategies`.
        level: 1 - level is the chance that any two strategies of equal worth differ critically.

    Returns:
        Columns shots (0 for all together), strategy, blocks (that were ranked), rank (1 is best, mean over blocks, ties
        share theirs), critical (the difference of mean ranks from which two strategies differ, by Nemenyi's test) and
        p (of Friedman's test that none differs, NaN for fewer than three strategies or two blocks).
    """
    runs = runs_of_strategies(history)
    score = compared_by(runs)
    wide = runs.pivot(index=["shots", "start", "seed"], columns="strategy", values=score).dropna()
    if wide.empty:
        raise ValueError(
            "no start, number of images and seed that all strategies have, so that they cannot be ranked; give the "
            "groups in tables.group one start and number of images in common"
        )
    wide = wide[in_order_of_strategies(wide.columns)]
    counts = [int(n) for n in sorted(wide.index.unique("shots"))]
    parts = [(0, wide), *((n, wide.loc[[n]]) for n in counts)] if len(counts) > 1 else [(counts[0], wide)]
    return pd.concat([_ranked(part, level).assign(shots=n) for n, part in parts], ignore_index=True)


def _ranked(scores: pd.DataFrame, level: float) -> pd.DataFrame:
    # Half a second, which no other figure needs to wait.
    from scipy.stats import friedmanchisquare, rankdata

    blocks, strategies = scores.shape
    ranks = rankdata(-scores.to_numpy(), axis=1).mean(axis=0)
    enough = strategies > 2 and blocks > 1 and bool((np.ptp(scores.to_numpy(), axis=1) > 0).any())
    p = float(friedmanchisquare(*scores.to_numpy().T).pvalue) if enough else math.nan
    frame = pd.DataFrame({"strategy": list(scores.columns), "blocks": blocks, "rank": ranks})
    return frame.assign(critical=critical_difference(strategies, blocks, level), p=p)


def critical_difference(strategies: int, blocks: int, level: float = 0.95) -> float:
    """Return from which difference of mean ranks two strategies differ, by Nemenyi's test.

    >>> round(critical_difference(4, 14, 0.95), 2)
    1.25
    """
    from scipy.stats import studentized_range

    spread = float(studentized_range.ppf(level, strategies, math.inf)) / math.sqrt(2)
    return spread * math.sqrt(strategies * (strategies + 1) / (6 * blocks))


def ranks_figure(tidy: pd.DataFrame, score: str, level: float = 0.95) -> tuple[Figure, pd.DataFrame]:
    """Draw a panel for each number of images: mean ranks, with half the critical difference to either side.

    Args:
        tidy: of `rank_strategies`.
        score: by which they are ranked, of `scores.COLUMNS`.
        level: of the critical differences.
    """
    counts = sorted(tidy["shots"].unique())
    strategies = in_order_of_strategies(tidy["strategy"])
    places = {strategy: -place for place, strategy in enumerate(strategies)}
    figure = Figure(figsize=(7.2, 1.3 + 0.28 * len(strategies)), layout="constrained")
    every = figure.subplots(1, len(counts), sharey=True, squeeze=False)[0]
    for axes, n in zip(every, counts, strict=True):
        part = tidy[tidy["shots"] == n]
        heights = part["strategy"].map(places)
        axes.errorbar(part["rank"], heights, xerr=part["critical"] / 2, fmt="o", color=INK, markersize=FILLED, lw=1)
        said = "" if pd.isna(part["p"].iloc[0]) else f"\np = {part['p'].iloc[0]:.2g}"
        dress(axes, (f"n = {n}" if n else "All n") + said, "Mean rank", "")
        axes.set_yticks(list(places.values()), [label_of_variant(strategy) for strategy in places], fontsize=SMALL)
        axes.set_xlim(len(strategies) + 0.5, 0.5)  # the best at the right
    head(
        figure,
        [
            f"Strategies ranked by {COLUMNS[score]} within each start and seed (1 is best)",
            f"Bars that do not overlap differ critically (Nemenyi, {100 * level:.0f} %); p: Friedman's test",
        ],
    )
    return figure, tidy
