"""Look the names of classes up among WordNet's nouns: every sense of a name, with its words and its gloss.

Plain bytes and no package, so that it costs milliseconds; NLTK finds the same senses.
"""

from __future__ import annotations

import mmap
import os
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from headstart.measures.hypernyms import WNID

# Endings of plurals, and what stands in their place: WordNet's own rules for nouns.
PLURALS = {"s": "", "ses": "s", "xes": "x", "zes": "z", "ches": "ch", "shes": "sh", "men": "man", "ies": "y"}
SYSTEM = Path("/usr/share/wordnet")
NEEDED = ("index.noun", "data.noun")


class Sense(NamedTuple):
    """One meaning of a name: its synset, the words for it ("iris, flag, fleur-de-lis"), and what it says."""

    wnid: str
    lemmas: str
    gloss: str


class Nouns:
    """WordNet's nouns by name, of a folder with `index.noun` and `data.noun`, or of NLTK's zip file of it."""

    def __init__(self, place: Path) -> None:
        """Open the two files; FileNotFoundError where one is missing."""
        self.index, self.data = (_content(place, name) for name in NEEDED)

    def senses(self, name: str) -> list[Sense]:
        """Return every sense of a name, the most frequent first; of its singular where only that is a noun.

        A name that is a wnid has this synset alone.
        """
        if WNID.fullmatch(name):
            found = self.sense(name)
            return [found] if found else []
        for lemma in spellings(name):
            at = self.index.find(b"\n" + lemma.encode() + b" ")
            if at >= 0:
                fields = self.index[at + 1 : self.index.find(b"\n", at + 1)].split()
                wnids = [f"n{offset.decode()}" for offset in fields[-int(fields[2]) :]]
                return [sense for sense in map(self.sense, wnids) if sense]
        return []

    def sense(self, wnid: str) -> Sense | None:
        """Return what a synset means, None where there is none."""
        start = int(wnid[1:]) if WNID.fullmatch(wnid) else len(self.data)
        line = self.data[start : self.data.find(b"\n", start)]
        if not line.startswith(f"{wnid[1:]} ".encode()):
            return None
        facts, _, gloss = line.decode().partition(" | ")
        fields = facts.split()
        words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
        meaning = re.sub('"[^"]*"?', "", gloss).strip("; ")
        return Sense(wnid, ", ".join(word.replace("_", " ") for word in words), meaning)


def nouns_of(wordnet: Sequence[str]) -> Nouns | None:
    """Open WordNet where one of its files is given, None where none is."""
    return Nouns(Path(wordnet[0]).parent) if wordnet else None


def spellings(name: str) -> Iterator[str]:
    """Yield how a name may stand in WordNet: as it is, then without the ending of a plural.

    >>> list(spellings("Tiger lilies"))[::2]
    ['tiger_lilies', 'tiger_lilie', 'tiger_lily']
    """
    plain = re.sub(r"[\s_]+", "_", name.strip().lower())
    shapes = dict.fromkeys([plain, plain.replace("-", "_"), plain.replace("_", "-")])
    yield from shapes
    for ending, instead in PLURALS.items():
        for shape in shapes:
            if shape.endswith(ending) and len(shape) > len(ending) + 2:
                yield shape.removesuffix(ending) + instead


def find_nouns(where: str = "wordnet") -> Path | None:
    """Return where WordNet lies: the given place, or for the word `wordnet` the first of NLTK's places and Debian's."""
    for place in [Path(where)] if where != "wordnet" else installed_places():
        if all((place / name).is_file() for name in NEEDED) or zipfile.is_zipfile(place):
            return place
    return None


def installed_places() -> list[Path]:
    """Return where NLTK looks for WordNet, and where Debian puts it; asking NLTK takes a second."""
    folders = [folder for folder in os.environ.get("NLTK_DATA", "").split(os.pathsep) if folder]
    folders += [os.path.expanduser("~/nltk_data")]
    folders += [f"{sys.prefix}/{inner}nltk_data" for inner in ("", "share/", "lib/")]
    folders += [f"{root}/nltk_data" for root in ("/usr/share", "/usr/local/share", "/usr/lib", "/usr/local/lib")]
    return [Path(folder, "corpora", name) for folder in folders for name in ("wordnet", "wordnet.zip")] + [SYSTEM]


def _content(place: Path, name: str) -> mmap.mmap | bytes:
    if place.is_dir():
        with (place / name).open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return zipfile.Path(place, f"wordnet/{name}").read_bytes()
