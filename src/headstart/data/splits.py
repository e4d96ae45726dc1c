"""Choose the training, validation and test images of a class.

Every order below sorts the names by a hash of a key and the name. The result depends on nothing else: not on the
order in which the names come, not on other classes, not on the version of NumPy; and a missing image moves no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from headstart.data.lists import listed
from headstart.data.parts import by_part

# Training images of a class that suffice for a glance at it.
GLANCED = 12


@dataclass(frozen=True)
class Wanted:
    """How many images of every class are wanted.

    Args:
        train: training images at least.
        validation: at most, of what is left beyond training and test; of published lists as many.
        test: at most.
        test_min: test images at least.
        test_share: of a class's images that test, within these bounds; None for as many as may.
        parted: whether folders say which images test.

    Raises:
        ValueError: no training or test image wanted, or `test` is less than `test_min`.
    """

    train: int
    validation: int
    test: int
    test_min: int
    test_share: float | None = None
    parted: bool = False

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.train < 1 or self.validation < 0 or self.test_min < 1:
            raise ValueError(
                f"expected at least 1 training, 0 validation and 1 test images, got {self.train}, {self.validation} "
                f"and {self.test_min}; raise images.train, images.validation or images.test_min"
            )
        if self.test < self.test_min:
            raise ValueError(
                f"images.test is {self.test}, less than images.test_min {self.test_min}; raise it or lower the other"
            )


class TooFewImages(ValueError):
    """Some classes have too few images; `table` is that of `too_few`."""

    def __init__(self, table: pd.DataFrame) -> None:
        """Write the message from a table of `too_few`."""
        self.table = table
        super().__init__(
            f"too few images in {len(table)} classes:\n{table.to_string(index=False)}\n"
            "wanted = images.train + images.test_min: lower one of the two, add images, "
            "or set images.on_missing: drop to leave these classes out"
        )


def too_few(found: Mapping[str, int], train: int, test_min: int) -> pd.DataFrame:
    """List the classes with fewer than `train + test_min` images as a table (wnid, wanted, found).

    >>> too_few({"n1": 24, "n2": 25}, train=20, test_min=5).values.tolist()
    [['n1', 25, 24]]
    """
    wanted = train + test_min
    rows = [(wnid, wanted, count) for wnid, count in found.items() if count < wanted]
    return pd.DataFrame(rows, columns=["wnid", "wanted", "found"])


def split_images(
    images: pd.DataFrame,
    seed: int,
    wanted: Wanted,
    lists: tuple[Sequence[str], Sequence[str]] | None = None,
) -> pd.DataFrame:
    """Split the images (wnid, name) of all classes.

    By `split_class`, with lists by `split_lists`, where folders say which test by `split_folders`.

    Returns columns wnid, name, part, rank, the classes in the order of `images`.

    Raises TooFewImages naming every class with too few images, and what the two functions raise.
    """
    classes = {str(wnid): list(names) for wnid, names in images.groupby("wnid", sort=False)["name"]}
    missing = too_few({wnid: len(names) for wnid, names in classes.items()}, wanted.train, wanted.test_min)
    if lists is None and len(missing):
        raise TooFewImages(missing)
    splits = []
    for wnid, names in classes.items():
        if wanted.parted:
            split = split_folders(names, wnid, seed, wanted)
        elif lists is None:
            split = split_class(names, wnid, seed, wanted)
        else:
            split = split_lists(names, *lists, wnid, seed, wanted.validation)
        split.insert(0, "wnid", wnid)
        splits.append(split)
    return pd.concat(splits, ignore_index=True)


def split_class(names: Sequence[str], wnid: str, seed: int, wanted: Wanted) -> pd.DataFrame:
    """Split the images of one class; the seed changes only the order of the training images.

    The test images come first: `test` of them, fewer (down to `test_min`) where `train` images would not be left.
    Then validation images, up to `validation`, from what is left beyond these two. The rest trains.

    Args:
        names: the usable images of the class, in any order.
        wanted: numbers of images.

    Returns:
        Columns name, part (train | validation | test), rank (from 0 within the part), sorted by part and rank.
        The training images of n shots are those with rank < n, so that fewer shots are a subset of more.

    Raises:
        TooFewImages: fewer than `train + test_min` images.
        ValueError: a name comes twice.
    """
    _refuse_repeats(names, f"the images of {wnid}")
    missing = too_few({wnid: len(names)}, wanted.train, wanted.test_min)
    if len(missing):
        raise TooFewImages(missing)
    tests = min(wanted.test, len(names) - wanted.train)
    if wanted.test_share is not None:
        tests = min(tests, max(wanted.test_min, int(wanted.test_share * len(names))))
    validations = min(wanted.validation, len(names) - wanted.train - tests)
    fixed = _shuffled(names, wnid)
    return _split_table(
        train=_shuffled(fixed[tests + validations :], f"{seed}/{wnid}"),
        validation=fixed[tests : tests + validations],
        test=fixed[:tests],
    )


def split_folders(names: Sequence[str], wnid: str, seed: int, wanted: Wanted) -> pd.DataFrame:
    """Split the images of one class as the folders say that they lie in.

    Where no folder validates, up to `validation` of those that train do, beyond `train`. Returns the form of
    `split_class`; raises ValueError where a name comes twice, or is in no such folder.
    """
    _refuse_repeats(names, f"the images of {wnid}")
    parts = by_part(wnid, _shuffled(names, wnid))
    spare = 0 if parts["validation"] else max(0, min(wanted.validation, len(parts["train"]) - wanted.train))
    return _split_table(
        train=_shuffled(parts["train"][spare:], f"{seed}/{wnid}"),
        validation=parts["validation"] or parts["train"][:spare],
        test=parts["test"],
    )


def some_of_each(names: Sequence[str], classes: Mapping[str, str], train: int, parted: bool) -> dict[str, list[str]]:
    """Choose a few images of some classes that never test, by whatever the classes are called.

    Args:
        names: of all images.
        classes: what a class is called -> its wnid or key.
        train: training images that every class has.
        parted: whether folders say which images test; else the first in the fixed order of a class do.
    """
    found = {}
    for called, wnid in classes.items():
        own = _shuffled([name for name in names if name.startswith(f"{wnid}_")], wnid)
        found[called] = (by_part(wnid, own)["train"] if parted else own)[-min(GLANCED, train) :]
    return found


def split_lists(
    names: Sequence[str], train_list: Sequence[str], test_list: Sequence[str], wnid: str, seed: int, validation: int
) -> pd.DataFrame:
    """Split the images of one class by published lists; names of other classes in the lists are passed over.

    Seed 0 keeps the order of the training list, other seeds shuffle it. The validation images are the last
    `validation` found names of the training list, for every seed. Listed names that were not found are left out
    (`compare_lists` counts them).

    Returns:
        The same form as `split_class`.

    Raises:
        ValueError: a list repeats a name or has none of this class that was found, the two lists share a name, or
            no training image would be left beside the validation images.
    """
    trains, tests = listed(names, train_list, wnid), listed(names, test_list, wnid)
    _refuse_repeats(names, f"the images of {wnid}")
    _refuse_repeats(trains + tests, f"the two lists for {wnid} together")
    if len(trains) <= validation or not tests:
        raise ValueError(
            f"{wnid}: of its {len(names)} usable images, {len(trains)} are in the training list and {len(tests)} "
            f"in the test list; expected more than {validation} (images.validation) and at least 1. "
            f"Do the lists name this class's images as {wnid}_<number>.JPEG?"
        )
    # PAPER: it holds nothing out; these images come from the end of the list, which only the largest n would reach.
    pool = trains[: len(trains) - validation]
    return _split_table(
        train=pool if seed == 0 else _shuffled(pool, f"{seed}/{wnid}"),
        validation=trains[len(trains) - validation :],
        test=tests,
    )


def label(chosen: pd.DataFrame, wnids: Sequence[str]) -> np.ndarray:
    """Give the class of each image (a row with its wnid) as an index into `wnids`, (N,).

    Raises ValueError for a class that is not among them.

    >>> label(pd.DataFrame({"wnid": ["n2", "n1"]}), ["n1", "n2"])
    array([1, 0])
    """
    labels = pd.Index(wnids).get_indexer(pd.Index(chosen["wnid"]))
    strange = sorted(set(chosen["wnid"][labels < 0]))
    if strange:
        raise ValueError(f"images of {', '.join(strange)}, which are none of the {len(wnids)} classes; split again")
    return labels


def locate(chosen: pd.DataFrame, images: pd.DataFrame, wnids: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Find the rows of some images (wnid, name) in a table of images, (N,), and `label` them.

    Raises ValueError for an image or a class that is not there.

    >>> images = pd.DataFrame({"wnid": ["n1", "n2"], "name": ["a", "b"]})
    >>> locate(images[1:], images, ["n2", "n1"])
    (array([1]), array([0]))
    """
    rows = pd.Index(images["name"]).get_indexer(pd.Index(chosen["name"]))
    lost = chosen["name"][rows < 0]
    if len(lost):
        raise ValueError(
            f"{len(lost)} of {len(chosen)} images are not among the {len(images)} in the table, first {lost.iloc[0]}; "
            "were both made from one audit?"
        )
    return rows, label(chosen, wnids)


