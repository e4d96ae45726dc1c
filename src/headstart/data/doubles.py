"""Pictures that come twice: the same pixels in two classes, and almost the same ones in training and test.

Each picture has a digest of its pixels and a perceptual hash of 64 bits, which crops, brightness and another JPEG
quality leave nearly as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from headstart.data.images import PixelStore

# Bits in which the hashes of two takes of one picture differ at most. Among 3769 photographs of 56 classes 91 pairs
# do, all within a class; at 8 bits the first pair of two classes comes in that merely looks alike.
NEAR = 4
COLUMNS = ("name", "pixels", "look")
PAIRS = ["kind", "name", "wnid", "part", "twin", "twin_wnid", "twin_part", "bits"]
# Test pictures compared with all others at a time: of 80,000 others that takes 40 MB.
CHUNK = 64
Pair = tuple[str, str, str, str, str, str, str, int]


def digest_pictures(store: PixelStore) -> pd.DataFrame:
    """Return name, digest of the pixels and perceptual hash of every picture of a store (name, pixels, look)."""
    rows = []
    for name in store.names:
        pixels = store.pixels(name)
        key = hashlib.blake2b(repr(pixels.shape).encode(), digest_size=16)
        key.update(pixels.tobytes())
        rows.append((name, key.hexdigest(), look_of(Image.fromarray(pixels))))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def look_of(image: Image.Image) -> str:
    """Return the perceptual hash of a picture, 16 hexadecimal digits.

    >>> look_of(Image.new("RGB", (64, 64), "white"))
    '8000000000000000'
    """
    import imagehash

    return str(imagehash.phash(image))


def read_digests(paths: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Read the tables of digests of some classes, by wnid."""
    return {Path(path).name.split(".")[0]: pd.read_csv(path, dtype=str, keep_default_na=False) for path in paths}


def shared_pictures(digests: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the pictures (wnid, name, pixels) whose pixels are in several classes, those of equal pixels together.

    Args:
        digests: per class, one row per kept picture (name, pixels, look).
    """
    tables = [table.assign(wnid=wnid) for wnid, table in digests.items()]
    every = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*COLUMNS, "wnid"])
    several = every.groupby("pixels")["wnid"].transform("nunique") > 1
    return every.loc[several, ["wnid", "name", "pixels"]].sort_values(["pixels", "wnid"], ignore_index=True)


def count_shared(audit: pd.DataFrame, digests: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Count in a column `shared` the pictures of each class that are in another, too; no column where none is."""
    found = shared_pictures(digests)["wnid"].value_counts()
    return audit.assign(shared=audit["wnid"].map(found).fillna(0).astype(int)) if len(found) else audit


def say_shared(digests: Mapping[str, pd.DataFrame], labels: Mapping[str, str]) -> list[str]:
    """Warn of each picture that is in several classes, naming them; nothing where there are none."""
    found = shared_pictures(digests)
    lines = []
    for _, group in found.groupby("pixels", sort=False):
        places = " and ".join(f"{row.name} ({labels.get(row.wnid, row.wnid)})" for row in group.itertuples(index=False))
        lines.append(f"WARNING: the same picture in several classes: {places}; leave it in the right one")
    return lines


def find_doubles(digests: Mapping[str, pd.DataFrame], split: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of pictures that should not both be there.

    Args:
        digests: as for `shared_pictures`.
        split: who trains, validates and tests (wnid, name, part).

    Returns:
        Columns kind, name, wnid, part, twin, twin_wnid, twin_part, bits. Kind `same`: equal pixels in two classes; kind
        `near`: a test picture, and one that is not of the test, whose hashes differ in at most NEAR bits.
    """
    looks = pd.concat([pd.DataFrame(columns=list(COLUMNS)), *digests.values()])
    used = split[["wnid", "name", "part"]].merge(looks, on="name")
    rows = [pair for _, group in used.groupby("pixels", sort=False) for pair in _same(group)]
    told = {frozenset((row[1], row[4])) for row in rows}
    tests = used["part"] == "test"
    rows += [row for row in _near(used[tests], used[~tests]) if frozenset((row[1], row[4])) not in told]
    return pd.DataFrame(rows, columns=PAIRS)


def _same(group: pd.DataFrame) -> list[Pair]:
    """Pair the first picture of some equal ones with those of other classes."""
    first, *others = _facts(group)
    return [("same", *first, *other, 0) for other in others if other[1] != first[1]]


def _near(tests: pd.DataFrame, others: pd.DataFrame) -> list[Pair]:
    """Pair test pictures with others that look nearly the same, the nearest first."""
    ours, theirs = (_bits(part["look"].tolist()) for part in (tests, others))
    facts, further = _facts(tests), _facts(others)
    rows: list[Pair] = []
    for start in range(0, len(ours), CHUNK):
        apart = np.bitwise_count(ours[start : start + CHUNK, None] ^ theirs)
        for at, other in np.argwhere(apart <= NEAR):
            rows.append(("near", *facts[start + at], *further[other], int(apart[at, other])))
    return sorted(rows, key=lambda row: (row[-1], row[1], row[4]))


def _facts(table: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(zip(table["name"], table["wnid"], table["part"], strict=True))


def _bits(looks: Sequence[str]) -> np.ndarray:
    return np.array([int(look, 16) for look in looks], np.uint64)
