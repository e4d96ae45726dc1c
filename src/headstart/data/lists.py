"""Published lists of training and test images: read them, and compare them with the images that were found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def read_lists(paths: Sequence[Path]) -> tuple[list[str], list[str]] | None:
    """Read published lists, one name per line: the training and the test list in this order; None for no paths.

    Raises ValueError for any other number of paths.
    """
    if not paths:
        return None
    if len(paths) != 2:
        raise ValueError(f"expected the paths of a training and a test list, got {len(paths)}: {list(map(str, paths))}")
    train, test = (Path(path).read_text(encoding="utf-8").split() for path in paths)
    return train, test


def all_listed(paths: Sequence[Path]) -> frozenset[str] | None:
    """Return every name of the published lists, None where there are none."""
    lists = read_lists(paths)
    return frozenset(lists[0]).union(lists[1]) if lists else None


def listed(names: Sequence[str], whole: Sequence[str], wnid: str) -> list[str]:
    """Return the names of one class in a list that were found, in the order of the list."""
    found = set(names)
    return [name for name in whole if name.startswith(f"{wnid}_") and name in found]


def compare_lists(
    names: Sequence[str], train_list: Sequence[str], test_list: Sequence[str], wnid: str
) -> dict[str, int]:
    """Count what published lists and the images of one class have in common.

    >>> compare_lists(["n1_1.JPEG", "n1_9.JPEG"], ["n1_1.JPEG", "n1_2.JPEG"], ["n1_3.JPEG", "n2_1.JPEG"], "n1")
    {'train': 1, 'train_missing': 1, 'test': 0, 'test_missing': 1}
    """
    counts = {}
    for part, whole in (("train", train_list), ("test", test_list)):
        wanted = sum(name.startswith(f"{wnid}_") for name in whole)
        counts[part] = len(listed(names, whole, wnid))
        counts[f"{part}_missing"] = wanted - counts[part]
    return counts
