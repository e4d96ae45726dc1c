"""Gather what the interactive page shows as plain facts that JSON can hold."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from headstart.heads.blending import rank_sources
from headstart.report.palette import CLASS_TYPES, in_order, style
from headstart.report.results import Results
from headstart.report.statistics import macro_curves

# Sources named for each target class under each measure.
NEAREST = 6
DIGITS = 3
# Similarity values that a page of a few megabytes can hold, of all measures together.
MOST_VALUES = 600_000
MISSING = 2**16 - 1
RUN = ["initialisation", "shots", "seed", "part", "wnid", "step"]


def gather(results: Results, runs: pd.DataFrame, sweep: pd.DataFrame) -> dict[str, Any]:
    """Return all facts of the page, pictures and Table 2 aside.

    Args:
        results: classes, audit, similarities, published, sample, as for the tables.
        runs: histories of all groups of one strategy; a run that two groups share counts once.
        sweep: the numbers of Figure 3 (measure, type, K, seeds, mean, half_width, paper, clean).
    """
    runs = runs.drop_duplicates(RUN)
    runs = runs[runs["part"] == "test"]
    targets = list(next(iter(results.similarities.values())).index)
    sources = list(next(iter(results.similarities.values())).columns)
    described = describe_targets(results, targets)
    return {
        "looks": {name: look(name) for name in in_order([*runs["initialisation"], *results.similarities])},
        "initialisations": in_order(runs["initialisation"]),
        "measures": in_order(results.similarities),
        "types": [kind for kind in CLASS_TYPES if kind in {target["type"] for target in described}],
        "shots": sorted(int(n) for n in runs["shots"].unique()),
        "seeds": int(runs["seed"].nunique()),
        "steps": sorted(int(step) for step in runs["step"].unique()),
        "targets": described,
        "sources": [{"wnid": wnid, "label": label} for wnid, label in labels(results.classes, sources).items()],
        "sample": results.sample,
        "nearest": {measure: nearest(frame) for measure, frame in results.similarities.items()},
        "similarities": pack(results.similarities),
        # Curves hold a value for every one of the steps above.
        "macro": scores(macro_curves(runs), [])[""],
        "scores": scores(runs, ["wnid"]),
        "sweep": records(sweep),
    }


def look(name: str) -> dict[str, Any]:
    """Return how an initialisation or measure is called and drawn on a light and on a dark page."""
    found = style(name)
    return {
        "name": found.name,
        "light": found.colour,
        "dark": found.night,
        "dashes": list(found.dashes),
        "marker": found.marker,
        "hollow": found.fill != found.colour,
    }


def labels(classes: pd.DataFrame, wnids: Sequence[str]) -> dict[str, str]:
    """Return wnid -> lemmas of some classes, in their order.

    >>> labels(pd.DataFrame({"wnid": ["n1", "n2"], "lemmas": ["bullet, slug", "plane"]}), ["n2"])
    {'n2': 'plane'}
    """
    lemmas = dict(zip(classes["wnid"], classes["lemmas"].astype(str), strict=True))
    return {wnid: lemmas[wnid] for wnid in wnids}


def describe_targets(results: Results, targets: Sequence[str]) -> list[dict[str, Any]]:
    """Say of each target class what it is called and means, its type, its sources above or below, and its images."""
    named = labels(results.classes, list(results.classes["wnid"]))
    rows = results.classes.set_index("wnid").loc[list(targets)]
    found = results.audit.set_index("wnid")["found"]
    papers = results.published.get("table1")
    return [
        {
            "wnid": wnid,
            "label": row["lemmas"],
            "gloss": row["gloss"],
            "type": row["type"],
            "related": [named[source] for source in str(row["related"]).split()],
            "images": int(found[wnid]),
            "published": named_by_paper(papers, wnid),
        }
        for wnid, row in zip(targets, rows.to_dict("records"), strict=True)
    ]


def named_by_paper(table1: pd.DataFrame | None, wnid: str) -> dict[str, str]:
    """Return measure -> the source that the paper's Table 1 names for a target class, empty where it names none."""
    if table1 is None:
        return {}
    rows = table1[table1["target_wnid"] == wnid]
    return dict(zip(rows["measure"], rows["source"], strict=True))


