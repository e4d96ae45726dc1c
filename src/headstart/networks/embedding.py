"""Passes over images with frozen weights: features of the last layer, and the trunk's output kept for evaluation.

Letters in shapes: N images, D features of the last layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from headstart.data.crops import crop_batch
from headstart.data.images import PixelStore
from headstart.data.views import View
from headstart.jobs.files import replacing
from headstart.machine.computing import compile_on, forward_in, place, send
from headstart.machine.machines import Machine, use_threads
from headstart.machine.prefetch import one_ahead, one_behind

# Pixels that a CPU takes through frozen blocks at once, so that less of what lies between the blocks leaves its cache:
# 16 images of 224 x 224, a fifth faster than 64. Four are a little faster still, but then threads wait for each other
# too often where the machine has other work.
PIECE_PIXELS = 16 * 224 * 224
SECONDS_BETWEEN_LINES = 5
SHOWN = 5  # image names that an error prints

Batches = Iterable[tuple[Sequence[str], Tensor]]  # names of N images, and a network's input (N, 3, H, W)


def embed(
    trunk: nn.Module,
    tail: nn.Module,
    store: PixelStore,
    names: Sequence[str],
    view: View,
    machine: Machine,
    batch: int,
) -> np.ndarray:
    """Give the features of the central crop of each image, float32 (N, D); leaves both parts in eval mode.

    Args:
        view: that of the network.
        machine: what computes, and how many images pass together.
        batch: images read at once.

    Raises:
        ValueError: no images, or features that are no numbers; the first such images are named.
    """
    batches = _batches(store, names, view, machine, batch, "embed")
    with use_threads(machine.threads):
        passes = _passes(nn.Sequential(trunk, tail), batches, machine)
        features = np.concatenate([_checked(names, outputs, "float32") for names, outputs in passes])
    if features.ndim != 2:
        raise ValueError(f"expected features (N, D), got shape {features.shape}; were trunk and tail made by one cut?")
    return features


def cache_trunk(
    trunk: nn.Module,
    store: PixelStore,
    names: Sequence[str],
    view: View,
    machine: Machine,
    path: Path,
    batch: int,
    dtype: str = "float32",
) -> None:
    """Write the trunk's output for the central crop of each image to `path`, an .npy file (N, ...) for np.load.

    Only a batch of it is held in memory, or two where a second thread writes what a GPU gives. The output of a trunk
    without blocks is the normalised image itself. Arguments as those of `embed`; dtype is float32 or float16 (half the
    disk, rounded).

    Raises:
        ValueError: another dtype, no images, or outputs that are no numbers, in this dtype.
    """
    if dtype not in ("float32", "float16"):
        raise ValueError(f"cannot keep the trunk's output as {dtype!r}; valid are float32, float16")
    keep_passes(trunk, _batches(store, names, view, machine, batch, "cache"), len(names), machine, path, dtype)


def keep_passes(
    trunk: nn.Module, batches: Batches, count: int, machine: Machine, path: Path, dtype: str = "float32"
) -> None:
    """Write the trunk's output for some batches to `path`, one below the other, an .npy file (count, ...).

    Args:
        batches: names and the network's input of each; `count` images in all.
    """
    with replacing(path) as partial, use_threads(machine.threads):
        file, start = None, 0

        def write(passed: tuple[Sequence[str], Tensor]) -> None:
            nonlocal file, start
            part = _checked(*passed, dtype)
            if file is None:
                file = np.lib.format.open_memmap(partial, "w+", np.dtype(dtype), (count, *part.shape[1:]))
            file[start : start + len(part)] = part
            start += len(part)

        one_behind(write, _passes(trunk, batches, machine), second_thread=machine.device.type == "cuda")
        assert file is not None
        file.flush()


def frozen_pass(module: nn.Module, inputs: Tensor, at_once: int | None = None) -> Tensor:
    """Run blocks in eval mode over images (N, 3, H, W), on a CPU a few at a time; call it without gradients.

    Args:
        at_once: images at most, where memory is short.
    """
    size = max(1, PIECE_PIXELS // (inputs.shape[2] * inputs.shape[3]))
    if inputs.device.type != "cpu" or len(inputs) <= size:
        return in_pieces(module, inputs, at_once)
    return torch.cat([in_pieces(module, piece, at_once) for piece in inputs.split(size)])


def in_pieces(module: nn.Module, inputs: Tensor, at_once: int | None) -> Tensor:
    """Run blocks in eval mode over N inputs, about `at_once` of them together; None takes all."""
    if at_once is None or len(inputs) <= at_once:
        return module(inputs)
    # Never one alone: a CPU then goes another way, with other last bits.
    pieces = min(-(-len(inputs) // at_once), len(inputs) // 2)
    return torch.cat([module(piece) for piece in inputs.tensor_split(pieces)])


def normalise(pixels: np.ndarray, view: View, device: torch.device) -> Tensor:
    """Turn uint8 crops (N, side, side, 3) into a network's input, float32 (N, 3, side, side), on the device.

    The values are those of torchvision's ToTensor and Normalize.

    >>> white = np.full((1, 2, 2, 3), 255, np.uint8)
    >>> normalise(white, View(2, mean=[0.5] * 3, std=[0.5] * 3), torch.device("cpu")).unique()
    tensor([1.])
    """
    # Seen as (N, 3, ...), rows of pixels are channels last already, which is the layout the network wants.
    # A quarter of the bytes go over the bus where they are sent before they become floats.
    images = send(pixels, device).permute(0, 3, 1, 2).float().div_(255)
    mean, std = (send(np.array(values, np.float32), device).view(3, 1, 1) for values in (view.mean, view.std))
    images = images.sub_(mean).div_(std)
    return images.contiguous() if device.type == "mps" else images


def _batches(
    store: PixelStore, names: Sequence[str], view: View, machine: Machine, batch: int, title: str
) -> Iterator[tuple[Sequence[str], Tensor]]:
    """Yield the names of each batch and a network's input, with the progress of what is done with them."""
    if len(names) == 0:
        raise ValueError(f"{title}: got no image names; was the split empty?")

    def draw(chosen: Sequence[str]) -> tuple[Sequence[str], Tensor]:
        return chosen, normalise(crop_batch(store, chosen, view.side), view, machine.device)

    parts = (names[start : start + batch] for start in range(0, len(names), batch))
    with tqdm(total=len(names), desc=title, unit="image", mininterval=SECONDS_BETWEEN_LINES) as progress:
        for chosen, inputs in one_ahead(draw, parts, second_thread=machine.device.type == "cuda"):
            yield chosen, inputs
            progress.update(len(chosen))


