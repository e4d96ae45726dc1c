"""Which sources were chosen (Table 1), and how many neighbours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from headstart.report.palette import CLASS_TYPES, in_order, style
from headstart.report.rendering import Table
from headstart.report.scores import RULES, score_text
from headstart.report.statistics import intervals, lower_median, mean_text


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
        f"K: middle value, and its range over seeds. F: {mean_text(tidy['seeds'], level)}."
    )
