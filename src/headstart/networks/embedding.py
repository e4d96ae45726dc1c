"""Passes over images with frozen weights: features of the last layer, and the trunk's output kept for evaluation.

Letters in shapes: N images, D features of the last layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from headstart.data.images import PixelStore, crop_batch
from headstart.jobs.files import replacing
from headstart.machine.computing import compile_on, forward_in, send
from headstart.machine.prefetch import one_ahead
from headstart.networks.backbones import place

# Pixels that a CPU takes through frozen blocks at once, so that less of what lies between the blocks leaves its cache:
# 16 images of 224 x 224, a fifth faster than 64. Four are a little faster still, but then threads wait for each other
# too often where the machine has other work.
PIECE_PIXELS = 16 * 224 * 224
SECONDS_BETWEEN_LINES = 5
SHOWN = 5  # image names that an error prints


def embed(
    trunk: nn.Module,
    tail: nn.Module,
    store: PixelStore,
    names: Sequence[str],
    side: int,
    mean: Sequence[float],
    std: Sequence[float],
    batch: int,
    device: torch.device,
    precision: str = "float32",
    compile: bool = False,
    at_once: int | None = None,
) -> np.ndarray:
    """Give the features of the central crop of each image, float32 (N, D); leaves both parts in eval mode.

    Args:
        side: of the crop, pixels.
        mean, std: of the colour channels, in 0..1, that the weights expect to be subtracted and divided by.
        batch: images read at once.
        precision: of a GPU, a key of PRECISIONS.
        compile: the network, if on a GPU.
        at_once: images that pass together, where memory is short; None takes the batch.

    Raises:
        ValueError: no images, or features that are no numbers; the first such images are named.
    """
    whole = nn.Sequential(trunk, tail)
    outputs = _outputs(whole, store, names, side, mean, std, batch, device, precision, compile, at_once, "embed")
    features = np.concatenate([part for _, part in outputs])
    if features.ndim != 2:
        raise ValueError(f"expected features (N, D), got shape {features.shape}; were trunk and tail made by one cut?")
    return features


def cache_trunk(
    trunk: nn.Module,
    store: PixelStore,
    names: Sequence[str],
    side: int,
    mean: Sequence[float],
    std: Sequence[float],
    batch: int,
    device: torch.device,
    path: Path,
    dtype: str = "float32",
    precision: str = "float32",
    compile: bool = False,
    at_once: int | None = None,
) -> None:
    """Write the trunk's output for the central crop of each image to `path`, an .npy file (N, ...) for np.load.

    Only a batch of it is held in memory. Arguments as those of `embed`; dtype is float32 or float16 (half the disk,
    rounded).

    Raises:
        ValueError: another dtype, no images, or outputs that are no numbers, in this dtype.
    """
    if dtype not in ("float32", "float16"):
        raise ValueError(f"cannot keep the trunk's output as {dtype!r}; valid are float32, float16")
    with replacing(path) as partial:
        file = None
        settings = (precision, compile, at_once, "cache", dtype)
        for start, part in _outputs(trunk, store, names, side, mean, std, batch, device, *settings):
            if file is None:
                file = np.lib.format.open_memmap(partial, "w+", np.dtype(dtype), (len(names), *part.shape[1:]))
            file[start : start + len(part)] = part
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


def normalise(pixels: np.ndarray, mean: Sequence[float], std: Sequence[float], device: torch.device) -> Tensor:
    """Turn uint8 crops (N, side, side, 3) into a network's input, float32 (N, 3, side, side), on the device.

    The values are those of torchvision's ToTensor and Normalize.

    >>> normalise(np.full((1, 2, 2, 3), 255, np.uint8), [0.5] * 3, [0.5] * 3, torch.device("cpu")).unique()
    tensor([1.])
    """
    # Seen as (N, 3, ...), rows of pixels are channels last already, which is the layout the network wants.
    # A quarter of the bytes go over the bus where they are sent before they become floats.
    images = send(pixels, device).permute(0, 3, 1, 2).float().div_(255)
    shift, scale = (send(np.array(values, np.float32), device).view(3, 1, 1) for values in (mean, std))
    images = images.sub_(shift).div_(scale)
    return images.contiguous() if device.type == "mps" else images


def _outputs(
    module: nn.Module,
    store: PixelStore,
    names: Sequence[str],
    side: int,
    mean: Sequence[float],
    std: Sequence[float],
    batch: int,
    device: torch.device,
    precision: str,
    compile: bool,
    at_once: int | None,
    title: str,
    dtype: str = "float32",
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the place of each batch's first image and the batch's outputs."""
    if len(names) == 0:
        raise ValueError(f"{title}: got no image names; was the split empty?")
    place(module, device).eval()
    if compile:
        compile_on(device, module)

    def draw(chosen: Sequence[str]) -> tuple[Sequence[str], Tensor]:
        return chosen, normalise(crop_batch(store, chosen, side), mean, std, device)

    parts = (names[start : start + batch] for start in range(0, len(names), batch))
    batches = one_ahead(draw, parts, second_thread=device.type == "cuda")
    start = 0
    with tqdm(total=len(names), desc=title, unit="image", mininterval=SECONDS_BETWEEN_LINES) as progress:
        for chosen, inputs in batches:
            with torch.inference_mode(), forward_in(device, precision):
                outputs = frozen_pass(module, inputs, at_once).float().cpu().numpy()
            with np.errstate(over="ignore"):  # reported below, with names
                outputs = outputs.astype(dtype, copy=False)
            _require_finite(outputs, chosen)
            yield start, outputs
            start += len(chosen)
            progress.update(len(chosen))


def _require_finite(outputs: np.ndarray, names: Sequence[str]) -> None:
    good = np.isfinite(outputs).reshape(len(outputs), -1).all(axis=1)
    if not good.all():
        bad = [name for name, fine in zip(names, good, strict=True) if not fine]
        raise ValueError(
            f"the network gives NaN or infinite {outputs.dtype} values for {len(bad)} of {len(names)} images, "
            f"first {', '.join(bad[:SHOWN])}; check the weights file, mean and std (and float16, if chosen)"
        )
