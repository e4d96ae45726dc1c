"""Choose the run that becomes the model, on validation images alone; no training at all is one of the candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from numpy.typing import NDArray

from headstart.heads.scoring import first_scores
from headstart.heads.starts import load_heads
from headstart.naming import run_name
from headstart.vocabulary import PLAIN

Array = NDArray[Any]
RUN = ["strategy", "initialisation", "step"]
CLEAN = "validation"


class Choice(NamedTuple):
    """A run, the step at which its weights are taken, and what it scored there."""

    strategy: str
    initialisation: str
    step: int
    seed: int
    validation: float
    test: float


def read_runs(paths: Sequence[str], runs: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return the histories of the runs among which to choose; `runs` is strategy -> its starts."""
    history = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
    wanted = {(strategy, start) for strategy, starts in runs.items() for start in starts}
    return history[[run in wanted for run in zip(history["strategy"], history["initialisation"], strict=True)]]


def untrained_runs(
    heads: Mapping[int, str],
    starts: Sequence[str],
    images: Mapping[str, tuple[Array, Array]],
    classes: Sequence[str],
) -> pd.DataFrame:
    """Return the scores of starts that nobody trains, in the form of a history at step 0.

    Args:
        heads: seed -> file of heads.
        starts: among them; for none there is nothing to do.
        images: part -> features (N, D) and labels (N,).
        classes: wnids, T.
    """
    tables = []
    for seed, path in heads.items() if starts else ():
        found = {name: head for name, head in load_heads(path).items() if name in starts}
        for part, (features, labels) in images.items():
            scores = first_scores(found, features, labels, classes)
            tables.append(scores.assign(strategy=PLAIN, seed=seed, step=0, part=part))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def candidates(history: pd.DataFrame, starts: Sequence[str] = ()) -> pd.DataFrame:
    """Rank every strategy, start and evaluated step by the macro F on validation images, mean over the seeds.

    Of equal ones the fewest steps win, then the earlier start. Of the seeds, the one with the highest F on validation
    images gives the model.

    Args:
        history: columns strategy, initialisation, seed, step, part, wnid, f1.
        starts: the order of the starts.

    Returns:
        Columns strategy, initialisation, step, validation, test, seeds, seed, validation_of_seed, test_of_seed, chosen;
        the best first. What the test images say stands beside and decides nothing.

    Raises:
        ValueError: no validation images.
    """
    if not (history["part"] == CLEAN).any():
        raise ValueError(
            "the model is chosen on validation images, and no class has any; lower images.train or images.test, or "
            "raise images.validation, so that some images are left for that"
        )
    scores = history["f1"].astype(float).groupby([history[key] for key in [*RUN, "seed", "part"]], observed=True).mean()
    wide = scores.unstack("part").reset_index("seed")
    groups = wide.groupby(RUN, observed=True)
    best = wide.sort_values([CLEAN, "seed"], ascending=[False, True]).groupby(RUN, observed=True).first()
    found = groups[[CLEAN, "test"]].mean().assign(seeds=groups.size(), seed=best["seed"])
    found = found.assign(validation_of_seed=best[CLEAN], test_of_seed=best["test"]).reset_index()
    ranked = found.loc[_ranks(found, starts)].reset_index(drop=True)
    return ranked.assign(chosen=ranked.index == 0)


def _ranks(found: pd.DataFrame, starts: Sequence[str]) -> pd.Index:
    order = {name: place for place, name in enumerate(starts)}
    keys = found.assign(
        lost=-found[CLEAN],
        strange=found["strategy"] != PLAIN,
        place=found["initialisation"].map(order).fillna(len(order)),
    )
    return keys.sort_values(["lost", "step", "strange", "place", "strategy", "initialisation"]).index


def read_choice(path: str) -> Choice:
    """Read the chosen run of a table of candidates."""
    row = pd.read_csv(path).query("chosen").iloc[0]
    scores = float(row["validation_of_seed"]), float(row["test_of_seed"])
    return Choice(str(row["strategy"]), str(row["initialisation"]), int(row["step"]), int(row["seed"]), *scores)


def say_chosen(
    choice: Choice, candidates: str, steps: int, shots: int, looks: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what was chosen, and among how many, as a card has it.

    Args:
        choice: of the table at `candidates`.
        steps: of the whole budget.
        shots: training images per class.
        looks: run -> how it is called (name).
    """
    table = pd.read_csv(candidates)
    return {
        **choice._asdict(),
        "label": looks[run_name(choice.strategy, choice.initialisation)]["name"],
        "of_steps": steps,
        "shots": shots,
        "candidates": len(table),
        "seeds": int(table.query("chosen")["seeds"].iloc[0]),
    }


def of_seed(paths: Sequence[str], seed: int) -> str:
    """Return the file of a seed among files named `<seed>` or `<shots>-<seed>`.

    >>> of_seed(["splits/0.csv", "splits/10.csv"], 0), of_seed(["heads/5-0.safetensors"], 0)
    ('splits/0.csv', 'heads/5-0.safetensors')
    """
    return next(path for path in paths if Path(path).stem.rpartition("-")[2] == str(seed))