def nearest(similarity: pd.DataFrame) -> list[list[list[float | None]]]:
    """Return the nearest sources of each target: place, similarity and how many sources share that similarity.

    Sources without a positive similarity are no neighbours; equal ones come in class order, as in the heads.

    >>> nearest(pd.DataFrame([[0.5, 0.0, 0.9, 0.5]]))
    [[[2, 0.9, 1], [0, 0.5, 2], [3, 0.5, 2]]]
    """
    order, ranked = rank_sources(similarity.to_numpy())
    rows = []
    for places, values in zip(order, ranked, strict=True):
        near = [(place, value) for place, value in zip(places[:NEAREST], values, strict=False) if value > 0]
        rows.append([[int(place), number(value), int((values == value).sum())] for place, value in near])
    return rows


def pack(similarities: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, Any]]:
    """Return each matrix (T, S) as 16-bit steps between its lowest and its highest value, in base64.

    Values that are not known (NaN) are the largest 16-bit number. Empty where there are too many for a page.
    """
    if sum(frame.size for frame in similarities.values()) > MOST_VALUES:
        return {}
    return {measure: pack_one(frame.to_numpy(dtype=np.float64)) for measure, frame in similarities.items()}


def pack_one(values: np.ndarray) -> dict[str, Any]:
    """Return one matrix as `pack` does: low, high, and the steps, little-endian, row by row."""
    known = ~np.isnan(values)
    low, high = (float(end) for end in (values[known].min(), values[known].max())) if known.any() else (0.0, 0.0)
    steps = np.full(values.shape, MISSING, dtype="<u2")
    steps[known] = np.rint((values[known] - low) / ((high - low) or 1.0) * (MISSING - 1))
    return {"low": low, "high": high, "steps": base64.b64encode(steps.tobytes()).decode()}


def scores(runs: pd.DataFrame, by: Sequence[str], level: float = 0.95) -> dict[str, Any]:
    """Return mean and half width of F over the seeds, as `statistics.intervals` gives them, for many curves at once.

    Args:
        runs: columns initialisation, shots, step, f1, and those of `by`.
        by: a column whose values name the outermost level, or none, which is named "".
        level: of the Student t intervals.

    Returns:
        name -> initialisation -> shots -> [means, half widths], each at every step of the runs in order; None where a
        run has no such step, and for the half width of a single seed.
    """
    keys = [*by, "initialisation", "shots", "step"]
    values = runs["f1"].astype(np.float64).groupby([runs[key] for key in keys], observed=True, sort=True)
    table = values.agg(["mean", "std", "count"])
    quantile = stdtrit(table["count"] - 1, 0.5 + level / 2)
    table["half"] = (quantile * table["std"] / np.sqrt(table["count"])).where(table["count"] > 1)
    wide = table[["mean", "half"]].unstack("step")
    means, halves = (wide[column].to_numpy() for column in ("mean", "half"))
    found: dict[str, Any] = {}
    for (*name, initialisation, shots), mean, half in zip(wide.index, means, halves, strict=True):
        curves = found.setdefault(name[0] if by else "", {}).setdefault(initialisation, {})
        curves[int(shots)] = [[*map(number, mean)], [*map(number, half)]]
    return found


def number(value: float) -> float | None:
    """Round a value for the page; None where it is not known.

    >>> number(0.123456), number(float("nan"))
    (0.123, None)
    """
    return None if math.isnan(value) else round(float(value), DIGITS)


def records(sweep: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of Figure 3, class types in the order of the palette."""
    order = {kind: place for place, kind in enumerate(CLASS_TYPES)}
    rows = sweep.sort_values("type", key=lambda kinds: kinds.map(order), kind="stable")
    columns = ["measure", "type", "K", "seeds", "mean", "half_width", "paper", "clean"]
    return [
        {**row, "mean": number(row["mean"]), "half_width": number(row["half_width"])}
        for row in rows[columns].to_dict("records")
    ]


def nearest_first(facts: Mapping[str, Any]) -> list[str]:
    """Return the wnids of all sources that are near to any target, the nearest of each before the second ones."""
    rows = [row for matrix in facts["nearest"].values() for row in matrix]
    places = [row[rank][0] for rank in range(NEAREST) for row in rows if rank < len(row)]
    return [facts["sources"][place]["wnid"] for place in dict.fromkeys(places)]
