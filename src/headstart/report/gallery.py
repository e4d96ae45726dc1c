"""The figures that the vocabulary names: what each is drawn from."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from headstart.data.images import PixelStore
from headstart.report.figures import class_curves, learning_curves, neighbour_curves, shots_curves
from headstart.report.ranks import rank_strategies, ranks_figure
from headstart.report.results import Results, label_of
from headstart.report.scores import table2
from headstart.report.starts import table_starts
from headstart.report.starts_figure import starts_curves
from headstart.report.strategies import compared_by, runs_of_strategies
from headstart.report.tables import table1


def figure1(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Draw Figure 1, learning curves."""
    return learning_curves(results.history, results.beside())


def figure2(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Draw Figure 2, the learning curves of one class, with pictures of it and of its nearest sources."""
    wnid = results.examples[0]
    nearest = table1([wnid], results.similarities, results.classes)
    sources = {
        str(row["measure"]): (str(row["source"]), float(row["value"]), results.picture(str(row["source_wnid"])))
        for row in nearest.to_dict("records")
    }
    return class_curves(results.history, wnid, (label_of(results.classes, wnid), results.picture(wnid)), sources)


def figure3(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Draw Figure 3, F right after initialisation against K."""
    return neighbour_curves(results.sweep, results.neighbours, results.beside(), results.sweep_shots)


def shots(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Draw Table 2 as a picture."""
    return shots_curves(table2(results.history, results.beside()))


def starts(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Draw F of every start before training against the number of images."""
    return starts_curves(table_starts(results.starts, pd.DataFrame()))


def ranks(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Draw strategies ranked against each other, with critical differences."""
    return ranks_figure(rank_strategies(results.history), compared_by(runs_of_strategies(results.history)))


def first_pictures(paths: Sequence[str | os.PathLike[str]]) -> Callable[[str], np.ndarray | None]:
    """Return a function that gives the first picture of a class by wnid, read off names `<wnid>_<k>.JPEG`."""
    store = PixelStore([Path(path) for path in paths])
    first: dict[str, str] = {}
    for name in store.names:
        first.setdefault(name.split("_")[0], name)

    def picture(wnid: str) -> np.ndarray | None:
        return store.pixels(first[wnid]) if wnid in first else None

    return picture
