"""Choose what a job computes on, and say how much of it at once."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch

from headstart.machine.computing import precision_on, processor_of, set_precision
from headstart.machine.devices import claim
from headstart.machine.memory import Sizes

OPEN = {"threads": "torch's own choice", "at_once": "a whole batch", "side_by_side": "all initialisations"}


@dataclass(frozen=True)
class Machine:
    """What a job computes on, and how much of it at once.

    Args:
        device: with its number, if a GPU.
        precision: of a GPU, a key of PRECISIONS.
        compile: networks, if on a GPU.
        threads: of the CPU; sums of gradients depend on it in the last bits. None leaves torch's own choice.
        at_once: images that pass together where no gradient is wanted; None takes a batch. Changes no result.
        side_by_side: initialisations that are trained together; None takes all. Changes no result.

    Raises:
        ValueError: unknown precision, or a number below 1.
    """

    device: torch.device
    precision: str = "float32"
    compile: bool = False
    threads: int | None = None
    at_once: int | None = None
    side_by_side: int | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        precision_on(self.device, self.precision)
        for name, choice in OPEN.items():
            count = getattr(self, name)
            if count is not None and count < 1:
                raise ValueError(f"expected {name} of at least 1, got {count}; None takes {choice}")

    def holding(self, sizes: Sizes) -> Machine:
        """Give the same machine, holding so much at once.

        >>> Machine(torch.device("cpu")).holding(Sizes(64, 2)).at_once
        64
        """
        return replace(self, at_once=sizes.at_once, side_by_side=sizes.side_by_side)


def pick_machine(threads: int | None = None, precision: str = "float32", compile: bool = False) -> Machine:
    """Choose cuda, else mps, else the CPU, and set up the process for it; once, at the start of a job.

    Of several GPUs the job gets one that no other job has, and waits for it. Arguments as those of `Machine`;
    networks are compiled where they are used, here it is only announced.

    Raises:
        ValueError: unknown precision, or a GPU too old for it.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    device = _pick_gpu() if name == "cuda" else torch.device(name)
    set_precision(device, precision)
    if name == "cpu":
        _keep_freed_memory()
    machine = Machine(device, precision, compile, threads)
    _announce(machine)
    return machine


@contextmanager
def use_threads(count: int | None) -> Iterator[None]:
    """Let torch use so many CPU threads inside this block; None leaves them as they are."""
    if count is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _pick_gpu() -> torch.device:
    count = torch.cuda.device_count()
    uuids = [str(torch.cuda.get_device_properties(place).uuid) for place in range(count)] if count > 1 else []
    # With its number, since "cuda" alone is the first GPU in a second thread.
    device = torch.device("cuda", claim(uuids) if uuids else 0)
    torch.cuda.set_device(device)
    return device


def _announce(machine: Machine) -> None:
    device, precision, compile = machine.device, machine.precision, machine.compile
    how = precision_on(device, precision) + (", compiled" if compile and device.type == "cuda" else "")
    where = f"device {device.type} ({processor_of(device)})"
    print(f"{where}, {how}, torch {torch.__version__}, {torch.get_num_threads()} CPU threads")
    if device.type != "cuda" and (precision != "float32" or compile):
        print(f"gpu.precision and gpu.compile are without effect on {device.type}")


def _keep_freed_memory() -> None:
    """Tell glibc to keep freed pages: faulting them in again takes half the time of a pass over images."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        trim_threshold, mmap_threshold = -1, -3  # from malloc.h
        libc.mallopt(mmap_threshold, 2**30)
        libc.mallopt(trim_threshold, 2**31 - 1)
