"""Count the work of a network that has been cut, and the numbers that it keeps, without passing any image through it.

Letters in shapes: N images, T target classes, D features of the last layer.
"""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from headstart.finetuning.replicas import Replica
from headstart.networks.backbones import Network

# BatchNorm in training mode refuses a single image.
IMAGES = 2


class Costs(NamedTuple):
    """Work for one image in FLOP, a multiplication and an addition being two, and how many numbers are kept.

    Convolutions and matrix products count; BatchNorm, pooling and the optimiser do not.
    """

    trunk: int  # forward
    tail: int  # forward
    head: int  # forward
    training: int  # tail and head, forward and backward
    outputs: int  # numbers in the trunk's output for one image
    features: int  # D
    weights: int  # numbers in tail and head, buffers included
    parameters: int  # those of them that are trained


def measure_costs(network: Network, classes: int, side: int) -> Costs:
    """Count the work of a network as it is fine-tuned, exactly, from the shapes of its layers.

    Training costs three forward passes of tail and head (forward, gradients of the weights, gradients of the inputs)
    less one of the layers that read the trunk's output, since no gradient goes back into the trunk.

    Args:
        network: as cut; it stays as it is.
        classes: T, outputs of the new head.
        side: of the images, pixels.
    """
    trunk = deepcopy(network.trunk).to("meta")
    replica = Replica(network.tail, torch.zeros(classes, network.head.in_features), torch.zeros(classes)).to("meta")
    images = torch.empty((IMAGES, 3, side, side), device="meta")
    with torch.no_grad():
        outputs = trunk(images)
        features = replica.tail(outputs)
    tail, head = _work(replica.tail, outputs), _work(replica.head, features)
    return Costs(
        trunk=_work(trunk, images),
        tail=tail,
        head=head,
        training=3 * (tail + head) - _spared(replica, outputs),
        outputs=outputs[0].numel(),
        features=network.head.in_features,
        weights=sum(value.numel() for value in replica.state_dict().values()),
        parameters=sum(parameter.numel() for parameter in replica.parameters()),
    )


def _work(module: nn.Module, inputs: Tensor) -> int:
    """Count the work of one image in a forward pass over IMAGES of them."""
    # Only forward: of backward passes through grouped convolutions the counter makes up to `groups` times too much.
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(inputs)
    return counter.get_total_flops() // IMAGES


def _spared(replica: Replica, outputs: Tensor) -> int:
    """Count the forward work of the layers whose input needs no gradient."""
    first: list[tuple[nn.Module, Tensor]] = []

    def note(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if not inputs[0].requires_grad:
            first.append((layer, inputs[0]))

    hooks = [layer.register_forward_pre_hook(note) for layer in replica.modules() if not list(layer.children())]
    replica(outputs)
    for hook in hooks:
        hook.remove()
    return sum(_work(layer, inputs) for layer, inputs in first)
