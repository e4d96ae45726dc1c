"""How time grows with images, classes and shots: each main step at 1x, 2x and 4x (`python benchmarks/growth.py`).

The exponent is log2 of time(4x) / time(1x), over 2: 1 is linear, 0 no growth, 2 quadratic. Steps are kept small, so
that a fixed part (a first call, a table's overhead) may hide growth, never invent it. WordNet is left out where it is
not installed.
"""

from collections.abc import Callable, Iterator
from math import log2
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch

from comparison import machine, measure
from headstart.data.images import PixelStore, decode_tar
from headstart.data.views import View
from headstart.finetuning.batches import TrainingImages
from headstart.finetuning.settings import Task, Training
from headstart.finetuning.strategies.finetune import FineTune
from headstart.finetuning.training import train_lockstep
from headstart.heads.starts import random_head
from headstart.heads.sweeps import Images, SourceHead, sweep
from headstart.machine.machines import Machine, pick_machine
from headstart.measures.hypernyms import read_hypernyms
from headstart.measures.metrics import couple_f_scores
from headstart.measures.taxonomy import find_wordnet, prepare_wordnet
from headstart.measures.wupalmer import wu_palmer
from headstart.networks.backbones import Network, cut, load_classifier
from headstart.networks.embedding import embed
from pictures import made, write_tar

CPU = torch.device("cpu")
VIEW = View(64, mean=[0.5] * 3, std=[0.25] * 3)
FACTORS = (1, 2, 4)
CONFIG = Path(__file__).parent.parent / "config"
Step = tuple[str, str, Callable[[int], Callable[[], Any]]]  # what grows, step, work at a factor


def pictures_at(folder: Path, factor: int) -> Path:
    """Write a tar of 16 pictures a factor."""
    path = folder / f"n0000000{factor}.tar"
    if not path.exists():
        write_tar(path, made(16 * factor))
    return path


def decoding(folder: Path) -> Step:
    """Decode into a store."""

    def at(factor: int) -> Callable[[], Any]:
        tar = pictures_at(folder, factor)
        return lambda: decode_tar(tar, tar.with_suffix(".arrow"), tar.with_suffix(".csv"), 72, 16)

    return "images", "decode", at


def network_steps(folder: Path) -> Iterator[Step]:
    """Embed, and fine-tune one epoch."""

    def network() -> Network:
        return cut(load_classifier("torchvision", "resnet18", 100), "layer4")

    def embedding(factor: int) -> Callable[[], Any]:
        store, parts = PixelStore([pictures_at(folder, factor).with_suffix(".arrow")]), network()
        return lambda: embed(parts.trunk, parts.tail, store, store.names, VIEW, Machine(CPU), batch=16)

    def training(classes: int, shots: int) -> Callable[[], Any]:
        store = PixelStore([pictures_at(folder, 4).with_suffix(".arrow")])
        count, head = classes * shots, random_head(classes, 512, seed=0)
        names, labels = store.names[:count], np.arange(count) % classes
        images = TrainingImages(store, names, labels, VIEW, seed=0, shots=shots, batch=8)
        tests = {"test": (np.zeros((classes, 256, 4, 4), np.float32), np.arange(classes))}
        return lambda: train_lockstep(
            FineTune({}),
            network(),
            heads={"a": (head.weight, head.bias), "b": (head.weight, head.bias)},
            task=Task([str(number) for number in range(classes)], images, tests),
            training=Training(steps=count // 8, evaluate_at=[0]),
            machine=Machine(CPU, threads=1),
        )

    yield "images", "embed", embedding
    yield "shots", "fine-tune, one epoch", lambda factor: training(4, 4 * factor)
    yield "classes", "fine-tune, one epoch", lambda factor: training(4 * factor, 4)


def counting(images: int, classes: int) -> Callable[[], Any]:
    """Measure inference similarity with 1000 sources."""
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(0, classes, images), rng.integers(0, 1000, images)
    return lambda: couple_f_scores(labels, predictions, classes, 1000)


def sweeping(images: int, classes: int, largest: int) -> Callable[[], Any]:
    """Try every K up to the largest with 200 sources."""
    rng = np.random.default_rng(0)
    head = SourceHead(rng.normal(size=(200, 256)).astype(np.float32), np.zeros(200, np.float32))
    seen = Images(rng.normal(size=(images, 256)).astype(np.float32), np.arange(images) % classes)
    similarity = rng.random((classes, 200))
    return lambda: sweep(similarity, head, seen, range(1, largest + 1))


def wordnet_steps(folder: Path) -> Iterator[Step]:
    """Measure WordNet similarity; the files are read before."""
    try:
        prepare_wordnet(find_wordnet(), folder)
    except FileNotFoundError as error:
        print(f"WordNet is left out: {error}")
        return
    nouns = read_hypernyms(folder)
    sources = pd.read_csv(CONFIG / "sources/ilsvrc.tsv", sep="\t")["wnid"].tolist()
    others = np.random.default_rng(0).choice(list(nouns), 800, replace=False).tolist()
    yield "classes", "WordNet, targets", lambda factor: lambda: wu_palmer(nouns, others[: 200 * factor], sources)
    yield "classes", "WordNet, sources", lambda factor: lambda: wu_palmer(nouns, others[:90], sources[: 250 * factor])


def steps(folder: Path) -> Iterator[Step]:
    """List what grows."""
    yield decoding(folder)
    yield from network_steps(folder)
    yield "images", "inference similarity", lambda factor: counting(100_000 * factor, 90)
    yield "classes", "inference similarity", lambda factor: counting(100_000, 90 * factor)
    yield "images", "sweep of K", lambda factor: sweeping(2000 * factor, 40, 40)
    yield "classes", "sweep of K", lambda factor: sweeping(4000, 40 * factor, 40)
    yield "K", "sweep of K", lambda factor: sweeping(4000, 40, 40 * factor)
    yield from wordnet_steps(folder)


def main() -> None:
    """Measure and print the table."""
    pick_machine(1)
    print(machine())
    print(f"{'step':22}  {'grows':8}  {'1x, s':>8}  {'2x, s':>8}  {'4x, s':>8}  exponent")
    with TemporaryDirectory() as name:
        for grows, step, at in steps(Path(name)):
            works = [at(factor) for factor in FACTORS]
            best = [float("inf")] * len(works)
            for _ in range(3):  # in turn, so that what else the machine does hits all
                best = [min(least, measure(work, 1)[0]) for least, work in zip(best, works, strict=True)]
            times = "  ".join(f"{seconds:8.4f}" for seconds in best)
            print(f"{step:22}  {grows:8}  {times}  {log2(best[2] / best[0]) / 2:.2f}", flush=True)


if __name__ == "__main__":
    main()
