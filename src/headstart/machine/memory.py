"""Where a GPU's memory is too small: what the next attempt takes less of, without another result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch


class Sizes(NamedTuple):
    """How many images pass at once where no gradient is wanted, and how many initialisations are in training."""

    at_once: int
    side_by_side: int = 1


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
        # cuDNN and cuBLAS have errors of their own for the same thing.
        if not isinstance(error, torch.OutOfMemoryError) and "ALLOC_FAILED" not in str(error):
            raise
        cause = str(error).partition("\n")[0].partition(". ")[0]
        raise MemoryError(f"the GPU's memory is full with {_said(now)} ({cause}). {_cure(now, then)}") from error


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
