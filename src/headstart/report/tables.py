"""The paper's tables: sources chosen (Table 1), scores against shots (Table 2), numbers of neighbours chosen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from headstart.report.palette import CLASS_TYPES, in_order, style
from headstart.report.rendering import Table
from headstart.report.statistics import intervals, lower_median, mean_interval, scores_of_runs

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


def table1(
    targets: Sequence[str],
    similarities: Mapping[str, pd.DataFrame],
    classes: pd.DataFrame,
    published: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The nearest source of each target class under each measure.

    Args:
        targets: wnids of the target classes wanted.
        similarities: (T, S) frame of each measure, index and columns wnids.
        classes: columns wnid and lemmas, of sources and targets.
        published: the paper's choices, columns target_wnid, measure, source, source_wnid.

    Returns:
        Columns target, target_wnid, measure, source, source_wnid, value and ties (how many sources share the
        value). Of tied sources the first column is named; a row without a positive value names none. Where the
        paper names a source for any of these targets, also published_source and published_source_wnid.

    Raises ValueError for a target that a measure lacks.
    """
    lemmas = dict(zip(classes["wnid"], classes["lemmas"].astype(str), strict=True))
    rows = [
        {
            "target": lemmas.get(wnid, wnid),
            "target_wnid": wnid,
            "measure": measure,
            **_nearest(frame, wnid, lemmas),
        }
        for wnid in targets
        for measure, frame in similarities.items()
    ]
    tidy = pd.DataFrame(rows)
    if published is None or not published["target_wnid"].isin(tidy["target_wnid"]).any():
        return tidy
    papers = published[["target_wnid", "measure", "source", "source_wnid"]]
    papers = papers.rename(columns={name: f"published_{name}" for name in ("source", "source_wnid")})
    return tidy.merge(papers, on=["target_wnid", "measure"], how="left")


def _nearest(similarity: pd.DataFrame, wnid: str, lemmas: Mapping[str, str]) -> dict[str, Any]:
    if wnid not in similarity.index:
        known = ", ".join(map(str, similarity.index[:3]))
        raise ValueError(f"{wnid} is no target class of this run (rows are {known}, ...); correct the examples wanted")
    row = similarity.loc[wnid].to_numpy(dtype=np.float64)
    value = float(np.nanmax(row)) if not np.isnan(row).all() else math.nan
    if not value > 0:
        return {"source": "", "source_wnid": "", "value": value, "ties": 0}
    source = str(similarity.columns[int(np.nanargmax(row))])
    return {
        "source": lemmas.get(source, source),
        "source_wnid": source,
        "value": value,
        "ties": int((row == value).sum()),
    }


def lay_out_table1(tidy: pd.DataFrame) -> Table:
    """Rows = target classes, a column per measure: source, its similarity, and how many others tie.

    Below a class for which the paper names sources, a row with these.
    """
    measures = list(dict.fromkeys(tidy["measure"]))
    rows = []
    for (target, _), group in tidy.groupby(["target", "target_wnid"], sort=False):
        found = [group[group["measure"] == measure].iloc[0] for measure in measures]
        rows.append([target, *map(_source_text, found)])
        if "published_source" in tidy and group["published_source"].notna().any():
            rows.append(["", *map(_published_source_text, found)])
    names = ["Target class", *(style(measure).name for measure in measures)]
    return Table(tidy, pd.DataFrame(rows, columns=names), text=frozenset(range(len(names))))


def _source_text(row: pd.Series) -> str:
    if not row["source_wnid"]:
        return "none"
    others = f", {row['ties'] - 1} more tied" if row["ties"] > 1 else ""
    return f"{row['source']} ({row['value']:.3f}{others})"


def _published_source_text(row: pd.Series) -> str:
    if pd.isna(row["published_source"]):
        return "–"
    same = row["published_source_wnid"] == row["source_wnid"]
    return "paper: the same" if same else f"paper: {row['published_source']}"


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
    return _beside_published(tidy.reset_index(drop=True), published)


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
        f"{_mean_text(tidy['seeds'], level)}; {_listed(tidy['steps'])} optimiser steps.",
        f"Neighbours: {RULES[rule]}.",
        *notes,
        "It is missing, as there are no validation images." if no_clean else "",
    ]
    return " ".join(part for part in parts if part)


def _check_columns(columns: Sequence[str]) -> None:
    unknown = [column for column in columns if column not in COLUMNS]
    if unknown:
        raise ValueError(f"Table 2 has no column {', '.join(unknown)}; known: {', '.join(COLUMNS)}")


def _classes(number: int) -> str:
    return f"{number} target class" + ("" if number == 1 else "es")


def _listed(values: Iterable[int]) -> str:
    return ", ".join(f"{value}" for value in sorted(set(values)))


