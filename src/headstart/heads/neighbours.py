"""Choose the number of neighbours K for each class type, from the F-scores of a sweep.

Letters in shapes: T target classes, K neighbours.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headstart.naming import read_start

Array = NDArray[Any]
# Which images each rule looks at. PAPER: K is read off Figure 3, that is, chosen on the test images.
RULES = {"paper": "test", "clean": "train"}


def choose(table: pd.DataFrame) -> pd.DataFrame:
    """Choose the smallest K of largest mean F for every measure, class type and rule.

    Args:
        table: columns measure, type, K, images (test or train), f1, as swept.

    Returns:
        Columns measure, type, rule, K, f1; f1 is the mean F on the images the rule looks at.

    Raises:
        ValueError: a measure and type lacks one of the two kinds of images.
    """
    rows = []
    for (measure, kind), part in table.sort_values("K", kind="stable").groupby(["measure", "type"], sort=False):
        for rule, images in RULES.items():
            seen = part[(part["images"] == images) & part["f1"].notna()]
            if seen.empty:
                raise ValueError(f"no F-score of {measure}, {kind} classes, on {images} images; sweep them first")
            best = seen.loc[seen["f1"].idxmax()]
            rows.append({"measure": measure, "type": kind, "rule": rule, "K": int(best["K"]), "f1": best["f1"]})
    return pd.DataFrame(rows)


def neighbours_per_class(
    initialisation: str, types: Sequence[str], table: str | os.PathLike[str] | None = None, rule: str = "paper"
) -> Array | None:
    """Return the number of neighbours of each target for an initialisation, (T,), or None where it has none.

    Args:
        initialisation: such as `wordnet`, or `wordnet-k3`, which fixes K = 3.
        types: of the targets.
        table: file with what `choose` returned; not read where K is fixed.
        rule: which of its rows to follow.

    Raises:
        ValueError: the table has no K for one of the types.
    """
    start, fixed = read_start(initialisation)
    measure = start.measure
    if fixed is not None:
        return np.full(len(types), fixed)
    if table is None or not measure:
        return None
    chosen = pd.read_csv(table)
    chosen = chosen[(chosen["measure"] == measure) & (chosen["rule"] == rule)].set_index("type")["K"]
    missing = sorted(set(types) - set(chosen.index))
    if missing:
        raise ValueError(f"{table} has no K of {measure} by rule {rule!r} for {', '.join(missing)} classes")
    return chosen.loc[list(types)].to_numpy(dtype=np.int64)
