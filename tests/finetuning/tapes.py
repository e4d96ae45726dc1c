"""A CUDA graph on a CPU: operations are noted while work is done once, and repeated on the very same tensors.

What Python decides or reads meanwhile is not repeated, which is what makes a graph wrong where a step is not the same
work each time.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from headstart.machine.graphs import ROUNDS


class Tape(TorchDispatchMode):
    """Note each operation, its tensors and what it gave, and refuse to read a number, as a recording GPU does."""

    def __init__(self):
        super().__init__()
        self.calls, self.before, self.known = [], [], set()

    def __torch_dispatch__(self, operation, types, arguments=(), words=None):
        words = words or {}
        if operation is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("operation not permitted when stream is capturing")
        for tensor in tensors(arguments, words):
            if id(tensor) not in self.known:
                self.known.add(id(tensor))
                self.before.append((tensor, tensor.clone()))
        made = operation(*arguments, **words)
        self.known |= {id(tensor) for tensor in tensors(made)}
        self.calls.append((operation, arguments, words, made))
        return made

    def rewind(self):
        for tensor, value in reversed(self.before):
            tensor.detach().copy_(value)
        self.before = []

    def repeat(self):
        with torch.no_grad():
            for operation, arguments, words, made in self.calls:
                again = operation(*arguments, **words)
                for old, new in zip(tensors(made), tensors(again), strict=True):
                    if old.untyped_storage().data_ptr() != new.untyped_storage().data_ptr():
                        old.copy_(new)


def tensors(*values):
    return [value for value in tree_leaves(values) if isinstance(value, torch.Tensor)]


def warm_up(work, device):
    for _ in range(ROUNDS):
        work()


def record(work, device):
    tape = Tape()
    try:
        with tape:
            work()
    finally:
        tape.rewind()
    return tape.repeat
