"""Parts of the experiment done plainly: benchmarks and tests compare the library with them, plain.py is made of them.

Pictures are decoded at every use, every run and every score passes the whole network, F-scores are sklearn's, one by
one. The keyed draws of crops, batches and dropout are the library's, so that results can be compared. The network is
a ResNet in channels last, of which `layer4` and `fc` are trained.

Letters in shapes: N images, S source classes, T target classes, D features of the last layer.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import f1_score
from torch import Tensor, nn
from torch.nn import functional
from torchvision.transforms.v2 import functional as transforms

import comparison  # noqa: F401  (finds the library)
from headstart.data.crops import centre_crop, random_crop
from headstart.finetuning.batches import batch_order, dropout_mask

Array = NDArray[Any]
TRAINED = ("layer4", "fc")
BATCH = 64  # images per forward pass


@dataclass(frozen=True)
class Pictures:
    """Encoded pictures by name, and how the network wants them."""

    data: Mapping[str, bytes]
    short_side: int = 256
    side: int = 224
    mean: Sequence[float] = (0.485, 0.456, 0.406)
    std: Sequence[float] = (0.229, 0.224, 0.225)

    def decode(self, name: str) -> Array:
        """Decode one picture with PIL and resize it, uint8 (height, width, 3)."""
        image = Image.open(io.BytesIO(self.data[name])).convert("RGB")
        return np.asarray(transforms.resize(image, [self.short_side], antialias=True))

    def central(self, names: Sequence[str]) -> Tensor:
        """Give the network's input for central crops, (N, 3, side, side)."""
        return self.inputs([centre_crop(self.decode(name), self.side) for name in names])

    def random(self, names: Sequence[str], seed: int, epoch: int) -> Tensor:
        """Give the network's input for random crops, (N, 3, side, side)."""
        return self.inputs([random_crop(self.decode(name), self.side, seed, name, epoch) for name in names])

    def inputs(self, crops: Sequence[Array]) -> Tensor:
        """Turn crops into the network's input."""
        tensors = [torch.from_numpy(crop.transpose(2, 0, 1).copy()).float().div(255) for crop in crops]
        normalised = [transforms.normalize(tensor, list(self.mean), list(self.std)) for tensor in tensors]
        return torch.stack(normalised).contiguous(memory_format=torch.channels_last)


class KeyedDropout(nn.Module):
    """Dropout in training whose masks are those of the library's steps, 1, 2, ..."""

    def __init__(self, probability: float, seed: int) -> None:
        """Note the keys."""
        super().__init__()
        self.probability, self.seed, self.step = probability, seed, 0

    def forward(self, features: Tensor) -> Tensor:
        """Drop features (N, D) while training."""
        if not self.training:
            return features
        self.step += 1
        return features * dropout_mask(len(features), features.shape[1], self.probability, self.seed, self.step)


def predict(model: nn.Module, pictures: Pictures, names: Sequence[str]) -> Array:
    """Pass central crops through the whole network: logits (N, outputs)."""
    model.eval()
    with torch.inference_mode():
        parts = [model(pictures.central(names[start : start + BATCH])) for start in range(0, len(names), BATCH)]
    return torch.cat(parts).numpy()


def score(model: nn.Module, pictures: Pictures, names: Sequence[str], labels: Array, classes: int) -> Array:
    """Give the F-score of each class, (T,)."""
    predictions = predict(model, pictures, names).argmax(1)
    return f1_score(labels, predictions, labels=range(classes), average=None, zero_division=0)


def with_head(model: nn.Module, weight: Array, bias: Array, dropout: float = 0.0, seed: int = 0) -> nn.Module:
    """Copy a network and give it another last layer, (T, D) and (T,), behind dropout."""
    model = deepcopy(model)
    head = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        head.weight.copy_(torch.as_tensor(weight))
        head.bias.copy_(torch.as_tensor(bias))
    model.fc = nn.Sequential(KeyedDropout(dropout, seed), head)
    return model.to(memory_format=torch.channels_last)


