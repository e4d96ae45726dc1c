"""How exactly and how fast a GPU computes; on other devices everything is real float32 and nothing is compiled.

Adam, BatchNorm's statistics, the last layer and the loss are float32 in every precision.
"""

from __future__ import annotations

import platform
import re
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

Module = TypeVar("Module", bound=nn.Module)


class Precision(NamedTuple):
    """What may be rounded: factors of float32 products to 10 bits (TF32), and results between layers to `half`."""

    tf32: bool
    half: torch.dtype | None


PRECISIONS = {
    "float32": Precision(tf32=False, half=None),
    "tf32": Precision(tf32=True, half=None),
    "bf16": Precision(tf32=True, half=torch.bfloat16),
}
# The first compute capability with TF32 and bfloat16 (Ampere).
OLDEST = (8, 0)


def precision_on(device: torch.device, precision: str) -> str:
    """Give the precision that a device really computes in.

    Raises ValueError for an unknown one.

    >>> precision_on(torch.device("cpu"), "bf16")
    'float32'
    """
    if precision not in PRECISIONS:
        raise ValueError(f"unknown precision {precision!r}, valid are {', '.join(PRECISIONS)}")
    return precision if device.type == "cuda" else "float32"


def processor_of(device: torch.device) -> str:
    """Name what the last bits of a result depend on: the GPU's model, or the CPU's model and instructions."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{_cpu_model()}, {torch.backends.cpu.get_cpu_capability()}"


def _cpu_model() -> str:
    """Give the CPU's name where Linux tells it, else its kind, such as "arm64"."""
    told = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    found = re.search(r"^model name\s*: (.+)", told, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def set_precision(device: torch.device, precision: str) -> None:
    """Let this process's GPU round float32 products, or forbid it, which PyTorch by itself does not for convolutions.

    Raises ValueError for an unknown precision, or a GPU too old for it.
    """
    chosen = PRECISIONS[precision_on(device, precision)]
    if device.type != "cuda":
        return
    found = torch.cuda.get_device_capability(device)
    if chosen.tf32 and found < OLDEST:
        raise ValueError(
            f"precision {precision} needs a GPU of compute capability {OLDEST[0]}.{OLDEST[1]} or newer, and "
            f"{torch.cuda.get_device_name(device)} has {found[0]}.{found[1]}; set gpu.precision to float32"
        )
    torch.backends.cuda.matmul.allow_tf32 = chosen.tf32
    torch.backends.cudnn.allow_tf32 = chosen.tf32


def forward_in(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Give the context of a forward pass and its loss; gradients and optimiser stay outside."""
    half = PRECISIONS[precision_on(device, precision)].half
    return nullcontext() if half is None else torch.autocast(device.type, half)


def in_float32(device: torch.device) -> AbstractContextManager[object]:
    """Give a context, inside that of `forward_in`, in which nothing is rounded to half."""
    return torch.autocast(device.type, enabled=False) if device.type == "cuda" else nullcontext()


def rounded_once(module: Module, device: torch.device, precision: str) -> Module:
    """Give frozen blocks as a copy whose weights are stored in half, where every pass would round them again.

    The copy gives the same bits in `forward_in`. Layers of other kinds keep float32, since they may read their weights
    in their own ways. Without rounding to half, the blocks themselves are given.
    """
    half = PRECISIONS[precision_on(device, precision)].half
    if half is None:
        return module
    copy = deepcopy(module)
    for layer in copy.modules():
        if type(layer) in (nn.Conv2d, nn.Linear):
            layer.to(half)
    return copy


def place(module: Module, device: torch.device) -> Module:
    """Move a module to the device in the memory layout that is fastest there, and return it."""
    # Channels last is 1.5 to 2 times faster on a CPU; on Apple's GPUs convolutions want the usual layout.
    layout = torch.contiguous_format if device.type == "mps" else torch.channels_last
    return module.to(device=device, memory_format=layout)  # type: ignore[call-overload]


def compile_on(device: torch.device, module: nn.Module) -> bool:
    """Have a module compiled at its first use if the device is a GPU, else leave it as it is; say which."""
    if device.type == "cuda":
        module.compile()
    return device.type == "cuda"


def send(array: np.ndarray, device: torch.device) -> Tensor:
    """Copy an array, which may be mapped from a file, to the device; for a GPU without waiting until it has arrived."""
    if device.type != "cuda":
        return torch.from_numpy(np.array(array)).to(device)
    dtype = torch.from_numpy(np.empty(0, array.dtype)).dtype
    # A second thread would by itself pin for the first GPU, and take memory of it that belongs to another job.
    with torch.cuda.device(device):
        # Only from pinned memory can a GPU fetch by itself.
        pinned = torch.empty(array.shape, dtype=dtype, pin_memory=True)
        pinned.numpy()[...] = array
        return pinned.to(device, non_blocking=True)