def _passes(module: nn.Module, batches: Batches, machine: Machine) -> Iterator[tuple[Sequence[str], Tensor]]:
    """Yield the names of each batch and the outputs for it, float32 on the device."""
    place(module, machine.device).eval()
    if machine.compile:
        compile_on(machine.device, module)
    for names, inputs in batches:
        with torch.inference_mode(), forward_in(machine.device, machine.precision):
            outputs = frozen_pass(module, inputs, machine.at_once).float()
        yield names, outputs


def _checked(names: Sequence[str], outputs: Tensor, dtype: str) -> np.ndarray:
    """Fetch the outputs of a batch, in this dtype."""
    with np.errstate(over="ignore"):  # reported below, with names
        found = outputs.cpu().numpy().astype(dtype, copy=False)
    _require_finite(found, names)
    return found


def _require_finite(outputs: np.ndarray, names: Sequence[str]) -> None:
    good = np.isfinite(outputs).reshape(len(outputs), -1).all(axis=1)
    if not good.all():
        bad = [name for name, fine in zip(names, good, strict=True) if not fine]
        raise ValueError(
            f"the network gives NaN or infinite {outputs.dtype} values for {len(bad)} of {len(names)} images, "
            f"first {', '.join(bad[:SHOWN])}; check the weights file, mean and std (and float16, if chosen)"
        )
