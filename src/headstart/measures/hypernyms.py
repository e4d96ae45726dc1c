"""Read what lies above each synset, as plain data: from WordNet 3.0's files, or from a table of a few of its synsets.

NLTK reads the same (see `taxonomy`), but needs seconds to be imported and to open WordNet. Synsets are named by wnid.
"""

from __future__ import annotations

import csv
import mmap
import os
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple, TypeVar

Found = TypeVar("Found")

WNID = re.compile("n[0-9]{8}")
COLUMNS = ["wnid", "name", "parents", "lemmas", "gloss"]
# In a line of data.noun: hypernym or instance hypernym, of the whole synset and not of one of its words.
ABOVE = re.compile(rb" @i? ([0-9]{8}) n 0000")
PAGE = 4096


class Node(NamedTuple):
    """NLTK's name of a synset (dog.n.01), and the wnids of its hypernyms and instance hypernyms."""

    name: str
    parents: tuple[str, ...]


class NounFiles(Mapping[str, Node]):
    """The nouns of a WordNet folder by wnid, each read when it is asked for.

    The number in a wnid is the position of the synset's line in data.noun.
    """

    def __init__(self, folder: Path) -> None:
        """Open data.noun and index.noun; FileNotFoundError where one is missing."""
        self.folder = folder
        missing = [name for name in ("index.noun", "data.noun") if not (folder / name).is_file()]
        if missing:
            raise FileNotFoundError(f"{folder} lacks {', '.join(missing)}; make it with prepare_wordnet")
        self.index, self.data = _map(folder / "index.noun"), _map(folder / "data.noun")
        # The lemmas in index.noun are sorted: the first line that starts in a page tells which page to search.
        starts = [self.index.find(b"\n", page) + 1 for page in range(0, len(self.index), PAGE)]
        self.pages = [self.index[at : self.index.find(b" ", at)] for at in starts if at < len(self.index)]

    def __getitem__(self, wnid: str) -> Node:
        """Return one synset; KeyError where there is none."""
        start = int(wnid[1:]) if WNID.fullmatch(wnid) else len(self.data)
        line = self.data[start : self.data.find(b" | ", start)]
        offset = wnid[1:].encode()
        if not line.startswith(offset + b" "):
            raise KeyError(wnid)
        lemma = line.split(b" ", 5)[4].lower()
        parents = tuple(f"n{above.decode()}" for above in ABOVE.findall(line))
        return Node(f"{lemma.decode()}.n.{self._sense(lemma, offset):02d}", parents)

    def __iter__(self) -> Iterator[str]:
        """Go through the wnids of all nouns."""
        return (f"n{offset.decode()}" for offset in re.findall(rb"^[0-9]{8}(?= )", self.data, flags=re.MULTILINE))

    def __len__(self) -> int:
        """Count all nouns."""
        return sum(1 for _ in self)

    def parents(self) -> dict[str, tuple[str, ...]]:
        """Return the wnids above every noun, read in one pass, without names."""
        found = {}
        for line in self.data[:].split(b"\n"):
            if line[:1].isdigit():
                above = ABOVE.findall(line, 0, line.find(b" | "))
                found[f"n{line[:8].decode()}"] = tuple([f"n{offset.decode()}" for offset in above])
        return found

    def _sense(self, lemma: bytes, offset: bytes) -> int:
        # A line of index.noun starts with a lemma, its part of speech and the number of its senses, and ends with them.
        page, start = (bisect_right(self.pages, lemma) - 1) * PAGE, b"\n" + lemma + b" "
        at = self.index.find(start, page, page + PAGE + len(start))
        fields = self.index[at + 1 : self.index.find(b"\n", at + 1)].split() if at >= 0 else []
        senses = fields[-int(fields[2]) :] if fields else []
        if offset not in senses:
            raise ValueError(
                f"{self.folder}: index.noun does not list {offset.decode()} among the senses of {lemma.decode()}, "
                "as data.noun does; make the folder again with prepare_wordnet"
            )
        return senses.index(offset) + 1


def read_hypernyms(path: str | os.PathLike[str]) -> Mapping[str, Node]:
    """Read a `.tsv` table, or WordNet where any of its files (or its folder) is given; synsets by wnid.

    Raises:
        ValueError: the table is faulty (see `read_table`).
        FileNotFoundError: the folder is not complete.
    """
    given = Path(path)
    if given.suffix == ".tsv":
        return {row["wnid"]: Node(row["name"], tuple(row["parents"].split())) for row in read_table(given)}
    return NounFiles(given if given.is_dir() else given.parent)


def all_parents(hypernyms: Mapping[str, Node]) -> dict[str, tuple[str, ...]]:
    """Return the wnids above every synset, by wnid; of WordNet's nouns in a fraction of a second."""
    if isinstance(hypernyms, NounFiles):
        return hypernyms.parents()
    return {wnid: node.parents for wnid, node in hypernyms.items()}


def read_table(path: str | os.PathLike[str]) -> list[dict[str, str]]:
    """Read the rows of a tab-separated table of synsets: wnid, name, parents, lemmas, gloss.

    Parents are wnids separated by spaces, lemmas are separated by ", ", names are NLTK's (dog.n.01).

    Raises:
        ValueError: columns are missing, a wnid is malformed, a wnid or a name comes twice, a parent has no line, or
            the hypernyms form a cycle.
    """
    with open(path, newline="", encoding="utf-8") as lines:
        table = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if not set(COLUMNS) <= set(table.fieldnames or ()):
            raise ValueError(f"{path}: expected tab-separated columns {', '.join(COLUMNS)}, got {table.fieldnames}")
        rows = list(table)
    parents: dict[str, list[str]] = {}
    names: set[str] = set()
    for row in rows:
        if row["wnid"] in parents or not WNID.fullmatch(row["wnid"]):
            raise ValueError(f"{path}: expected wnids such as n02084071, once each, got {row['wnid']!r}")
        if row["name"] in names:
            raise ValueError(f"{path}: expected names such as dog.n.01, once each, got {row['name']!r} again")
        parents[row["wnid"]] = row["parents"].split()
        names.add(row["name"])
    orphans = {above for wnid in parents for above in parents[wnid]} - set(parents)
    if orphans:
        raise ValueError(f"{path}: no line for the parents {', '.join(sorted(orphans))}; add them, up to one root")
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        raise ValueError(f"{path}: the parents form a cycle: {' '.join(error.args[1])}; correct them") from None
    return rows


def look_up(synsets: Mapping[str, Found], wnids: Iterable[str]) -> list[Found]:
    """Return the synsets of some wnids; ValueError names all that are not there."""
    wnids = list(wnids)
    found = [synsets.get(wnid) for wnid in wnids]
    unknown = [wnid for wnid, synset in zip(wnids, found, strict=True) if synset is None]
    if unknown:
        raise ValueError(
            f"no synset {', '.join(unknown)} in the taxonomy; a wnid is `n` and the 8-digit offset of a noun in "
            "WordNet 3.0: correct the class list, or use the taxonomy that has them"
        )
    return [synset for synset in found if synset is not None]


def _map(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
