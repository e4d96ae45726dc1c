"""Train a small classifier from scratch; the demo's source network.

On one machine's CPU, the same seed and thread count give the same bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from headstart.images import PixelStore, crop_batch

WEIGHT_DECAY = 0.02


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Build a network inside this block: its random weights depend on `seed` alone, other draws stay untouched.

    >>> with seeded(3):
    ...     first = nn.Linear(2, 2)
    >>> with seeded(3):
    ...     second = nn.Linear(2, 2)
    >>> torch.equal(first.weight, second.weight)
    True
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def train_classifier(
    model: nn.Module,
    store: PixelStore,
    names: Sequence[str],
    labels: Sequence[int],
    *,
    crop: int,
    epochs: int,
    batch: int,
    learning_rate: float,
    seed: int,
    mean: Sequence[float],
    std: Sequence[float],
    threads: int,
    device: str | torch.device = "cpu",
) -> list[dict[str, float]]:
    """Train `model` in place on random crops with AdamW and one cycle of the learning rate; no flips.

    Args:
        names: pictures of the store, N.
        labels: their classes as outputs of the model, N.
        crop: side of the squares, pixels; their places depend on (seed, name, epoch).
        batch: pictures per step; the batches of an epoch differ by at most one picture.
        learning_rate: the largest of the cycle.
        mean, std: of the colour channels, in 0..1; what later uses of the model must subtract and divide by.
        threads: of the CPU; sums of gradients depend on it in the last bits.

    Returns:
        One row per epoch: epoch, loss and accuracy (both over the crops trained on), learning_rate at its end.

    Raises:
        ValueError: names and labels differ in number, or there are none.
    """
    _require_pairs(names, labels)
    steps = -(-len(names) // batch)
    rows = []
    with _threads(threads):
        model.to(device, memory_format=torch.channels_last).train()
        optimiser = torch.optim.AdamW(model.parameters(), learning_rate, weight_decay=WEIGHT_DECAY)
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, epochs=epochs, steps_per_epoch=steps)
        progress = tqdm(total=epochs * steps, desc="pretrain", unit="step", mininterval=5)
        for epoch in range(epochs):
            loss, right = 0.0, 0
            order = np.random.default_rng((seed, epoch)).permutation(len(names))
            for chosen in np.array_split(order, steps):
                pixels = crop_batch(store, [names[i] for i in chosen], crop, seed, epoch)
                truth = torch.tensor([labels[i] for i in chosen], device=device)
                logits = model(_normalised(pixels, mean, std, device))
                error = nn.functional.cross_entropy(logits, truth)
                optimiser.zero_grad()
                error.backward()
                optimiser.step()
                cycle.step()
                loss += error.item() * len(chosen)
                right += int((logits.argmax(1) == truth).sum())
                progress.update()
            rate = cycle.get_last_lr()[0]
            rows.append({"epoch": epoch, "loss": loss / len(names), "accuracy": right / len(names), "learning_rate": rate})
            progress.set_postfix(loss=f"{rows[-1]['loss']:.3f}", accuracy=f"{rows[-1]['accuracy']:.3f}")
        progress.close()
    return rows


def accuracy(
    model: nn.Module,
    store: PixelStore,
    names: Sequence[str],
    labels: Sequence[int],
    *,
    crop: int,
    mean: Sequence[float],
    std: Sequence[float],
    threads: int,
    batch: int = 128,
    device: str | torch.device = "cpu",
) -> float:
    """Share of the pictures whose central crop gets its own class as the model's first choice, 0..1.

    Leaves the model in eval mode. Raises ValueError as `train_classifier` does.
    """
    _require_pairs(names, labels)
    right = 0
    with _threads(threads), torch.inference_mode():
        model.to(device, memory_format=torch.channels_last).eval()
        for start in range(0, len(names), batch):
            pixels = crop_batch(store, names[start : start + batch], crop)
            choice = model(_normalised(pixels, mean, std, device)).argmax(1).cpu()
            right += int((choice == torch.tensor(labels[start : start + batch])).sum())
    return right / len(names)


def _require_pairs(names: Sequence[str], labels: Sequence[int]) -> None:
    if len(names) != len(labels) or not names:
        raise ValueError(f"got {len(names)} pictures and {len(labels)} labels; expected one label for each, at least one")


def _normalised(
    pixels: np.ndarray, mean: Sequence[float], std: Sequence[float], device: str | torch.device
) -> Tensor:
    """The network's input, float32 (N, 3, side, side) in channels-last order, from uint8 (N, side, side, 3)."""
    scaled = torch.from_numpy(pixels).to(device).float().div_(255)
    return scaled.sub_(torch.tensor(mean, device=device)).div_(torch.tensor(std, device=device)).permute(0, 3, 1, 2)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
