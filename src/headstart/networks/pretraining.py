"""Train a small classifier from scratch, the demo's source network, and measure a classifier's top-1.

On one machine's CPU, the same seed and thread count give the same bits. Letters in shapes: N images, S source classes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from headstart.data.crops import crop_batch
from headstart.data.images import PixelStore
from headstart.data.views import View
from headstart.jobs.files import write_arrays
from headstart.machine.computing import place
from headstart.machine.machines import Machine, use_threads
from headstart.networks.embedding import normalise

WEIGHT_DECAY = 0.02
SECONDS_BETWEEN_LINES = 5
Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Labelled:
    """Some pictures of a store, N, and their classes as outputs of a network, N, each in 0..S-1.

    Raises ValueError when names and labels differ in number, or there are none.
    """

    names: Sequence[str]
    labels: Sequence[int]

    def __post_init__(self) -> None:
        """Check the numbers."""
        if len(self.names) != len(self.labels) or not self.names:
            raise ValueError(
                f"got {len(self.names)} pictures and {len(self.labels)} labels; "
                "expected as many of both, at least one; were both made from one store?"
            )


@dataclass(frozen=True)
class Course:
    """How a network is trained.

    Args:
        epochs: passes over the pictures.
        batch: pictures per step at most; the batches of an epoch differ by at most one picture.
        learning_rate: the largest of the cycle.
        seed: of the order of the pictures and of the places of their crops.

    Raises:
        ValueError: a number below 1, or a learning rate that is not above 0.
    """

    epochs: int
    batch: int
    learning_rate: float
    seed: int

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.epochs < 1 or self.batch < 1 or not self.learning_rate > 0:
            raise ValueError(
                f"expected at least 1 epoch, batches of at least 1 and a learning rate above 0, got {self.epochs}, "
                f"{self.batch} and {self.learning_rate}; correct source.training"
            )


def class_indices(names: Sequence[str], sources: Sequence[str]) -> list[int]:
    """Give the place in `sources` of the class of each picture, N, read off its name `<wnid>_<number>.JPEG`.

    Raises ValueError for pictures of no source class.

    >>> class_indices(["n02084071_4.JPEG"], ["n01440764", "n02084071"])
    [1]
    """
    place_of = {wnid: i for i, wnid in enumerate(sources)}
    strangers = sorted({wnid for wnid in map(_wnid, names) if wnid not in place_of})
    if strangers:
        raise ValueError(
            f"pictures of {', '.join(strangers[:5])} belong to none of the {len(sources)} source classes; "
            "expected names <wnid>_<number>.JPEG of these classes alone"
        )
    return [place_of[_wnid(name)] for name in names]


def hold_out(names: Sequence[str], sources: Sequence[str], held_out: int) -> tuple[Labelled, Labelled]:
    """Split pictures into training and test ones; the last of a class are held out.

    Args:
        sources: wnids in the order of the network's outputs, S.
        held_out: test pictures per class.

    Raises:
        ValueError: a class has no picture left to train on, or a picture belongs to no class.

    >>> train, test = hold_out(["n00000001_0.JPEG", "n00000001_1.JPEG"], ["n00000001"], 1)
    >>> test
    Labelled(names=['n00000001_1.JPEG'], labels=[0])
    """
    members: dict[int, list[str]] = {i: [] for i in range(len(sources))}
    for name, label in zip(names, class_indices(names, sources), strict=True):
        members[label].append(name)
    short = [f"{sources[label]} ({len(found)})" for label, found in members.items() if len(found) <= held_out]
    if short:
        raise ValueError(
            f"expected more than {held_out} pictures of every source class, got fewer of {', '.join(short)}; "
            "draw more of them (images.drawn.source) or hold out fewer (source.training.held_out)"
        )
    train = [(name, label) for label, found in members.items() for name in found[: len(found) - held_out]]
    test = [(name, label) for label, found in members.items() for name in found[len(found) - held_out :]]
    return _unzipped(train), _unzipped(test)


def source_split(
    store: PixelStore, sources: Sequence[str], held_out: int, samples: Sequence[str] = ()
) -> tuple[Labelled, Labelled]:
    """Split the pictures of a store into training and test ones: by `hold_out`, or those of `samples` test.

    Args:
        samples: paths of the pixel stores whose pictures test, in the store too; none holds out.
    """
    if not samples:
        return hold_out(store.names, sources, held_out)
    tests = set(PixelStore([Path(path) for path in samples]).names)
    train, test = ([name for name in store.names if (name in tests) is part] for part in (False, True))
    return Labelled(train, class_indices(train, sources)), Labelled(test, class_indices(test, sources))


def train_classifier(
    model: nn.Module, store: PixelStore, pictures: Labelled, course: Course, view: View, machine: Machine
) -> list[dict[str, float]]:
    """Train `model` in place on random crops, with AdamW and one cycle of the learning rate; no flips.

    Args:
        pictures: to train on, N.
        view: its crops; their places depend on (seed, name, epoch).
        machine: its device and threads; nothing is compiled or rounded to half here.

    Returns:
        One row per epoch: epoch, loss and accuracy (both over the crops trained on), learning_rate at its end.
    """
    count, epochs, rate = len(pictures.names), course.epochs, course.learning_rate
    steps = -(-count // course.batch)
    rows = []
    title = {"desc": "pretrain", "unit": "step", "mininterval": SECONDS_BETWEEN_LINES}
    with use_threads(machine.threads), _seeded(course.seed), tqdm(total=epochs * steps, **title) as progress:
        place(model, machine.device).train()
        optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=WEIGHT_DECAY)
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, epochs=epochs, steps_per_epoch=steps)
        for epoch in range(epochs):
            parts = _shuffled(pictures, steps, (course.seed, epoch))
            crops = ((crop_batch(store, few, view.side, course.seed, epoch), truth) for few, truth in parts)
            batches = (_moved(pixels, truth, view, machine.device) for pixels, truth in crops)
            loss, right = _train_epoch(model, batches, optimiser, cycle, progress)
            row = {"epoch": epoch, "loss": loss / count, "accuracy": right / count}
            rows.append({**row, "learning_rate": float(cycle.get_last_lr()[0])})
            progress.set_postfix(loss=f"{row['loss']:.3f}", accuracy=f"{row['accuracy']:.3f}")
    return rows


def accuracy(
    model: nn.Module, store: PixelStore, pictures: Labelled, view: View, machine: Machine, batch: int = 128
) -> float:
    """Give the share of pictures, 0..1, for whose central crop the model's first choice is their own class.

    Leaves the model in eval mode. Arguments as those of `train_classifier`; `batch` pictures are read at once.
    """
    names, labels, right = pictures.names, pictures.labels, 0
    place(model, machine.device).eval()  # in inference mode this would make weights that cannot be trained any more
    with use_threads(machine.threads), torch.inference_mode():
        for start in tqdm(range(0, len(names), batch), desc="measure", mininterval=SECONDS_BETWEEN_LINES, delay=5):
            pixels = crop_batch(store, names[start : start + batch], view.side)
            images, truth = _moved(pixels, labels[start : start + batch], view, machine.device)
            right += int((model(images).argmax(1) == truth).sum())
    return right / len(names)


def print_accuracies(
    model: nn.Module, store: PixelStore, pictures: Labelled, views: Sequence[View], machine: Machine
) -> None:
    """Print for each of some views the top-1 that the model has with its mean and std; arguments as of `accuracy`."""
    for view in views:
        top1 = accuracy(model, store, pictures, view, machine)
        print(f"top-1 with mean {list(view.mean)} and std {list(view.std)} instead: {top1:.4f}")


def mean_probabilities(
    model: nn.Module, store: PixelStore, chosen: Mapping[str, Sequence[str]], view: View, machine: Machine
) -> dict[str, np.ndarray]:
    """Give for each group of pictures the mean of the model's softmax over them, (S,), in double precision."""
    place(model, machine.device).eval()
    found = {}
    with use_threads(machine.threads), torch.inference_mode():
        for group, names in chosen.items():
            images = normalise(crop_batch(store, names, view.side), view, machine.device)
            found[group] = model(images).double().softmax(1).mean(0).cpu().numpy()
    return found


