"""Make the next batch in a second thread while the first one keeps the GPU busy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Key = TypeVar("Key")
Item = TypeVar("Item")


def one_ahead(make: Callable[[Key], Item], keys: Iterable[Key], second_thread: bool = True) -> Iterator[Item]:
    """Yield make(key) for each key in turn, each made while its forerunner is in use.

    Exactly one item is made ahead, and one at a time, so results are those of a plain loop if `make` depends on its
    key alone. An error of `make` is raised where its item would come.

    Args:
        second_thread: False gives the plain loop: a CPU that is busy gains nothing.

    >>> list(one_ahead(str, [1, 2, 3]))
    ['1', '2', '3']
    """
    if not second_thread:
        yield from map(make, keys)
        return
    with ThreadPoolExecutor(1) as thread:
        waiting = None
        for key in keys:
            ready, waiting = waiting, thread.submit(make, key)
            if ready is not None:
                yield ready.result()
        if waiting is not None:
            yield waiting.result()