def train(
    model: nn.Module,
    pictures: Pictures,
    names: Sequence[str],
    labels: Array,
    tests: Mapping[str, tuple[Sequence[str], Array]],
    steps: int,
    evaluate_at: Sequence[int],
    batch: int,
    shots: int,
    seed: int,
    learning_rate: float = 1e-3,
) -> dict[tuple[int, str], Array]:
    """Fine-tune a network of `with_head` in place; give the F-scores (T,) of each (step, part) of the test images."""
    classes = len(model.get_parameter("fc.1.bias"))
    for name, part in model.named_children():
        part.requires_grad_(name in TRAINED)
    optimiser = torch.optim.Adam(
        [parameter for parameter in model.parameters() if parameter.requires_grad], learning_rate, fused=True
    )
    per_epoch = -(-len(names) // batch)
    scores = {(0, part): score(model, pictures, *images, classes) for part, images in tests.items() if 0 in evaluate_at}
    for step in range(1, steps + 1):
        for name, part in model.named_children():
            part.train(name in TRAINED)
        epoch, place = divmod(step - 1, per_epoch)
        chosen = batch_order(len(names), seed, shots, epoch)[place * batch : (place + 1) * batch]
        logits = model(pictures.random([names[i] for i in chosen], seed, epoch))
        loss = functional.cross_entropy(logits, torch.from_numpy(labels[chosen]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step in evaluate_at:
            scores |= {(step, part): score(model, pictures, *images, classes) for part, images in tests.items()}
    return scores


def trained_weights(model: nn.Module) -> dict[str, Tensor]:
    """Give weights and buffers of the trained part under the names of the network."""
    state = {name.replace("fc.1.", "fc."): value for name, value in model.state_dict().items()}
    return {name: value for name, value in state.items() if name.startswith(TRAINED)}


def couple_f_score(labels: Array, predictions: Array, target: int, source: int) -> float:
    """Give the F-score of one source output as a detector of one target class."""
    return float(f1_score(labels == target, predictions == source, zero_division=0))


def inference(labels: Array, predictions: Array, targets: int, sources: int) -> Array:
    """Give the F-scores of all couples, (T, S)."""
    return np.array([
        [couple_f_score(labels, predictions, target, source) for source in range(sources)] for target in range(targets)
    ])  # fmt: skip


def blend(weight: Array, bias: Array, similarity: Array, neighbours: int) -> tuple[Array, Array]:
    """Give the head (T, D), (T,) whose rows are means of the rows of the most similar sources, by similarity."""
    rows, offsets = [], []
    for values in similarity:
        nearest = np.argsort(-values, kind="stable")[:neighbours]
        nearest = nearest[values[nearest] > 0]
        shares = values[nearest] / values[nearest].sum()
        rows.append(shares @ weight[nearest].astype(np.float64))
        offsets.append(shares @ bias[nearest].astype(np.float64))
    return np.array(rows), np.array(offsets)


def sweep_features(
    weight: Array, bias: Array, similarity: Array, features: Array, labels: Array, numbers: Sequence[int]
) -> Array:
    """Give the F-scores for every number of neighbours, (K, T): one head at a time on the features (N, D)."""
    # In double precision: in single, a few of a million images lie so near a tie that the order of sums decides.
    found, features = [], features.astype(np.float64)
    for neighbours in numbers:
        rows, offsets = blend(weight, bias, similarity, neighbours)
        predictions = (features @ rows.T + offsets).astype(np.float32).argmax(1)
        found.append(f1_score(labels, predictions, labels=range(len(rows)), average=None, zero_division=0))
    return np.array(found)


def sweep_network(
    model: nn.Module,
    head: tuple[Array, Array],
    similarity: Array,
    pictures: Pictures,
    names: Sequence[str],
    labels: Array,
    numbers: Sequence[int],
) -> Array:
    """Give the same by passing the pictures through the whole network with every head."""
    heads = [blend(*head, similarity, neighbours) for neighbours in numbers]
    return np.array([score(with_head(model, *one), pictures, names, labels, len(one[1])) for one in heads])


def calibrated(model: nn.Module, inputs: Tensor) -> nn.Module:
    """Give random weights BatchNorm statistics of real inputs, so that outputs differ between pictures as real ones."""
    model = model.to(memory_format=torch.channels_last).train()
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean of all batches
    with torch.no_grad():
        model(inputs)
    for norm in norms:
        norm.momentum = 0.1
    return model.eval()
