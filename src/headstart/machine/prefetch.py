"""Make the next batch, or put away the last one, in a second thread while the first one keeps the GPU busy."""

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


def one_behind(use: Callable[[Item], object], items: Iterable[Item], second_thread: bool = True) -> None:
    """Call use(item) for each item in turn, each used while the next one is being made.

    One item at a time is used, and at most one more is there. An error of `use` is raised before the next item but one
    is made.

    Args:
        second_thread: False gives the plain loop.

    >>> found = []
    >>> one_behind(found.append, range(3))
    >>> found
    [0, 1, 2]
    """
    if not second_thread:
        for item in items:
            use(item)
        return
    with ThreadPoolExecutor(1) as thread:
        last = None
        for item in items:
            if last is not None:
                last.result()
            last = thread.submit(use, item)
        if last is not None:
            last.result()
