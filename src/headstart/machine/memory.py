"""Where a GPU's memory is too small: what the next attempt takes less of, without another result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch

# Batches that pass the frozen blocks together on a GPU: one alone is done before the next launches have come. On an
# H200 four of 64 images brought bf16 from 7,200 to 11,100 images/s.
BATCHES_AT_ONCE = 4


class Sizes(NamedTuple):
    """How many images pass at once where no gradient is wanted, and how many initialisations are in training."""

    at_once: int
    side_by_side: int = 1


def sizes_on(device: torch.device, batch: int, side_by_side: int) -> Sizes:
    """Give what the first attempt of a training takes: on a GPU, the images of several batches pass at once.

    >>> sizes_on(torch.device("cpu"), 64, 5)
    Sizes(at_once=64, side_by_side=5)
    """
    return Sizes(batch * (BATCHES_AT_ONCE if device.type == "cuda" else 1), side_by_side)


def halved(sizes: Sizes, attempt: int) -> Sizes:
    """Give what an attempt takes, counted from 1: in turn the images and the initialisations are halved.

    >>> [tuple(halved(Sizes(64, 5), attempt)) for attempt in (1, 2, 3, 4, 5)]
    [(64, 5), (32, 5), (32, 3), (16, 3), (16, 2)]
    """
    at_once, side_by_side = sizes
    for turn in range(attempt - 1):
        if turn % 2 == 0 or side_by_side == 1:
            at_once = max(2, at_once // 2)
        else:
            side_by_side = -(-side_by_side // 2)
    return Sizes(at_once, side_by_side)


@contextmanager
def fitting(sizes: Sizes, attempt: int) -> Iterator[Sizes]:
    """Give the sizes of an attempt; where they do not fit either, say what happened and what comes next.

    Raises:
        MemoryError: the GPU's memory is full.
    """
    now, then = halved(sizes, attempt), halved(sizes, attempt + 1)
    if attempt > 1:
        print(f"attempt {attempt}: {_said(now)} instead of {_said(sizes)}; results stay the same")
    try:
        yield now
    except RuntimeError as error:
        if not is_full(error):
            raise
        cause = str(error).partition("\n")[0].partition(". ")[0]
        raise MemoryError(f"the GPU's memory is full with {_said(now)} ({cause}). {_cure(now, then)}") from error


def is_full(error: Exception) -> bool:
    """Say whether an error means that the GPU's memory is full; cuDNN and cuBLAS have errors of their own for it."""
    return isinstance(error, torch.OutOfMemoryError) or "ALLOC_FAILED" in str(error)


def free_memory(device: torch.device) -> int:
    """Give the bytes that are free on a GPU; 0 for a CPU, into whose memory files are mapped as they are."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


def _said(sizes: Sizes) -> str:
    beside = f" and {sizes.side_by_side} initialisations side by side" if sizes.side_by_side > 1 else ""
    return f"{sizes.at_once} images at once{beside}"


def _cure(now: Sizes, then: Sizes) -> str:
    if then == now:
        return "Less cannot be taken: see that nothing else holds memory of this GPU (nvidia-smi), or use a larger one"
    return (
        f"The next attempt takes {_said(then)} and gives the same results; "
        "Snakemake makes it by itself where retries are set, as by `snakemake --retries 5`"
    )
