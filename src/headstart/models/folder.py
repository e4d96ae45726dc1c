"""A model in a folder: what is called how, and how it is read back; nothing but the folder is needed for that.

Letters in shapes: N images, T target classes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from headstart.data.views import View
from headstart.machine.machines import Machine, use_threads
from headstart.models.calibration import probabilities
from headstart.networks.backbones import load_classifier
from headstart.networks.embedding import frozen_pass, normalise

WEIGHTS, CARD = "model.safetensors", "card.json"
BATCH = 64


@dataclass(frozen=True)
class Model:
    """A classifier that knows what it wants to be shown, and what its outputs are called.

    Args:
        network: in eval mode; its outputs are logits.
        view: how it sees a picture whose short side is `short_side` pixels.
        classes: a description of each output, T: wnid, name, started_from, ...
        temperature: that makes probabilities of its logits.
    """

    network: nn.Module
    view: View
    short_side: int
    classes: Sequence[dict[str, Any]]
    temperature: float = 1.0

    def logits(self, batches: Iterator[NDArray[Any]], machine: Machine) -> NDArray[Any]:
        """Give the logits of crops, uint8 (N, side, side, 3) in batches, as float32 (N, T)."""
        network = self.network.to(machine.device).eval()
        found = [np.zeros((0, len(self.classes)), np.float32)]
        with use_threads(machine.threads), torch.inference_mode():
            for crops in batches:
                found.append(frozen_pass(network, normalise(crops, self.view, machine.device)).float().cpu().numpy())
        return np.concatenate(found)

    def probabilities(self, batches: Iterator[NDArray[Any]], machine: Machine) -> NDArray[Any]:
        """Give the calibrated probabilities of the classes for such crops, (N, T)."""
        return probabilities(self.logits(batches, machine), self.temperature)


def class_names(targets: pd.DataFrame) -> list[str]:
    """Return a name for each class (columns wnid, lemmas), no two alike.

    >>> class_names(pd.DataFrame({"wnid": ["n1", "n2", "n3"], "lemmas": ["crane", "crane", "iris"]}))
    ['crane (n1)', 'crane (n2)', 'iris']
    """
    shared = targets["lemmas"].duplicated(keep=False)
    rows = zip(targets["wnid"], targets["lemmas"].astype(str), shared, strict=True)
    return [f"{name} ({wnid})" if twice else name for wnid, name, twice in rows]


def load_model(folder: Path) -> Model:
    """Read a model from the folder that `export_model` wrote.

    Raises ValueError for a folder that holds none.
    """
    card_path = Path(folder) / CARD
    if not card_path.is_file():
        raise ValueError(
            f"{folder} holds no {CARD}, so it is no model; expected a folder that rule export_model wrote, as "
            "snakemake does where the config has a section `model`"
        )
    card = json.loads(card_path.read_text(encoding="utf-8"))
    seen, classes, network = card["preprocessing"], card["classes"], card["network"]
    return Model(
        load_classifier(classes=len(classes), weights=Path(folder) / WEIGHTS, **network),
        View(seen["side"], seen["mean"], seen["std"]),
        seen["short_side"],
        classes,
        card["calibration"]["temperature"],
    )
