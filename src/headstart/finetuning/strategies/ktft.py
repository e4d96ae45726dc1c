"""KTFT: blur before subsampling, and stay close to the network as it was (Suzuki et al., ICIP 2021, IEEE Access 2022).

Blur filters make a network steadier under shifts and spoil what its weights know. Beside the error on the images, the
blurred network (pupil) follows the maps that the unblurred one (teacher) gives of the same images: at every pixel, and
in their mean over all pixels.

Letters in shapes: N images, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.finetuning.batches import Batch, TrainingImages
from headstart.finetuning.replicas import Replica
from headstart.finetuning.settings import Training
from headstart.finetuning.strategies.finetune import FineTune, Passes, Step
from headstart.machine.computing import forward_in, in_float32, place
from headstart.machine.machines import Machine
from headstart.networks.backbones import Network
from headstart.networks.blurring import blur

Maps = dict[str, Tensor]
TINY = 1e-12  # below it the teacher's maps are nothing


class KnowledgeTransfer(FineTune):
    """Blur what strides in the trained blocks, and add two distances from the teacher's maps at some blocks.

    PAPER: only its abstract was at hand; docs/strategies.md says which reading this is.
    """

    def cut(self, model: nn.Module, trained_from: str, side: int = 96) -> Network:
        """Cut a copy of the model, and blur its trained part; the teacher is the same part unblurred."""
        network = super().cut(deepcopy(model), self.options["trained_from"] or trained_from, side)
        images = torch.rand((2, 3, side, side), generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            outputs = network.trunk(images)
        self.teacher = deepcopy(network.tail)
        blur(network.tail, outputs, self.options["size"])
        found = changed_blocks(self.teacher, network.tail, outputs)
        self.blocks = chosen_blocks(self.options["blocks"], found)
        return network

    def begin(self, network: Network, machine: Machine, training: Training, images: TrainingImages) -> None:
        """Make the teacher ready."""
        super().begin(network, machine, training, images)
        place(self.teacher, machine.device).eval().requires_grad_(False)
        self.known = listen(self.teacher, self.blocks)

    def replica(self, weight: Any, bias: Any) -> Replica:
        """Build the trained part of one run, whose maps are kept from a pass to its loss."""
        replica = super().replica(weight, bias)
        replica.maps = listen(replica.tail, self.blocks)  # type: ignore[assignment]
        return replica

    def share(self, step: int, batch: Batch) -> Step:
        """Let the teacher see the batch too, once for all replicas."""
        shared = super().share(step, batch)
        if not self.options["pixel"] and not self.options["global"]:
            return shared
        with torch.no_grad(), forward_in(shared.inputs.device, self.machine.precision):
            self.teacher(shared.outputs)
        return shared._replace(further=dict(self.known))

    def loss(self, replica: Replica, step: Step) -> Tensor:
        """Add both distances, each summed over the blocks; with both weights 0 plain fine-tuning, bit for bit."""
        _, logits = replica(step.outputs, step.mask)
        loss = functional.cross_entropy(logits, step.labels)
        heard: Maps = replica.maps  # type: ignore[assignment]
        maps = dict(heard)
        heard.clear()
        for word, seen in (("pixel", every_pixel), ("global", mean_pixel)):
            if weight := self.options[word]:
                with in_float32(loss.device):
                    apart = (distance(seen(maps[name]), seen(step.further[name])) for name in self.blocks)
                    loss = loss + weight * sum(apart)
        return loss

    @staticmethod
    def passes(options: Mapping[str, Any]) -> Passes:
        """Say what a training image costs: the teacher's pass too; a block of its own is taken for the config's."""
        return Passes(shared=float(bool(options["pixel"] or options["global"])))


def distance(pupil: Tensor, teacher: Tensor) -> Tensor:
    """Give the mean square of the difference over that of the teacher's values, a scalar: 1 is as far as zeros are."""
    return functional.mse_loss(pupil, teacher) / teacher.square().mean().clamp_min(TINY)


def every_pixel(maps: Tensor) -> Tensor:
    """Give maps as they are, (N, C, H, W), in full precision."""
    return maps.float()


def mean_pixel(maps: Tensor) -> Tensor:
    """Give the mean over the pixels of each map, (N, C)."""
    return maps.float().mean(dim=(2, 3))


def listen(chain: nn.Module, names: list[str]) -> Maps:
    """Return what will hold the maps (N, C, H, W) that some blocks of a chain gave when it was last called."""
    heard: Maps = {}
    for name in names:
        chain.get_submodule(name).register_forward_hook(partial(_note, heard, name))
    return heard


def _note(heard: Maps, name: str, block: nn.Module, given: Any, made: Tensor) -> None:
    heard[name] = made


def changed_blocks(teacher: nn.Sequential, pupil: nn.Sequential, inputs: Tensor) -> dict[str, torch.Size]:
    """Return the blocks, in their order, whose maps the blur has changed, but for their size, and that size.

    Args:
        teacher, pupil: the trained part of a network, unblurred and blurred; both stay as they are.
        inputs: for both of them.
    """
    maps = []
    for chain in (deepcopy(teacher), deepcopy(pupil)):
        maps.append(listen(chain, names_in_chain(chain)))
        with torch.no_grad():
            chain(inputs)
    known, blurred = maps
    return {
        name: found.shape[2:]
        for name, found in blurred.items()
        if found.ndim == 4 and found.shape == known[name].shape and not torch.equal(found, known[name])
    }


def names_in_chain(chain: nn.Sequential, prefix: str = "") -> list[str]:
    """List the blocks of a chain that have weights, and those within its chains before them."""
    names = []
    for name, block in chain.named_children():
        names += names_in_chain(block, f"{prefix}{name}.") if isinstance(block, nn.Sequential) else []
        names += [f"{prefix}{name}"] if any(True for _ in block.parameters()) else []
    return names


def chosen_blocks(named: str | None, found: Mapping[str, torch.Size]) -> list[str]:
    """Return the blocks at which the teacher is followed: those named, or the last one of each size of map.

    Raises ValueError for a name that is none of the blocks that were found.

    >>> few, many = torch.Size([4, 4]), torch.Size([8, 8])
    >>> chosen_blocks(None, {"layer1": many, "layer2.0": few, "layer2": few})
    ['layer1', 'layer2']
    """
    if named is None:
        return list({size: name for name, size in found.items()}.values())
    names = named.split("+")
    strange = [name for name in names if name not in found]
    if strange:
        raise ValueError(
            f"no block {' nor '.join(strange)} that the blur changes; expected some of {', '.join(found)}, joined "
            "by +, in the option blocks"
        )
    return names
