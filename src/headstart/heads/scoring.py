"""Score heads before any training, on features that are there already.

Letters in shapes: T target classes, D features, N images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from headstart.heads.starts import Head
from headstart.measures.metrics import confusion, f_scores


def first_scores(
    heads: Mapping[str, Head], features: NDArray[Any], labels: NDArray[Any], classes: Sequence[str]
) -> pd.DataFrame:
    """Return what a run of each head scores at step 0, a row per initialisation and class (initialisation, wnid, f1).

    Args:
        heads: by initialisation.
        features: of the images, (N, D) float32, as the last layer sees them.
        labels: their classes, (N,).
        classes: wnids, T.
    """
    tables = []
    for name, head in heads.items():
        predictions = (features @ head.weight.T + head.bias).argmax(axis=1)
        f1 = f_scores(confusion(labels, predictions, len(classes)))
        tables.append(pd.DataFrame({"initialisation": name, "wnid": list(classes), "f1": f1}))
    return pd.concat(tables, ignore_index=True)
