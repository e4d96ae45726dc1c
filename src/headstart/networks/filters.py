"""What a bank of filters answers to images: Gabor filters, and the first convolutions of a pretrained network.

Letters in shapes: N images, C channels of a bank, P places of an image where a bank answers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

# PAPER (Ge and Yu, 2017): 4 scales, 6 orientations, real and imaginary parts, and no more. These are the scales and
# orientations of Manjunath and Ma (1996), so their frequencies (cycles per pixel) and bandwidths are taken.
SCALES, ORIENTATIONS = 4, 6
LOWEST, HIGHEST = 0.05, 0.4
# Standard deviations of the longer axis that a kernel reaches to, and pixels from one answer to the next.
REACH, STRIDE = 2.0, 2
CONVOLUTIONS = 2


class _EnoughError(Exception):
    """The convolutions that are wanted have answered."""


class Filters(nn.Module):
    """The banks: Gabor filters on the mean of the colours, then each of the network's first convolutions.

    Args:
        model: a classifier, on its device and in eval mode; a network of patches has one convolution.
    """

    def __init__(self, model: nn.Module) -> None:
        """Make the kernels."""
        super().__init__()
        self.model = model
        device = next(model.parameters()).device
        self.kernels = [kernel.to(device) for kernel in gabor_kernels()]

    def forward(self, images: Tensor) -> list[Tensor]:
        """Give the answers of each bank to images (N, 3, H, W), each (N, C, P)."""
        banks = [gabor_answers(images, self.kernels), *first_convolutions(self.model, images)]
        return [answers.flatten(2) for answers in banks]


def gabor_kernels() -> list[Tensor]:
    """Give the kernels of each scale, (2 * ORIENTATIONS, 1, k, k): real parts, then imaginary ones; each sums to 0.

    Half-magnitude ellipses of the filters touch in the plane of frequencies, as Manjunath and Ma want.

    >>> [tuple(kernel.shape) for kernel in gabor_kernels()]
    [(12, 1, 9, 9), (12, 1, 17, 17), (12, 1, 31, 31), (12, 1, 61, 61)]
    """
    growth, half = (HIGHEST / LOWEST) ** (1 / (SCALES - 1)), 2 * math.log(2)
    along = (growth - 1) * HIGHEST / ((growth + 1) * math.sqrt(half))
    across = math.tan(math.pi / (2 * ORIENTATIONS)) * (HIGHEST - half * along**2 / HIGHEST)
    across /= math.sqrt(half - half**2 * along**2 / HIGHEST**2)
    sigmas = 1 / (2 * math.pi * along), 1 / (2 * math.pi * across)
    return [_kernels(HIGHEST / growth**m, [sigma * growth**m for sigma in sigmas]) for m in range(SCALES)]


def _kernels(frequency: float, sigmas: Sequence[float]) -> Tensor:
    side = math.ceil(REACH * max(sigmas))
    places = torch.arange(-side, side + 1, dtype=torch.float64)
    y, x = torch.meshgrid(places, places, indexing="ij")
    found = []
    for wave in (torch.cos, torch.sin):
        for number in range(ORIENTATIONS):
            angle = number * math.pi / ORIENTATIONS
            u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
            envelope = torch.exp(-0.5 * ((u / sigmas[0]) ** 2 + (v / sigmas[1]) ** 2))
            kernel = envelope / envelope.sum() * wave(2 * math.pi * frequency * u)
            # An even picture gets no answer.
            found.append(kernel - envelope / envelope.sum() * kernel.sum())
    return torch.stack(found)[:, None].float()


def gabor_answers(images: Tensor, kernels: Sequence[Tensor]) -> Tensor:
    """Give the answers of every kernel to the mean of the colours, (N, C, h, w); edges are continued outwards."""
    grey, found = images.mean(1, keepdim=True), []
    for kernel in kernels:
        side = kernel.shape[-1] // 2
        padded = functional.pad(grey, (side, side, side, side), mode="replicate")
        found.append(functional.conv2d(padded, kernel, stride=STRIDE))
    return torch.cat(found, 1)


def first_convolutions(model: nn.Module, images: Tensor) -> list[Tensor]:
    """Give what the first convolutions answer, before any activation, each (N, C, h, w); nothing runs behind them.

    They are the first in the order in which the network calls them, depthwise ones included.
    """
    found: list[Tensor] = []

    def note(_: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        found.append(outputs.clone())  # an activation may write over it
        if len(found) == CONVOLUTIONS:
            raise _EnoughError

    hooks = [part.register_forward_hook(note) for part in model.modules() if isinstance(part, nn.Conv2d)]
    try:
        model(images)
    except _EnoughError:
        pass
    finally:
        for hook in hooks:
            hook.remove()
    return found


def filter_costs(model: nn.Module, side: int) -> tuple[int, int]:
    """Count the channels of all banks, and the work for an image of a side in FLOP, without passing any."""
    filters, image = Filters(deepcopy(model).to("meta")), torch.empty((1, 3, side, side), device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        banks = filters(image)
    return sum(bank.shape[1] for bank in banks), counter.get_total_flops()
