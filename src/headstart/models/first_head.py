"""A first head from a network, images and labels, for those who have no use for a pipeline.

Letters in shapes: S source classes, T target classes, D features of the last layer, N images, K neighbours.
"""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn

from headstart.heads.starts import HeadInputs
from headstart.measures.similarity import inference
from headstart.naming import read_start
from headstart.networks.backbones import cut
from headstart.networks.embedding import frozen_pass
from headstart.vocabulary import code_of

BATCH = 64


def first_head(network: nn.Module, images: Tensor, labels: Tensor, start: str = "imprinted") -> nn.Linear:
    """Build the last layer of a new task from a pretrained classifier and a few labelled images; nothing is trained.

    Args:
        network: a classifier of timm or torchvision with a linear last layer; it is left as it is.
        images: (N, 3, H, W), normalised as the network's weights expect.
        labels: class of each image, (N,) integers, every one from 0 to T-1 at least once.
        start: `imprinted`, `probe`, `random`, or `inference-k<K>`, which blends the rows of the K source classes that
            the network sees most in the images of a class.

    Returns:
        A layer with weight (T, D) and bias (T,) to put in the place of the network's last one.

    Raises:
        ValueError: a start that needs more than images, or images and labels that do not fit together.
    """
    chosen, fixed = read_start(start)
    if chosen.reads or chosen.measure not in ("", "inference") or (chosen.measure and not fixed):
        raise ValueError(
            f"the start {start!r} needs more than a network and images; take imprinted, probe, random or inference-k<K>"
        )
    targets = int(labels.max()) + 1 if len(labels) else 0
    if len(images) != len(labels) or len(labels.unique()) != targets:
        raise ValueError(
            f"expected a label for each of {len(images)} images, from 0 on without a gap, got {len(labels)} labels of "
            f"{len(labels.unique())} classes up to {targets - 1}"
        )
    parts = cut(deepcopy(network), side=images.shape[-1])
    features, source = _features(nn.Sequential(parts.trunk, parts.tail), images), parts.head
    weight, bias = (part.detach().float().cpu().numpy() for part in (source.weight, source.bias))
    known = labels.cpu().numpy()
    similarity = inference(known, features @ weight.T + bias, targets) if chosen.measure else None
    inputs = HeadInputs(
        names=[str(place) for place in range(targets)],
        source_weight=weight,
        source_bias=bias,
        similarity=similarity,
        neighbours=fixed,
        features=features,
        labels=known,
    )
    found = code_of(chosen.code)(inputs)
    layer = nn.utils.skip_init(nn.Linear, weight.shape[1], targets)
    layer.load_state_dict({"weight": torch.from_numpy(found.weight), "bias": torch.from_numpy(found.bias)})
    return layer.to(images.device)


def _features(body: nn.Module, images: Tensor) -> np.ndarray:
    body = body.to(images.device).eval()
    with torch.inference_mode():
        return torch.cat([frozen_pass(body, part) for part in images.split(BATCH)]).float().cpu().numpy()
