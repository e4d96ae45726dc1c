"""Show a model the images that are kept back, as the pipeline decoded them, and list what it says of each.

Letters in shapes: N images, T target classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from headstart.data.crops import crop_batch
from headstart.data.images import PixelStore
from headstart.data.splits import label
from headstart.machine.machines import Machine
from headstart.models.folder import BATCH, Model
from headstart.models.forms import require_equal, run_onnx
from headstart.models.prediction import describe
from headstart.networks.embedding import normalise

Array = NDArray[Any]
COMPARED = 256  # images on which the forms of a model are compared at most


class Shown(NamedTuple):
    """Images of one part of a split, their classes, and what the model's outputs were."""

    images: pd.DataFrame  # columns wnid, name, ...
    labels: Array  # (N,)
    logits: Array  # (N, T)


def show(model: Model, store: PixelStore, split: pd.DataFrame, part: str, machine: Machine) -> Shown:
    """Give what the model says of the central crops of the images of a part."""
    images = split[split["part"] == part].reset_index(drop=True)
    names = list(images["name"])
    parts = (names[start : start + BATCH] for start in range(0, len(names), BATCH))
    logits = model.logits((crop_batch(store, chosen, model.view.side) for chosen in parts), machine)
    return Shown(images, label(images, [one["wnid"] for one in model.classes]), logits)


def list_images(classes: Sequence[dict[str, Any]], shown: Shown, shares: Array) -> pd.DataFrame:
    """Return a row for each image: its name and class, and what `predict` would say of it.

    Args:
        classes: as the card describes them, T.
        shown: from `show`.
        shares: probabilities, (N, T).
    """
    true = [classes[place]["name"] for place in shown.labels]
    facts = {"name": shown.images["name"], "wnid": shown.images["wnid"], "true": true}
    return pd.concat([pd.DataFrame(facts), pd.DataFrame(describe(classes, shares))], axis=1)


def check_onnx(path: Path, model: Model, store: PixelStore, shown: Shown) -> dict[str, Any]:
    """Compare a model's form in ONNX with the model on images that it was shown, and say on how many, and how close.

    Raises ValueError where they are not one model.
    """
    places = spread(len(shown.labels), COMPARED)
    crops = crop_batch(store, list(shown.images["name"].iloc[places]), model.view.side)
    inputs = normalise(crops, model.view, torch.device("cpu")).contiguous().numpy()
    gap = require_equal(run_onnx(path, inputs), shown.logits[places], str(path))
    return {"images": len(places), "largest_difference": gap}


def spread(count: int, most: int) -> Array:
    """Return the places of at most so many of some images, evenly spread.

    >>> spread(10, 3).tolist(), spread(2, 3).tolist()
    ([0, 4, 9], [0, 1])
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
