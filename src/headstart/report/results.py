"""The results of an experiment, read from their files: what tables and figures are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from headstart.naming import run_name
from headstart.report.statistics import gather_seeds


@dataclass(frozen=True, kw_only=True)
class Results:
    """All that a table or a figure may show; each takes what it needs.

    Args:
        classes: of all classes (wnid, role, type, lemmas, ...).
        history: of one group, one row per run, step, part and class.
        sweep: F for every K, with its seed.
        neighbours: the K chosen, with its seed.
        similarities: measure -> (T, S), rows and columns named by wnid.
        published: the paper's tables by name (table1, table2), empty for none.
        examples: target classes to show one by one.
        rule: by which the heads' K was chosen.
        audit: of all target classes (wnid, found, wanted, kept; with published lists listed, listed_found).
        sweep_shots: training images per class behind the sweep.
        starts: F of starts before training, one row per initialisation, shots, seed and class.
        sample: on which images the similarities that look at images were measured, as a sentence.
        antialias: accuracy and consistency of every way to anti-alias the source network, with its seed.
        consistency: of every run under shifts, one row per strategy, initialisation, shots and seed.
        picture: gives a picture of a class (H, W, 3) by wnid, or None where there is none.
    """

    classes: pd.DataFrame
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    sweep: pd.DataFrame = field(default_factory=pd.DataFrame)
    neighbours: pd.DataFrame = field(default_factory=pd.DataFrame)
    similarities: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    published: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    examples: Sequence[str] = ()
    rule: str = "paper"
    audit: pd.DataFrame = field(default_factory=pd.DataFrame)
    sweep_shots: int = 0
    starts: pd.DataFrame = field(default_factory=pd.DataFrame)
    sample: str = ""
    antialias: pd.DataFrame = field(default_factory=pd.DataFrame)
    consistency: pd.DataFrame = field(default_factory=pd.DataFrame)
    picture: Callable[[str], np.ndarray | None] = lambda wnid: None

    def beside(self) -> pd.DataFrame | None:
        """Return the paper's Table 2 where as many classes are listed here, even if fewer are kept; else None.

        Means over other classes do not stand beside the paper's.
        """
        published = self.published.get("table2")
        return published if published is not None and len(self.audit) == published["classes"].iloc[0] else None


def read_history(paths: Sequence[str], runs: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Put the training histories of several jobs under each other, of the runs that are to be shown; empty for none.

    Args:
        paths: of histories; each may hold further runs.
        runs: strategy -> initialisations shown.

    Returns:
        The histories' rows, with `initialisation` naming start and strategy as `vocabulary.run_name` does.
    """
    if not paths:
        return pd.DataFrame()
    return shown_runs(pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True), runs)


def shown_runs(history: pd.DataFrame, runs: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Take the rows (strategy, initialisation, ...) of the runs shown, and let `initialisation` name both."""
    shown = {(strategy, start): run_name(strategy, start) for strategy, starts in runs.items() for start in starts}
    found = list(zip(history["strategy"], history["initialisation"], strict=True))
    named = history.assign(initialisation=[shown.get(run) for run in found])
    return named[named["initialisation"].notna()].reset_index(drop=True)


def read_by_seed(paths: Sequence[str]) -> pd.DataFrame:
    """Put tables named `<seed>.csv` or `<seed>.parquet` under each other, with a column `seed`; empty for no paths."""
    readers = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
    frames = {int(Path(path).stem): readers[Path(path).suffix](path) for path in paths}
    return gather_seeds(frames) if frames else pd.DataFrame()


def read_consistency(paths: Sequence[str], runs: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Put tables of runs under each other, their initialisations named and chosen as by `read_history`."""
    frames = [pd.read_csv(path) for path in paths]
    return shown_runs(pd.concat(frames, ignore_index=True), runs) if frames else pd.DataFrame()


def read_pupils(paths: Sequence[str]) -> pd.DataFrame:
    """Put tables named `<way>/<seed>.csv` under each other, with a column `seed`; empty for no paths."""
    frames = [pd.read_csv(path).assign(seed=int(Path(path).stem)) for path in paths]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def read_starts(paths: Sequence[str], initialisations: Sequence[str]) -> pd.DataFrame:
    """Put tables named `<shots>-<seed>.csv` under each other, of these starts, with columns shots and seed."""
    frames = []
    for path in paths:
        shots, seed = map(int, Path(path).stem.split("-"))
        frames.append(pd.read_csv(path).assign(shots=shots, seed=seed))
    if not frames:
        return pd.DataFrame()
    found = pd.concat(frames, ignore_index=True)
    return found[found["initialisation"].isin(initialisations)].reset_index(drop=True)


def read_similarities(paths: Sequence[str], measures: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Read one matrix for each measure, in the same order; empty for no paths."""
    return {measure: pd.read_parquet(path) for measure, path in zip(measures, paths, strict=False)}


def read_published(paths: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Read the paper's tables by the names of their files; empty for no paths."""
    return {Path(path).stem: pd.read_csv(path) for path in paths}


def label_of(classes: pd.DataFrame, wnid: str) -> str:
    """Return the lemmas of a class.

    >>> label_of(pd.DataFrame({"wnid": ["n1"], "lemmas": ["bullet, slug"]}), "n1")
    'bullet, slug'
    """
    return str(classes.loc[classes["wnid"] == wnid, "lemmas"].iloc[0])
