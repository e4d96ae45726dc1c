"""The runs of a training job: which are finished already, so that a new start is trained alone.

A file of runs holds all starts of one strategy, number of images and seed. A record beside the job's progress has a
digest of all that decided each run, so that what is kept of an earlier file is what this job would make. The record
is no result: it knows dates of files, which differ from machine to machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from headstart.jobs.files import replacing, write_arrays, write_table

Arrays = Mapping[str, np.ndarray]


class Files(NamedTuple):
    """Where the runs of a job lie: history and weights, which are results, and the record of what they rest on."""

    history: Path
    weights: Path
    record: Path


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


def finished_runs(files: Files, digests: Mapping[str, str]) -> tuple[pd.DataFrame, Arrays]:
    """Return history and weights of the runs in earlier files that have one of these digests.

    Nothing is kept where one file is missing, does not belong to the others, or cannot be read; a line says so.
    """
    nothing: tuple[pd.DataFrame, Arrays] = (pd.DataFrame(columns=["initialisation"]), {})
    if not files.history.exists() and not files.weights.exists():
        return nothing
    try:
        record = json.loads(files.record.read_text())
        if record["files"] != _contents(files):
            raise ValueError("other files than those recorded")
        table, arrays = pd.read_parquet(files.history), load_file(files.weights)
    except Exception as error:  # a broken file raises almost anything
        print(f"starting from zero: the earlier runs at {files.history} cannot be used ({type(error).__name__})")
        return nothing
    names = {name for name, digest in digests.items() if record["runs"].get(name) == digest}
    kept = table[table["initialisation"].isin(names)].reset_index(drop=True)
    if names:
        print(f"finished before, and kept: {', '.join(sorted(names))}")
    return kept, {key: value for key, value in arrays.items() if key.partition("/")[0] in names}


def write_runs(
    kept: tuple[pd.DataFrame, Arrays],
    made: tuple[pd.DataFrame, Mapping[str, Any]],
    facts: Mapping[str, Any],
    digests: Mapping[str, str],
    files: Files,
) -> None:
    """Write kept and new runs, and what they rest on.

    Args:
        kept: from `finished_runs`.
        made: history and weights (tensors), from `train_lockstep`.
        facts: columns that say of the new runs what they are and where they ran.
        digests: initialisation -> digest.
        files: a history never lies beside weights that are not its own, nor a record beside others.
    """
    rows = pd.concat([part for part in (kept[0], made[0].assign(**facts)) if len(part)], ignore_index=True)
    arrays = {**kept[1], **{name: tensor.numpy() for name, tensor in made[1].items()}}
    for old in (files.record, files.history):
        old.unlink(missing_ok=True)
    write_arrays(arrays, files.weights)
    # In one order whichever runs were there before; classes stay in theirs.
    rows = rows.sort_values(["step", "part", "initialisation"], kind="stable", ignore_index=True)
    write_table(rows, files.history)
    with replacing(files.record) as partial:
        partial.write_text(json.dumps({"files": _contents(files), "runs": dict(digests)}, indent=1))


def _contents(files: Files) -> list[str]:
    found = []
    for path in (files.history, files.weights):
        with path.open("rb") as file:
            found.append(hashlib.file_digest(file, "sha256").hexdigest())
    return found
