"""Images whose folders say which of them train, validate and test: told by how their names go on behind the class."""

from __future__ import annotations

from collections.abc import Sequence

# Folders in the tar of a class.
PARTS = ("train", "validation", "test")


def part_of(name: str, wnid: str) -> str:
    """Return the part that an image is in; ValueError where its name does not say so.

    >>> part_of("iris-1a2b3c4d_test_IMG 1.jpg", "iris-1a2b3c4d")
    'test'
    """
    part = name.removeprefix(f"{wnid}_").partition("_")[0]
    if part not in PARTS:
        raise ValueError(
            f"expected {name} in one of the folders {', '.join(PARTS)} of its class's tar; pack the class again"
        )
    return part


def by_part(wnid: str, names: Sequence[str]) -> dict[str, list[str]]:
    """Return the images of one class in each part.

    >>> by_part("a-1", ["a-1_train_0.jpg", "a-1_test_0.jpg"])
    {'train': ['a-1_train_0.jpg'], 'validation': [], 'test': ['a-1_test_0.jpg']}
    """
    return {part: [name for name in names if part_of(name, wnid) == part] for part in PARTS}
