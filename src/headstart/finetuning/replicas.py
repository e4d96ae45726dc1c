"""The trained part of one run: a copy of the pretrained tail, and its head; how it is scored.

Letters in shapes: N images, T target classes, D features of the last layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from headstart.machine.computing import compile_on, forward_in, in_float32, send
from headstart.machine.machines import Machine
from headstart.machine.prefetch import one_ahead
from headstart.measures.metrics import confusion, f_scores
from headstart.networks.embedding import in_pieces

BATCH_NORM = ("train", "eval")
# Images scored at once at least: of fewer, a CPU spends most of its time on the layout of the weights.
SCORED = 64


class Replica(nn.Module):
    """Tail and head of one run, in training mode.

    Args:
        tail: copied.
        weight, bias: of the head, (T, D) and (T,), arrays or tensors.
        batch_norm: what BatchNorm uses in training, "train" (statistics of the batch) or "eval" (those of pretraining).
    """

    def __init__(self, tail: nn.Sequential, weight: Any, bias: Any, batch_norm: str = "train") -> None:
        """Copy the tail and the head's values."""
        super().__init__()
        self.tail = deepcopy(tail).requires_grad_(True)
        self.head = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0])  # no draw from the global generator
        with torch.no_grad():
            self.head.weight.copy_(torch.as_tensor(weight))
            self.head.bias.copy_(torch.as_tensor(bias))
        self.batch_norm = batch_norm
        self.held = False
        self.compiled = False
        self.train()

    def forward(self, outputs: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Give features (N, D) and logits (N, T) for the trunk's output; the mask (N, D) falls between the two."""
        # One after another, or at once where they are compiled: then the compiler chooses the layouts.
        features = outputs
        for block in (self.tail,) if self.compiled else self.tail:
            features = block(features)
            if features.requires_grad and features.ndim == 4:
                features.register_hook(_in_layout_of(features))
        features = features.float()
        return features, self.classify(features, mask)

    def classify(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """Give logits (N, T) for features (N, D)."""
        with in_float32(features.device):  # logits rounded to half would tie
            return self.head(features.float() if mask is None else features * mask)

    def compile_tail(self, device: torch.device) -> None:
        """Compile what is trained, if the device is a GPU."""
        self.compiled = compile_on(device, self.tail)

    def hold_tail(self, held: bool) -> None:
        """Hold the tail where it is, BatchNorm's statistics included, or let it learn again."""
        if held != self.held:
            self.held = held
            self.tail.requires_grad_(not held)
            for parameter in self.tail.parameters():
                parameter.grad = None  # an optimiser leaves out what has none
            self.train(self.training)

    def train(self, mode: bool = True) -> Replica:
        """Switch between training and evaluation; the layers' statistics move as `batch_norm` and `held` say."""
        super().train(mode)
        if self.held:
            self.tail.eval()
        if self.batch_norm == "eval":
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self


def score(
    replicas: Mapping[str, Replica], outputs: np.ndarray | Tensor, labels: np.ndarray, batch: int, machine: Machine
) -> dict[str, np.ndarray]:
    """Give the F-score of each class for each replica, (T,), NaN for a class without images.

    Args:
        outputs: the trunk's output for N images, in memory, mapped from a file, or on the device.
        labels: their classes, (N,).
        batch: images read at once; `machine.at_once` of them pass together.

    Raises:
        ValueError: logits that are no numbers.
    """
    device = machine.device
    called: dict[str, list[Tensor]] = {name: [] for name in replicas}
    finite: dict[str, list[Tensor]] = {name: [] for name in replicas}
    for replica in replicas.values():
        replica.eval()
    parts = (outputs[start : start + batch] for start in range(0, len(labels), batch))
    batches = one_ahead(partial(as_input, device=device), parts, second_thread=device.type == "cuda")
    with torch.inference_mode(), forward_in(device, machine.precision):
        for inputs in batches:
            for name, replica in replicas.items():
                logits = replica.classify(in_pieces(replica.tail, inputs, machine.at_once))
                # Read at the end: a GPU that is asked for a number waits for the next launches.
                called[name].append(logits.argmax(1))
                finite[name].append(torch.isfinite(logits).all(1))
    for name, replica in replicas.items():
        replica.train()
        _require_finite(torch.cat(finite[name]), name)
    return {
        name: f_scores(confusion(labels, torch.cat(called[name]).cpu().numpy(), replica.head.out_features))
        for name, replica in replicas.items()
    }


def final_weights(replicas: Mapping[str, Replica], head_name: str) -> dict[str, Tensor]:
    """Give all weights and buffers on the CPU, "<initialisation>/<name>", ready for safetensors.

    Tail and head are called as in the network, and what a strategy has added to a replica as it is there.

    Raises ValueError for an addition that is called like a part of the network.
    """
    found: dict[str, Tensor] = {}
    for init, replica in replicas.items():
        for name, value in replica.state_dict().items():
            part, _, inside = name.partition(".")
            final = f"{init}/" + {"tail": inside, "head": f"{head_name}.{inside}"}.get(part, name)
            if final in found:
                raise ValueError(f"two parts would be kept as {final}; the strategy has to call its {part} otherwise")
            found[final] = value.detach().cpu().contiguous()
    return found


def as_input(outputs: np.ndarray | Tensor, device: torch.device) -> Tensor:
    """Give the trunk's output for N images as tails take it: float32 on the device, in the layout that is fastest."""
    inputs = (outputs if isinstance(outputs, Tensor) else send(outputs, device)).float()
    if inputs.ndim == 4 and device.type != "mps":
        return inputs.contiguous(memory_format=torch.channels_last)
    return inputs


def _in_layout_of(features: Tensor) -> Any:
    """Give a hook that lays the gradient out as the features are.

    Pooling hands back gradients in the other layout, and BatchNorm then takes twenty times as long.
    """
    channels_last = features.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return lambda gradient: gradient.contiguous(memory_format=layout)


def _require_finite(finite: Tensor, name: str) -> None:
    if not finite.all():
        raise ValueError(
            f"initialisation {name}: {int((~finite).sum())} of {len(finite)} images have logits "
            "that are NaN or infinite; lower training.learning_rate or check the weights"
        )