def shots(split: pd.DataFrame, n: int) -> pd.DataFrame:
    """Select the n training images of every class of a split, those with rank < n.

    Raises ValueError when a class has fewer than n training images.
    """
    if n < 1:
        raise ValueError(f"expected at least 1 shot, got {n}")
    chosen = split[(split["part"] == "train") & (split["rank"] < n)]
    classes = split["wnid"] if "wnid" in split else pd.Series("the class", index=split.index)
    sizes = classes[chosen.index].value_counts().reindex(classes.unique(), fill_value=0)
    small = sizes[sizes < n]
    if len(small):
        found = ", ".join(f"{wnid} has {size}" for wnid, size in small.items())
        raise ValueError(
            f"expected {n} training images in every class, but {found}; lower the number of shots or raise images.train"
        )
    return chosen


def _shuffled(names: Sequence[str], key: str) -> list[str]:
    return sorted(names, key=lambda name: hashlib.blake2b(f"{key}/{name}".encode()).digest())


def _refuse_repeats(names: Sequence[str], where: str) -> None:
    if len(set(names)) < len(names):
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"{where}: {len(repeated)} names come twice, first {repeated[0]}; every image may come once")


def _split_table(train: Sequence[str], validation: Sequence[str], test: Sequence[str]) -> pd.DataFrame:
    parts = {"train": train, "validation": validation, "test": test}
    rows = [(name, part, rank) for part, names in parts.items() for rank, name in enumerate(names)]
    return pd.DataFrame(rows, columns=["name", "part", "rank"])
