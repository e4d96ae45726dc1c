"""F of every start before training against the number of training images."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from headstart.report.charts import draw_curve, draw_legend, dress, head, limit_scores, line_keys, number_ticks
from headstart.report.figures import SCORE, count, repeats
from headstart.report.palette import in_order, style


def starts_curves(tidy: pd.DataFrame, level: float = 0.95) -> tuple[Figure, pd.DataFrame]:
    """Draw the table of starts: a curve with its interval for each.

    Args:
        tidy: the frame of `starts.table_starts`.
        level: of the intervals in it.

    Returns:
        The figure and columns initialisation, shots, seeds, mean, half_width.
    """
    names = {"first": "mean", "first_half_width": "half_width"}
    plotted = tidy[["initialisation", "shots", "seeds", *names]].rename(columns=names)
    figure = Figure(figsize=(5.6, 4.0), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xscale("log")
    for initialisation in in_order(plotted["initialisation"]):
        part = plotted[plotted["initialisation"] == initialisation].sort_values("shots")
        draw_curve(axes, part["shots"], part, style(initialisation))
    number_ticks(axes, sorted(int(n) for n in plotted["shots"].unique()))
    limit_scores(axes, plotted)
    dress(axes, "", "Training images per class", SCORE)
    head(figure, [f"Before any training, {count(int(tidy['classes'].max()), 'class')}", repeats(plotted, level)])
    draw_legend(figure, line_keys(plotted["initialisation"]))
    return figure, plotted