def _mean_text(seeds: Iterable[int], level: float) -> str:
    few, many = min(seeds), max(seeds)
    if many == 1:
        return "One seed, hence no interval"
    count = f"{few}" if few == many else f"{few} to {many}"
    return f"Mean ± half width of the {level:.0%} Student t interval over {count} seeds".replace("%", " %")


def lay_out_table2(tidy: pd.DataFrame, columns: Sequence[str] = ("first", "best"), digits: int = 3) -> Table:
    """Rows = images per class, falling; a group of columns per initialisation; the best of a row in bold.

    `columns` are names of `COLUMNS`; in bold is what shows the highest number of its row and column name. Raises
    ValueError for an unknown column.
    """
    _check_columns(columns)
    shots = sorted(tidy["shots"].unique(), reverse=True)
    corner = ("", "Images per class")
    cells = {corner: [str(n) for n in shots]}
    bold = {corner: [False] * len(shots)}
    for initialisation in in_order(tidy["initialisation"]):
        rows = tidy[tidy["initialisation"] == initialisation].set_index("shots").reindex(shots)
        for column in columns:
            name = (style(initialisation).name, COLUMNS[column])
            cells[name] = [score_text(row, column, digits) for _, row in rows.iterrows()]
            bold[name] = [is_best(tidy, n, rows.loc[n, column], column, digits) for n in shots]
    return Table(tidy, pd.DataFrame(cells), pd.DataFrame(bold))


def score_text(row: pd.Series, column: str, digits: int) -> str:
    """A mean with its half width where there is one, a dash where there is no mean.

    >>> score_text(pd.Series({"best": 0.51234, "best_half_width": 0.0312}), "best", 3)
    '0.512 ± 0.031'
    """
    if pd.isna(row[column]):
        return "–"
    half_width = row.get(f"{column}_half_width", math.nan)
    return f"{row[column]:.{digits}f}" + ("" if pd.isna(half_width) else f" ± {half_width:.{digits}f}")


def is_best(tidy: pd.DataFrame, shots: int, value: Any, column: str, digits: int) -> bool:
    """Say whether a value is the highest of its column at this number of images.

    Judged by what is printed: two cells that read the same are both best.
    """
    if pd.isna(value):
        return False
    return round(float(value), digits) == round(float(tidy.loc[tidy["shots"] == shots, column].max()), digits)


def table_neighbours(neighbours: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """K chosen per measure, class type and rule, over seeds.

    Args:
        neighbours: columns seed, measure, type, rule, K, f1 (see `statistics.gather_seeds`).

    Returns:
        Columns measure, type, rule, seeds, K (lower median), K_lowest, K_highest, f1 (mean), f1_half_width.
    """
    by = ["measure", "type", "rule"]
    chosen = neighbours.groupby(by, observed=True)["K"].agg(K=lower_median, K_lowest="min", K_highest="max")
    scores = intervals(neighbours, by, level=level).rename(columns={"mean": "f1", "half_width": "f1_half_width"})
    tidy = scores.merge(chosen.reset_index(), on=by)
    return tidy[[*by, "seeds", "K", "K_lowest", "K_highest", "f1", "f1_half_width"]]


def lay_out_neighbours(tidy: pd.DataFrame, digits: int = 3) -> Table:
    """Rows = measure and rule, a group of columns per class type: K (and its range over seeds) and F."""
    types = [word for word in CLASS_TYPES if word in set(tidy["type"])]
    names = [
        ("", "Measure"),
        ("", "Rule"),
        *((word.capitalize(), part) for word in types for part in ("K", "F")),
    ]
    pairs = tidy[["measure", "rule"]].drop_duplicates()
    rows = []
    for measure in in_order(pairs["measure"]):
        for rule in [word for word in RULES if word in set(pairs.loc[pairs["measure"] == measure, "rule"])]:
            found = tidy[(tidy["measure"] == measure) & (tidy["rule"] == rule)].set_index("type")
            pieces = [_chosen_text(found.loc[word], digits) if word in found.index else ("–", "–") for word in types]
            rows.append([style(measure).name, rule, *(text for piece in pieces for text in piece)])
    return Table(tidy, pd.DataFrame(rows, columns=pd.MultiIndex.from_tuples(names)), text=frozenset({0, 1}))


def _chosen_text(row: pd.Series, digits: int) -> tuple[str, str]:
    spread = f" ({row['K_lowest']}–{row['K_highest']})" if row["K_lowest"] != row["K_highest"] else ""
    return f"{row['K']}{spread}", score_text(row, "f1", digits)


def caption_neighbours(tidy: pd.DataFrame, level: float = 0.95) -> str:
    """What the table of chosen K shows."""
    # PAPER: K is read off Figure 3, that is, chosen on the test images.
    return (
        "Number K of source neighbours per similarity measure and class type. "
        "Rule paper: the K with the highest F on the test images, and that F. "
        "Rule clean: the K with the highest F by cross-validation on the training images of Figure 3, and that F. "
        f"K: middle value, and its range over seeds. F: {_mean_text(tidy['seeds'], level)}."
    )
