"""What anti-aliasing does to the source network: accuracy and consistency, with and without knowledge transfer."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from headstart.report.rendering import Table
from headstart.report.scores import difference_text, score_text
from headstart.report.statistics import mean_interval, mean_text, paired_difference

SCORES = {"accuracy": "Top-1", "consistency": "Consistency"}
# The four that are compared; the control beside them tells training from blurring.
PRETRAINED, CONTROL, BLURRED, TUNED = (
    "(a) pretrained",
    "unblurred, fine-tuned",
    "(b) blurred",
    "(c) blurred, fine-tuned",
)
TRANSFERRED = "(d) blurred, knowledge transfer"
REFERENCES = {"pretrained": PRETRAINED, "tuned": TUNED}


def kind_of(run: pd.Series) -> str:
    """Say which of the kinds above a row of a run is."""
    if run["size"] == 1:
        return CONTROL if run["trained"] else PRETRAINED
    if not run["trained"]:
        return BLURRED
    return TRANSFERRED if run["pixel"] or run["global"] else TUNED


def table_antialias(runs: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Accuracy and consistency of each way over seeds, and how far they are from (a) and, of the same size, (c).

    Args:
        runs: columns size, pixel, global, blocks, trained, accuracy, consistency, images, classes, train, steps, seed.
        level: of the Student t intervals.

    Returns:
        Columns kind, size, pixel, global, blocks, seeds, classes, images, train, steps; accuracy and consistency, and
        `<score>_over_pretrained` and `<score>_over_tuned`, paired differences, NaN where there is none; each of these
        with its half width.
    """
    runs = runs.assign(kind=runs.apply(kind_of, axis=1), blocks=runs["blocks"].fillna(""))
    runs.loc[~runs["trained"], ["pixel", "global"]] = 0.0  # they weigh in training alone
    runs.loc[~runs["trained"], "blocks"] = ""
    way = ["kind", "size", "pixel", "global", "blocks"]
    runs = runs.drop_duplicates([*way, "seed"])
    rows = []
    for key, found in runs.groupby(way, sort=True):
        row: dict[str, Any] = {**dict(zip(way, key, strict=True)), "seeds": len(found)}
        row |= {name: found[name].iloc[0] for name in ("classes", "images", "train", "steps")}
        row |= _scores(found, runs, level)
        rows.append(row)
    order = (PRETRAINED, CONTROL, BLURRED, TUNED, TRANSFERRED)
    return pd.DataFrame(rows).sort_values(
        way, key=lambda column: column.map(order.index) if column.name == "kind" else column, ignore_index=True
    )


def _scores(found: pd.DataFrame, runs: pd.DataFrame, level: float) -> dict[str, float]:
    row = {}
    for score in SCORES:
        row[score], row[f"{score}_half_width"] = mean_interval(found[score], level)
        for word, kind in REFERENCES.items():
            same = (runs["kind"] == kind) & ((runs["size"] == found["size"].iloc[0]) | (kind == PRETRAINED))
            pairs = found.merge(runs.loc[same, ["seed", score]], on="seed", suffixes=("", "_other"))
            compared = len(pairs) and found["kind"].iloc[0] != kind
            mean, half = (
                paired_difference(pairs[score], pairs[f"{score}_other"], level) if compared else (math.nan,) * 2
            )
            row[f"{score}_over_{word}"], row[f"{score}_over_{word}_half_width"] = mean, half
    return row


def lay_out_antialias(tidy: pd.DataFrame) -> Table:
    """Rows = ways to anti-alias, a group of columns for accuracy and one for consistency, with differences."""
    columns = {("", "Network"): [_name(row) for _, row in tidy.iterrows()]}
    for score, title in SCORES.items():
        columns[title, "mean"] = [score_text(row, score, 3) for _, row in tidy.iterrows()]
        for word, short in (("pretrained", "− (a)"), ("tuned", "− (c)")):
            columns[title, short] = [difference_text(row, f"{score}_over_{word}", 3) for _, row in tidy.iterrows()]
    return Table(tidy, pd.DataFrame(columns), text=frozenset({0}))


def _name(row: pd.Series) -> str:
    size = f", {row['size']} x {row['size']}" if row["size"] > 1 else ""
    if row["kind"] != TRANSFERRED:
        return row["kind"] + size
    blocks = f" at {row['blocks'].replace('+', ', ')}" if row["blocks"] else ""
    return f"{row['kind']}{size}, pixel {row['pixel']:g}, global {row['global']:g}{blocks}"


def caption_antialias(tidy: pd.DataFrame, level: float = 0.95) -> str:
    """What the table of anti-aliasing shows."""
    first = tidy.iloc[0]
    return (
        f"The source network on {first['images']:,} test images of its {first['classes']} classes: top-1 on central "
        "crops, and consistency, the share of images of which two crops at random places get one label. Fine-tuned on "
        f"{first['train']} images of each class, {first['steps']} steps; the last step counts. "
        f"{mean_text(tidy['seeds'], level)}; a seed changes training images, crops and the places of the crops that "
        "are compared. Differences are taken seed by seed."
    )
