"""The runs of a training job: which are finished already, so that a new start is trained alone.

A file of runs holds all starts of one strategy, number of images and seed. Every run carries a digest of all that
decided its result, so that what is kept of an earlier file is what this job would make.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from headstart.jobs.files import write_arrays, write_table

Arrays = Mapping[str, np.ndarray]


def digests_of(common: str, heads: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, str]:
    """Return initialisation -> digest of what decides its run.

    Args:
        common: digest of all that the runs of a job share: config, code, images, weights.
        heads: initialisation -> weight and bias.
    """
    return {
        name: hashlib.sha256(common.encode() + weight.tobytes() + bias.tobytes()).hexdigest()[:16]
        for name, (weight, bias) in heads.items()
    }


def finished_runs(history: Path, weights: Path, digests: Mapping[str, str]) -> tuple[pd.DataFrame, Arrays]:
    """Return history and weights of the runs in an earlier pair of files that have one of these digests.

    Nothing is kept where one file is missing, or either cannot be read as such; a line says so.
    """
    nothing: tuple[pd.DataFrame, Arrays] = (pd.DataFrame(columns=["initialisation"]), {})
    if not history.exists() and not weights.exists():
        return nothing
    try:
        table, arrays = pd.read_parquet(history), load_file(weights)
        same = table["digest"] == table["initialisation"].map(digests)
    except Exception as error:  # a broken file raises almost anything
        print(f"starting from zero: the earlier runs at {history} cannot be read ({type(error).__name__})")
        return nothing
    trained = {key.partition("/")[0] for key in arrays}
    kept = table[same & table["initialisation"].isin(trained)].reset_index(drop=True)
    names = set(kept["initialisation"])
    if names:
        print(f"finished before, and kept: {', '.join(sorted(names))}")
    return kept, {key: value for key, value in arrays.items() if key.partition("/")[0] in names}


def write_runs(
    kept: tuple[pd.DataFrame, Arrays],
    made: tuple[pd.DataFrame, Mapping[str, Any]],
    facts: Mapping[str, Any],
    digests: Mapping[str, str],
    files: tuple[str, str],
) -> None:
    """Write kept and new runs into one pair of files.

    Args:
        kept: from `finished_runs`.
        made: history and weights (tensors), from `train_lockstep`.
        facts: columns that say of the new runs what they are and where they ran.
        digests: initialisation -> digest.
        files: paths of history and weights; a history never lies beside weights that are not its own.
    """
    history = made[0].assign(**facts)
    history["digest"] = history["initialisation"].map(digests)
    arrays = {**kept[1], **{name: tensor.numpy() for name, tensor in made[1].items()}}
    Path(files[0]).unlink(missing_ok=True)
    write_arrays(arrays, files[1])
    rows = pd.concat([part for part in (kept[0], history) if len(part)], ignore_index=True)
    # In one order whichever runs were there before; classes stay in theirs.
    rows = rows.sort_values(["step", "part", "initialisation"], kind="stable", ignore_index=True)
    write_table(rows, files[0])