def save_weights(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Write the state dict of the model as safetensors, in the usual memory layout."""
    write_arrays({name: value.detach().cpu().numpy() for name, value in model.state_dict().items()}, path)


def _train_epoch(
    model: nn.Module,
    batches: Iterator[Batch],
    optimiser: torch.optim.Optimizer,
    cycle: torch.optim.lr_scheduler.LRScheduler,
    progress: tqdm,
) -> tuple[float, int]:
    """Take one step per batch; give the summed loss and the number of right answers."""
    loss, right = 0.0, 0
    for images, truth in batches:
        logits = model(images)
        error = nn.functional.cross_entropy(logits, truth)
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        cycle.step()
        loss += error.item() * len(truth)
        right += int((logits.argmax(1) == truth).sum())
        progress.update()
    return loss, right


def _shuffled(pictures: Labelled, steps: int, key: tuple[int, int]) -> Iterator[tuple[list[str], list[int]]]:
    """Yield names and labels of each step's pictures, in an order that depends on the key alone."""
    for order in np.array_split(np.random.default_rng(key).permutation(len(pictures.names)), steps):
        yield [pictures.names[i] for i in order], [pictures.labels[i] for i in order]


def _moved(pixels: np.ndarray, labels: Sequence[int], view: View, device: torch.device) -> Batch:
    return normalise(pixels, view, device), torch.tensor(labels, device=device)


def _wnid(name: str) -> str:
    return name.partition("_")[0]


def _unzipped(pairs: Sequence[tuple[str, int]]) -> Labelled:
    return Labelled([name for name, _ in pairs], [label for _, label in pairs])


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    # Only a network's own dropout still asks the global generator; it is put back afterwards.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
