"""A network, heads and settings of a size for tests, and what tests ask of finished runs."""

import numpy as np
import pytest
import torch
from test_backbones import Chain, build
from torch.nn import functional

from headstart.data.views import View
from headstart.finetuning.batches import draw_batch, dropout_mask
from headstart.finetuning.strategies.finetune import FineTune
from headstart.jobs.checkpoints import Checkpoint
from headstart.machine.computing import place
from headstart.machine.machines import Machine
from headstart.networks.backbones import cut

CPU = torch.device("cpu")
MACHINE = Machine(CPU, threads=1)
CLASSES = ["n01", "n02", "n03"]
VIEW = View(32, mean=[0.5] * 3, std=[0.5] * 3)
STEPS = 7  # three epochs of two full batches and one of a single image


def fresh_network():
    return cut(build(Chain), "features.1", side=32)


def plain():
    return FineTune({})


def labels_of(names):
    return np.array([CLASSES.index(name.split("_")[0]) for name in names])


def evaluated(names):
    return [name for name in names if name.endswith(("_3.png", "_4.png"))]


def head(seed):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(3, 5)).astype(np.float32), generator.normal(size=3).astype(np.float32)


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def rows(history, init):
    return history[history["initialisation"] == init].reset_index(drop=True)


def part(weights, init):
    return {name.partition("/")[2]: value for name, value in weights.items() if name.startswith(f"{init}/")}


def values_of(network):
    return {
        f"{place}.{name}": value.clone()
        for place, piece in enumerate((network.trunk, network.tail, network.head))
        for name, value in piece.state_dict().items()
    }


def breaking(function, call, act):
    """Return the function as it is, but that it does something first on one of its calls."""
    calls = []

    def broken(*arguments):
        calls.append(None)
        if len(calls) == call:
            act()
        return function(*arguments)

    return broken


def power_cut():
    raise RuntimeError("power cut")


def resumed(train, make, heads, path, breaks):
    """Give what a training gives that is broken off within some steps, one after the other, and then ends.

    Each time the first run has taken the step and the second has not; nothing survives but the state at the path.
    """
    for step in breaks:
        strategy = make()
        strategy.enter = breaking_within(strategy.enter, step)
        with pytest.raises(RuntimeError, match="power cut"):
            train(heads, strategy, checkpoint=Checkpoint(path, "digest", save_every=0))
    return train(heads, make(), checkpoint=Checkpoint(path, "digest", save_every=0))


def breaking_within(enter, step):
    replicas = []

    def broken(replica, number):
        replicas.extend([replica] if number == step else [])
        if len(replicas) == 2:
            power_cut()
        enter(replica, number)

    return broken


def plain_run(weight, bias, images, held=0, batch_norm="train"):
    """The same training written for one start, with nothing shared, cached or cut away.

    The last layer alone is trained in the first `held` steps.
    """
    model = place(build(Chain), CPU)
    with torch.no_grad():
        model.classifier[1] = torch.nn.Linear(5, 3)
        model.classifier[1].weight.copy_(torch.from_numpy(weight))
        model.classifier[1].bias.copy_(torch.from_numpy(bias))
    blocks = list(model.features[1:].parameters())
    optimiser = torch.optim.Adam(
        [*blocks, *model.classifier.parameters()], lr=1e-3, betas=(0.9, 0.999), eps=1e-8, fused=True
    )
    for step in range(1, STEPS + 1):
        model.train(batch_norm == "train" and step > held)
        model.features[0].eval()
        for parameter in blocks:
            parameter.requires_grad_(step > held)
        inputs, labels = draw_batch(images, step, CPU)
        features = functional.adaptive_avg_pool2d(model.features(inputs), 1).flatten(1)
        kept = dropout_mask(len(labels), 5, 0.75, images.seed, step)
        loss = functional.cross_entropy(model.classifier[1](features * kept), labels)
        model.zero_grad()
        loss.backward()
        optimiser.step()
    return {
        name: value
        for name, value in model.state_dict().items()
        if not name.startswith("features.0")
    }  # fmt: skip
