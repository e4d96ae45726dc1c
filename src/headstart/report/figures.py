"""The paper's figures: learning curves (1 and 2), scores against K (3), and Table 2 as a picture.

Every function gives the figure and, as a table, the numbers drawn in it, with their full intervals; bands are cut
where they leave the axes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from textwrap import shorten

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from headstart.report.charts import (
    FAINT,
    INK,
    SMALL,
    draw_curve,
    draw_legend,
    draw_level,
    draw_marks,
    draw_picture,
    dress,
    head,
    level_key,
    limit_scores,
    line_keys,
    mark_key,
    number_ticks,
    round_numbers,
)
from headstart.report.palette import CLASS_TYPES, chosen_neighbours, in_order, style
from headstart.report.published import other_classes, place_beside
from headstart.report.statistics import intervals, lower_median, macro_curves

SCORE = "Macro F-score on test images"
SCORES = {"first": "First: right after initialisation", "best": "Best: highest while training"}


def learning_curves(
    history: pd.DataFrame, published: pd.DataFrame | None = None, level: float = 0.95
) -> tuple[Figure, pd.DataFrame]:
    """Figure 1: macro F on the test images against the optimiser step, one curve per initialisation.

    Hollow marks are the paper's: First at step 0, Best at the right edge.

    Args:
        history: runs of one group and one number of shots (columns initialisation, shots, seed, step, part, wnid,
            f1).
        published: the paper's values, columns shots, initialisation, first, best, classes; those of an initialisation
            drawn, at the number of shots drawn, are marked.
        level: of the Student t intervals over seeds, drawn as bands.

    Returns:
        The figure and columns initialisation, step, seeds, mean, half_width, where anything is marked also
        published_first, published_best, published_classes.

    Raises ValueError for no test scores or several numbers of shots.
    """
    curves = macro_curves(history[history["part"] == "test"])
    classes = int(curves["classes"].max())
    setting = [_setting(curves), count(classes, "class")]
    plotted = intervals(curves, ["initialisation", "step"], level=level)
    plotted = place_beside(plotted, published, int(curves["shots"].iloc[0]), "initialisation")
    figure = Figure(figsize=(5.2, 3.7), layout="constrained")
    axes = figure.add_subplot()
    _draw_steps(axes, plotted)
    dress(axes, "", "Optimiser step", SCORE)
    head(figure, [", ".join(setting), repeats(plotted, level)])
    draw_legend(figure, line_keys(plotted["initialisation"]) + _draw_ends(axes, plotted, classes))
    return figure, plotted


def class_curves(
    history: pd.DataFrame,
    wnid: str,
    target: tuple[str, np.ndarray | None],
    sources: Mapping[str, tuple[str, float, np.ndarray | None]],
    level: float = 0.95,
) -> tuple[Figure, pd.DataFrame]:
    """Figure 2: learning curves of one target class, beside pictures of it and of the source of each measure.

    Args:
        history: as for `learning_curves`.
        wnid: the target class.
        target: its label and a picture (H, W, 3) uint8, or None; the centre square is shown.
        sources: by measure, of the chosen source: label, similarity, picture or None.
        level: of the Student t intervals over seeds.

    Returns:
        The figure and columns initialisation, step, seeds, mean, half_width.

    Raises ValueError for a class without test scores, or several numbers of shots.
    """
    found = history[(history["wnid"] == wnid) & (history["part"] == "test") & history["f1"].notna()]
    if found.empty:
        raise ValueError(f"no test scores of class {wnid} in this history; choose a target class with test images")
    setting = _setting(found)
    plotted = intervals(found, ["initialisation", "step"], level=level)
    figure = Figure(figsize=(7.2, 4.1), layout="constrained")
    halves = figure.add_gridspec(1, 2, width_ratios=(1.5, 1))
    axes = figure.add_subplot(halves[0])
    _draw_steps(axes, plotted)
    dress(axes, "", "Optimiser step", "F-score of this class on test images")
    head(figure, [f"“{shorten(target[0], 50, placeholder=' …')}”: {setting}", repeats(plotted, level)])
    pictures = [("Target class", *target, INK)]
    for measure, (label, value, pixels) in sources.items():
        look = style(measure)
        pictures.append((look.name, f"{label}\nsimilarity {value:.3f}", pixels, look.colour))
    # Two lines of text under a picture and a name above the next need room that the layout does not see.
    grid = halves[1].subgridspec(math.ceil(len(pictures) / 2), 2, hspace=0.16)
    for place, picture in enumerate(pictures):
        draw_picture(figure.add_subplot(grid[divmod(place, 2)]), *picture)
    draw_legend(figure, line_keys(plotted["initialisation"]))
    return figure, plotted


def neighbour_curves(
    sweep: pd.DataFrame,
    neighbours: pd.DataFrame,
    published: pd.DataFrame | None = None,
    shots: int = 0,
    level: float = 0.95,
) -> tuple[Figure, pd.DataFrame]:
    """Figure 3: F right after initialisation against the number of neighbours K, a panel per class type.

    Args:
        sweep: columns seed, measure, type, K, images, f1, classes; the test images are drawn.
        neighbours: columns seed, measure, type, rule, K: the K chosen; their lower median over seeds is marked.
        published: the paper's values, columns shots, initialisation, first, best, classes; its First, a mean over
            the classes of all types at the chosen K, is drawn across where the sweep has as many classes.
        shots: training images per class behind the sweep.
        level: of the Student t intervals over seeds, drawn as bands.

    Returns:
        The figure and columns measure, type, K, seeds, mean, half_width, paper and clean (True at a chosen K), where
        the paper's First is drawn also published_first, published_classes.

    Raises ValueError where the sweep holds no scores on test images.
    """
    found = sweep[(sweep["images"] == "test") & sweep["f1"].notna()]
    if found.empty:
        raise ValueError("no scores on test images in this sweep; sweep over K again with test images")
    plotted = _mark_chosen(intervals(found, ["measure", "type", "K"], level=level), neighbours)
    classes = found.groupby("type", observed=True)["classes"].max().to_dict()
    if published is not None and sum(classes.values()) == published["classes"].iloc[0]:
        plotted = place_beside(plotted, published, shots, "measure", ["first"])
    figure = Figure(figsize=(7.2, 3.3), layout="constrained")
    panels = figure.subplots(1, len(CLASS_TYPES), sharey=True)
    for axes, word in zip(panels, CLASS_TYPES, strict=True):
        _draw_panel(axes, plotted[plotted["type"] == word])
        title = f"{word.capitalize()} ({count(int(classes.get(word, 0)), 'class')})"
        dress(axes, title, "Source neighbours K", SCORE if axes is panels[0] else "")
    limit_scores(panels[0], plotted)
    head(figure, [f"Before any training, {repeats(plotted, level)}"])
    keys = {
        "paper": mark_key("K chosen on test images", hollow=False),
        "clean": mark_key("K chosen on training images", hollow=True),
        "published_first": level_key("Paper's First, all classes"),
    }
    shown = [key for column, key in keys.items() if column in plotted and plotted[column].any()]
    draw_legend(figure, line_keys(plotted["measure"]) + shown)
    return figure, plotted


def shots_curves(tidy: pd.DataFrame, level: float = 0.95) -> tuple[Figure, pd.DataFrame]:
    """Table 2 as a picture: First and Best against the images per class, the paper's values as hollow marks.

    Args:
        tidy: the frame of `tables.table2`.
        level: of the intervals in it, drawn as bands.

    Returns:
        The figure and columns score, initialisation, shots, seeds, mean, half_width, published, and
        published_classes where it is in `tidy`.
    """
    plotted = pd.concat([_score_rows(tidy, score) for score in SCORES], ignore_index=True)
    figure = Figure(figsize=(7.2, 3.7), layout="constrained")
    panels = figure.subplots(1, len(SCORES), sharey=True)
    for axes, (score, text) in zip(panels, SCORES.items(), strict=True):
        _draw_shots(axes, plotted[plotted["score"] == score])
        dress(axes, text, "Training images per class", SCORE if axes is panels[0] else "")
    limit_scores(panels[0], plotted)
    classes = int(tidy["classes"].max())
    facts = [count(classes, "class"), chosen_neighbours(plotted["initialisation"])]
    head(figure, [", ".join([*filter(None, facts), repeats(plotted, level)])])
    keys = [_paper_key(plotted, classes)] if plotted["published"].notna().any() else []
    draw_legend(figure, line_keys(plotted["initialisation"]) + keys)
    return figure, plotted


def _draw_steps(axes: Axes, plotted: pd.DataFrame) -> None:
    last = int(plotted["step"].max())
    # Logarithmic in the step, with room for step 0 on the left.
    axes.set_xscale("symlog", linthresh=1, linscale=0.5)
    axes.set_xlim(-0.15, last * 1.1 + 0.1)
    for initialisation in in_order(plotted["initialisation"]):
        part = plotted[plotted["initialisation"] == initialisation]
        draw_curve(axes, part["step"], part, style(initialisation))
    number_ticks(axes, [0, *round_numbers(last)])
    limit_scores(axes, plotted)


def _draw_ends(axes: Axes, plotted: pd.DataFrame, classes: int) -> list[Line2D]:
    if "published_first" not in plotted:
        return []
    # Beyond the last step, so that marks do not hide where the curves end.
    ends = pd.Series([0.0, 1.35 * plotted["step"].max() + 0.1])
    axes.set_xlim(right=ends[1])
    values = plotted.drop_duplicates("initialisation").set_index("initialisation")
    for initialisation in in_order(values.index):
        heights = values.loc[initialisation, ["published_first", "published_best"]].astype(float)
        draw_marks(axes, ends, heights.reset_index(drop=True), style(initialisation), hollow=True)
    return [_paper_key(plotted, classes)]


def _paper_key(plotted: pd.DataFrame, classes: int) -> Line2D:
    papers = other_classes(classes, int(plotted["published_classes"].iloc[0]))
    return mark_key(f"Paper's value{papers}, same shape", hollow=True)


def _mark_chosen(plotted: pd.DataFrame, neighbours: pd.DataFrame) -> pd.DataFrame:
    by = ["measure", "type", "K"]
    chosen = neighbours.groupby(["rule", "measure", "type"], observed=True)["K"].agg(lower_median).reset_index()
    for rule in ("paper", "clean"):
        places = set(chosen.loc[chosen["rule"] == rule, by].itertuples(index=False, name=None))
        plotted[rule] = [place in places for place in plotted[by].itertuples(index=False, name=None)]
    return plotted


def _draw_panel(axes: Axes, plotted: pd.DataFrame) -> None:
    if plotted.empty:
        text = "no classes of this type\nin this experiment"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=SMALL, color=FAINT)
        number_ticks(axes, [])
        return
    largest = int(plotted["K"].max())
    axes.set_xscale("log")
    axes.set_xlim(0.85, max(largest, 2) * 1.2)
    for measure in in_order(plotted["measure"]):
        part, look = plotted[plotted["measure"] == measure], style(measure)
        draw_curve(axes, part["K"], part, look, markers=False)
        if "published_first" in part and part["published_first"].notna().any():
            draw_level(axes, float(part["published_first"].iloc[0]), look)
        for rule, hollow in (("clean", True), ("paper", False)):
            at = part[part[rule]]
            draw_marks(axes, at["K"], at["mean"], look, hollow)
    number_ticks(axes, round_numbers(largest, few=100))


def _score_rows(tidy: pd.DataFrame, score: str) -> pd.DataFrame:
    names = {score: "mean", f"{score}_half_width": "half_width", f"published_{score}": "published"}
    classes = ["published_classes"] if "published_classes" in tidy else []
    rows = tidy[["initialisation", "shots", "seeds", *names, *classes]].rename(columns=names)
    rows.insert(0, "score", score)
    return rows


def _draw_shots(axes: Axes, plotted: pd.DataFrame) -> None:
    axes.set_xscale("log")
    for initialisation in in_order(plotted["initialisation"]):
        part, look = plotted[plotted["initialisation"] == initialisation].sort_values("shots"), style(initialisation)
        draw_curve(axes, part["shots"], part, look)
        draw_marks(axes, part["shots"], part["published"], look, hollow=True)
    number_ticks(axes, sorted(int(shots) for shots in plotted["shots"].unique()))


def _setting(runs: pd.DataFrame) -> str:
    shots = sorted(int(n) for n in runs["shots"].unique())
    if len(shots) != 1:
        found = ", ".join(map(str, shots)) or "none"
        raise ValueError(f"learning curves show one number of training images, got {found}; select one")
    facts = [f"{count(shots[0], 'training image')} per class", chosen_neighbours(runs["initialisation"])]
    return ", ".join(filter(None, facts))


def repeats(plotted: pd.DataFrame, level: float) -> str:
    """Say over how many seeds means and intervals are, for a title."""
    few, many = int(plotted["seeds"].min()), int(plotted["seeds"].max())
    seeds = count(many, "seed") if few == many else f"{few} to {many} seeds"
    return f"mean and {level * 100:g} % interval over {seeds}" if many > 1 else seeds


def count(number: int, word: str) -> str:
    """Count things in words.

    >>> count(1, "class"), count(2, "class"), count(3, "seed")
    ('1 class', '2 classes', '3 seeds')
    """
    plural = f"{word}es" if word.endswith("s") else f"{word}s"
    return f"{number} {word if number == 1 else plural}"
