"""What a training is scored on: the trunk's output for test and validation images, shared or of a trunk of its own.

Letters in shapes: N images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from headstart.data.images import PixelStore
from headstart.data.splits import label
from headstart.data.views import View
from headstart.finetuning.settings import Evaluation
from headstart.machine.computing import send
from headstart.machine.machines import Machine
from headstart.machine.memory import free_memory
from headstart.machine.prefetch import one_ahead
from headstart.networks.embedding import cache_trunk

BATCH = 64  # images read at once
# Of a GPU's free memory, what outputs that are scored again and again may take; the rest is for training.
SHARE = 0.25


def evaluated_images(split: pd.DataFrame) -> pd.DataFrame:
    """Return the images of a split that do not train; parts lie together, so that each can be mapped without a copy."""
    return split.query("part != 'train'").sort_values("part", kind="stable")


def shared_evaluation(files: Mapping[str, Any], targets: Sequence[str]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return part -> outputs (N, ...), mapped from the file `trunk`, and labels (N,) of the images in `evaluation`."""
    return _by_part(np.load(files["trunk"], mmap_mode="r"), pd.read_csv(files["evaluation"]), targets)


def own_evaluation(
    trunk: nn.Module, files: Mapping[str, Any], targets: Sequence[str], view: View, machine: Machine, scratch: Path
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return what `shared_evaluation` does for a trunk that no other job has, such as an altered one.

    Args:
        trunk: in eval mode; empty where all blocks are trained.
        files: the `split` and the pixel `stores`.
        scratch: a file in which the outputs are kept as long as this process maps it.
    """
    images = evaluated_images(pd.read_csv(files["split"])).reset_index(drop=True)
    store = PixelStore([Path(path) for path in files["stores"]])
    cache_trunk(trunk, store, list(images["name"]), view, machine, scratch, BATCH)
    outputs = np.load(scratch, mmap_mode="r")
    scratch.unlink()  # the mapping holds it
    return _by_part(outputs, images, targets)


def evaluation_of(
    trunk: nn.Module, files: Mapping[str, Any], targets: Sequence[str], view: View, machine: Machine, scratch: Path
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the shared outputs where there is a file of them, else those of the given trunk; arguments as above."""
    if "trunk" in files:
        return shared_evaluation(files, targets)
    return own_evaluation(trunk, files, targets, view, machine, scratch)


def near(evaluation: Evaluation, machine: Machine, batch: int) -> Evaluation:
    """Return the same outputs, on the GPU where they fit; elsewhere they stay what they are, and are read ahead.

    A machine that takes less than a batch at once, since its memory was full, has no room for them.
    """
    needed = sum(outputs.nbytes for outputs, _ in evaluation.values())
    if not needed or needed > SHARE * free_memory(machine.device) or (machine.at_once or batch) < batch:
        return evaluation
    print(f"{needed / 1e9:.1f} GB of outputs to score stay on the {machine.device.type} device")
    return {part: (_moved(outputs, machine.device), labels) for part, (outputs, labels) in evaluation.items()}


def _moved(outputs: np.ndarray, device: torch.device) -> Tensor:
    starts = range(0, len(outputs), BATCH)
    pieces = one_ahead(lambda start: send(outputs[start : start + BATCH], device), starts)
    # In the layout in which blocks read them.
    layout = torch.channels_last if outputs.ndim == 4 else torch.contiguous_format
    whole = None
    for start, piece in zip(starts, pieces, strict=True):
        if whole is None:
            whole = torch.empty(outputs.shape, dtype=piece.dtype, device=device, memory_format=layout)
        whole[start : start + len(piece)] = piece
    assert whole is not None
    return whole


def _by_part(
    outputs: np.ndarray, images: pd.DataFrame, targets: Sequence[str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    # The images of each part lie together, so these are views into the mapped file.
    return {
        str(part): (outputs[rows.min() : rows.max() + 1], label(images.loc[rows], targets))
        for part, rows in images.groupby("part").groups.items()
    }
