"""Work recorded once as a CUDA graph and repeated by a single launch, where launching is what costs.

A graph repeats what the GPU was told while it was recorded, on the same memory: what Python decided or read then stays
as it was, and whoever wants other numbers writes them into the tensors that were used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

# Libraries choose kernels and take memory in the first rounds, compilers compile, and none of it can be recorded.
ROUNDS = 3


def records(device: torch.device) -> bool:
    """Say whether work on a device can be recorded."""
    return device.type == "cuda"


def warm_up(work: Callable[[], object], device: torch.device) -> None:
    """Do some work a few times where it will be recorded: on a stream beside the usual one."""
    with torch.cuda.device(device):
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(ROUNDS):
                work()
        torch.cuda.current_stream().wait_stream(side)


def record(work: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """Record some work that has been warmed up, without doing it, and give what does it.

    Tensors that the work makes are the same at each repetition, and hold the numbers of the last one.

    Raises:
        RuntimeError: work that cannot be recorded, such as one that reads a number from the GPU.
    """
    graph = torch.cuda.CUDAGraph()
    # Meanwhile the thread that reads ahead takes pinned memory, which only this mode lets it do.
    with torch.cuda.device(device), torch.cuda.graph(graph, capture_error_mode="thread_local"):
        work()
    return graph.replay


@contextmanager
def unchanged(tensors: Iterable[Tensor]) -> Iterator[None]:
    """Write into some tensors, at the end of the block, what they held at its beginning."""
    kept = [(tensor, tensor.detach().clone()) for tensor in tensors]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, value in kept:
                tensor.copy_(value)
