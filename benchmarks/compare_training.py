"""Four initialisations of a ResNet-50: four plain runs against lockstep behind one pass of the frozen blocks.

`python benchmarks/compare_training.py`, a minute or two. 64 training and 64 test pictures of 128 pixels, 4 steps of 32,
scored three times. The plain runs decode each picture at each use and pass the whole network; lockstep decodes once,
passes the frozen blocks once for all and keeps their output for the test pictures. Trained weights, BatchNorm's
statistics and every F-score have equal bits. The floor is what cannot be left out: one pass of the frozen blocks over
each batch and over the test pictures, and for each initialisation the steps and scores of `layer4` and `fc` alone.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from comparison import Row, alternate, report
from headstart.data.images import PixelStore, decode_tar
from headstart.data.views import View
from headstart.finetuning.batches import TrainingImages, draw_batch
from headstart.finetuning.replicas import Replica
from headstart.finetuning.settings import Task, Training
from headstart.finetuning.strategies.finetune import FineTune
from headstart.finetuning.training import train_lockstep
from headstart.heads.starts import random_head
from headstart.machine.computing import place
from headstart.machine.machines import Machine, pick_machine
from headstart.networks.backbones import cut, load_classifier
from headstart.networks.embedding import cache_trunk, frozen_pass
from pictures import some_pictures, write_tar
from plain_parts import Array, Pictures, calibrated, train, trained_weights, with_head

CPU = torch.device("cpu")
NETWORK, SHORT_SIDE, SIDE = "resnet50", 146, 128
CLASSES, STEPS, BATCH, SEED, THREADS = 16, 4, 32, 0, 2
EVALUATE_AT = [0, 2, 4]
TRAINED, TESTED = 64, 64  # pictures
ASKED, WITHIN = 2, 1.25
Scores = dict[tuple[str, int], Array]  # (initialisation, step) -> (T,)
Weights = dict[str, Tensor]


class Given:
    """The pictures, the network and the heads that both forms start from."""

    def __init__(self, folder: Path) -> None:
        """Make them, and a tar of the pictures in the folder."""
        named = enumerate(some_pictures(TRAINED + TESTED).values())
        data = {f"n00000001_{number}.JPEG": content for number, content in named}
        self.pictures = Pictures(data, SHORT_SIDE, SIDE)
        self.view = View(SIDE, self.pictures.mean, self.pictures.std)
        self.tar = folder / "n00000001.tar"
        write_tar(self.tar, data)
        self.names, self.tests = list(data)[:TRAINED], list(data)[TRAINED:]
        self.labels, self.test_labels = np.arange(TRAINED) % CLASSES, np.arange(TESTED) % CLASSES
        self.model = calibrated(load_classifier("torchvision", NETWORK, 1000), self.pictures.central(self.names))
        width = cut(self.model).head.in_features
        heads = {f"head {seed}": random_head(CLASSES, width, seed) for seed in range(4)}
        self.heads = {name: (head.weight, head.bias) for name, head in heads.items()}

    def images(self, store: PixelStore) -> TrainingImages:
        """Say what is trained on, from a store."""
        return TrainingImages(store, self.names, self.labels, self.view, seed=SEED, shots=4, batch=BATCH)


def four_runs(given: Given) -> tuple[Scores, Weights]:
    """Train each initialisation for itself."""
    scores: Scores = {}
    weights: Weights = {}
    for name, head in given.heads.items():
        model = with_head(given.model, *head, dropout=0.75, seed=SEED)
        tests = {"test": (given.tests, given.test_labels)}
        found = train(model, given.pictures, given.names, given.labels, tests, STEPS, EVALUATE_AT, BATCH, 4, SEED)
        scores |= {(name, step): f1 for (step, _), f1 in found.items()}
        weights |= {f"{name}/{key}": value for key, value in trained_weights(model).items()}
    return scores, weights


def lockstep(given: Given) -> tuple[Scores, Weights]:
    """Train all as the pipeline does, decoding included."""
    store_path, trunk_path = given.tar.with_suffix(".arrow"), given.tar.with_suffix(".npy")
    decode_tar(given.tar, store_path, given.tar.with_suffix(".csv"), given.pictures.short_side, 16)
    images, network = given.images(PixelStore([store_path])), cut(given.model, "layer4")
    machine = Machine(CPU, threads=THREADS)
    cache_trunk(network.trunk, images.store, given.tests, given.view, machine, trunk_path, batch=64)
    tests = {"test": (np.load(trunk_path, mmap_mode="r"), given.test_labels)}
    task = Task([f"class {number}" for number in range(CLASSES)], images, tests)
    training = Training(steps=STEPS, evaluate_at=EVALUATE_AT)
    history, weights = train_lockstep(FineTune({}), network, given.heads, task, training, machine)
    runs = history.groupby(["initialisation", "step"])["f1"]
    return {(str(name), int(step)): f1.to_numpy() for (name, step), f1 in runs}, weights


def inevitable(given: Given) -> None:
    """Pass the frozen blocks once, then step and score the trained part alone, each initialisation by itself."""
    images, network = given.images(PixelStore([given.tar.with_suffix(".arrow")])), cut(given.model, "layer4")
    with torch.no_grad():
        batches = [draw_batch(images, step, CPU) for step in range(1, STEPS + 1)]
        outputs = [frozen_pass(network.trunk, inputs) for inputs, _ in batches]
        tests = frozen_pass(network.trunk, given.pictures.central(given.tests))
    replicas = [place(Replica(network.tail, *head), CPU) for head in given.heads.values()]
    for replica in replicas:
        optimiser = torch.optim.Adam(replica.parameters(), fused=True)
        for step in range(STEPS + 1):
            if step > 0:
                loss = functional.cross_entropy(replica(outputs[step - 1])[1], batches[step - 1][1])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            if step in EVALUATE_AT:
                pass_tests(replica, tests)


def pass_tests(replica: nn.Module, tests: Tensor) -> None:
    """Pass the frozen blocks' output for the test pictures through the trained part."""
    replica.eval()
    with torch.inference_mode():
        for part in tests.split(BATCH):
            replica(part)
    replica.train()


def main() -> bool:
    """Compare, print the table, and say whether the fast form is as fast as asked."""
    pick_machine(THREADS)
    with TemporaryDirectory() as folder:
        given = Given(Path(folder))
        plain, (scores, weights), fast, (found_scores, found) = alternate(
            lambda: four_runs(given), lambda: lockstep(given), 1
        )
        floor, _, again, _ = alternate(lambda: inevitable(given), lambda: lockstep(given), 1)
    assert weights.keys() == found.keys() and scores.keys() == found_scores.keys()
    differ = [name for name, value in weights.items() if not torch.equal(value, found[name])]
    assert not differ, f"{len(differ)} of {len(weights)} tensors differ, first {differ[0]}"
    wrong = [key for key, f1 in scores.items() if not np.array_equal(f1, found_scores[key])]
    assert not wrong, f"F-scores differ in {wrong}"
    print(f"{len(weights)} tensors and {len(scores) * CLASSES} F-scores equal in all bits")
    what = f"4 x {NETWORK}, {STEPS} steps of {BATCH}, {len(EVALUATE_AT)} x {TESTED} scored"
    return report([Row(what, plain, min(fast, again), ASKED, floor, WITHIN)])


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
