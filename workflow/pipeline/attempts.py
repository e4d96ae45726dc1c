"""What a job gets more of each time it is tried again."""

from collections.abc import Callable
from typing import Any


def growing(first: int) -> Callable[[Any, int], int]:
    """Give a resource of which the first attempt has `first`, the second twice as much, the third three times.

    >>> memory = growing(4000)
    >>> [memory(None, attempt) for attempt in (1, 2, 3)]
    [4000, 8000, 12000]
    """

    # Snakemake passes arguments by these names.
    def resource(wildcards: Any, attempt: int) -> int:
        return first * attempt

    return resource
