"""Anti-aliasing on the source task: fine-tune a network, blurred or not, on a few images of its own classes, and see.

Letters in shapes: N images, S source classes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from headstart.data.crops import crop_batch
from headstart.data.images import PixelStore
from headstart.data.views import View
from headstart.finetuning.settings import Task, Training
from headstart.finetuning.strategies.finetune import FineTune
from headstart.finetuning.training import train_lockstep
from headstart.jobs.checkpoints import Checkpoint
from headstart.machine.computing import place
from headstart.machine.machines import Machine, use_threads
from headstart.networks.backbones import Network
from headstart.networks.embedding import normalise
from headstart.networks.pretraining import Labelled, accuracy

HEAD = "source"  # what the run from the source head is called
BATCH = 128  # images read at once


def few_of_each(pictures: Labelled, count: int, seed: int) -> Labelled:
    """Draw so many pictures of each class, by a hash of seed and name, so that fewer are a subset of more.

    Raises ValueError where a class has fewer.
    """
    members: dict[int, list[str]] = {}
    for name, label in zip(pictures.names, pictures.labels, strict=True):
        members.setdefault(label, []).append(name)
    least = min(map(len, members.values()))
    if least < count:
        raise ValueError(
            f"expected {count} training pictures of every source class, found {least} of one; lower antialias.train"
        )
    chosen = {
        label: sorted(names, key=lambda name: hashlib.blake2b(f"{seed}/{name}".encode()).digest())[:count]
        for label, names in sorted(members.items())
    }
    pairs = [(name, label) for label, names in chosen.items() for name in names]
    return Labelled([name for name, _ in pairs], [label for _, label in pairs])


def fine_tune_source(
    strategy: FineTune, network: Network, task: Task, training: Training, machine: Machine, checkpoint: Checkpoint
) -> nn.Sequential:
    """Train from the source head by a strategy, and give the whole network, images to logits.

    Arguments as those of `train_lockstep`, with the source classes in place of the targets.
    """
    head = (network.head.weight.detach().clone(), network.head.bias.detach().clone())
    _, weights = train_lockstep(strategy, network, {HEAD: head}, task, training, machine, checkpoint)
    return whole(network, of_run(weights, HEAD))


def of_run(weights: Mapping[str, Tensor], initialisation: str) -> dict[str, Tensor]:
    """Take the weights of one run, by their names in the network, out of those that `train_lockstep` gives."""
    prefix = f"{initialisation}/"
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def whole(network: Network, trained: Mapping[str, Tensor] | None = None) -> nn.Sequential:
    """Put a network that was cut together again, with the trained weights of one run, if there are any."""
    tail, head = deepcopy(network.tail), deepcopy(network.head)
    if trained is not None:
        tail.load_state_dict({name: trained[name] for name in tail.state_dict()})
        rows = {name: trained[f"{network.head_name}.{name}"] for name in head.state_dict()}
        head = nn.utils.skip_init(nn.Linear, head.in_features, len(rows["bias"]))
        head.load_state_dict(rows)
    return nn.Sequential(network.trunk, tail, head)


def steadiness(
    model: nn.Module, store: PixelStore, pictures: Labelled, view: View, machine: Machine, seed: int
) -> dict[str, Any]:
    """Give top-1 on central crops, and the share of pictures of which two random crops get one label; both 0..1.

    Args:
        model: images to logits; it is left in eval mode.
        pictures: N that test.
        seed: of the crops' places, which depend on it and the picture's name alone.
    """
    top1 = accuracy(model, store, pictures, view, machine)
    same = consistency(model, store, pictures.names, view, machine, seed)
    return {"accuracy": top1, "consistency": same, "images": len(pictures.names)}


def consistency(
    model: nn.Module, store: PixelStore, names: Sequence[str], view: View, machine: Machine, seed: int
) -> float:
    """Give the share of pictures, 0..1, of which two random crops get one label; arguments as of `steadiness`."""
    place(model, machine.device).eval()
    found: list[list[Tensor]] = [[], []]
    with use_threads(machine.threads), torch.inference_mode():
        for start in range(0, len(names), BATCH):
            for epoch, labels in enumerate(found):
                crops = crop_batch(store, names[start : start + BATCH], view.side, seed, epoch)
                labels.append(model(normalise(crops, view, machine.device)).argmax(1).cpu())
    first, second = map(torch.cat, found)
    return float((first == second).double().mean())
