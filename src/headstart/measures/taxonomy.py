"""Read WordNet 3.0, or a table of a few of its synsets, and say how classes relate.

Synsets are NLTK's own objects in both cases, with NLTK's own similarities. They are named by wnid: a letter for the
part of speech and the synset's offset in WordNet 3.0, as in n02084071.
"""

from __future__ import annotations

import os
import shutil
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import nltk
import pandas as pd
from nltk.corpus.reader.wordnet import Synset, WordNetCorpusReader

from headstart.jobs.files import replacing
from headstart.measures.hypernyms import WNID, look_up, read_table

INSTALL = "install it: `apt-get install wordnet-base wordnet-sense-index`, or nltk.download('wordnet') in Python"
SYSTEM = Path("/usr/share/wordnet")
# data.noun comes last: once it is there, everything is.
FILES = [f"{kind}.{part}" for part in ("verb", "adj", "adv", "noun") for kind in ("index", "data")]
FILES = [*(f"{part}.exc" for part in ("noun", "verb", "adj", "adv")), *FILES]
# The file `lexnames` (number, name, part of speech), which Debian's packages lack.
LEXICOGRAPHERS = """
adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body noun.cognition
noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object noun.person
noun.phenomenon noun.plant noun.possession noun.process noun.quantity noun.relation noun.shape noun.state
noun.substance noun.time verb.body verb.change verb.cognition verb.communication verb.competition verb.consumption
verb.contact verb.creation verb.emotion verb.motion verb.perception verb.possession verb.social verb.stative
verb.weather adj.ppl
"""
PARTS_OF_SPEECH = {"noun": 1, "verb": 2, "adj": 3, "adv": 4}


def wnid_of(synset: Synset) -> str:
    """Return the wnid of a synset, such as n02084071 for dog."""
    return f"{synset.pos()}{synset.offset():08d}"


def find_wordnet(where: str | os.PathLike[str] = "wordnet", fetch: Callable[[], Path] | None = None) -> Path:
    """Return the folder (or NLTK's zip file) that holds WordNet.

    Args:
        where: a folder or zip file, or the word `wordnet`: then NLTK's data path and /usr/share/wordnet are searched.
        fetch: gives NLTK's zip file from elsewhere; called last, and only where `where` is the word `wordnet`.

    Raises FileNotFoundError where it is not there.
    """
    places = [Path(where)]
    if str(where) == "wordnet":
        folders = [Path(folder, "corpora") for folder in nltk.data.path]
        places = [folder / name for folder in folders for name in ("wordnet", "wordnet.zip")]
        places.append(SYSTEM)
    for place in places:
        if (place / "data.noun").is_file() or zipfile.is_zipfile(place):
            return place
    if fetch is not None and str(where) == "wordnet":
        return fetch()
    raise FileNotFoundError(f"no WordNet (data.noun) in {', '.join(map(str, places))}; {INSTALL}")


def prepare_wordnet(found: Path, copy: Path) -> None:
    """Copy WordNet 3.0 from where `find_wordnet` found it to the folder `copy`, and complete it for NLTK.

    NLTK refuses links, and folders outside its data path; Debian's packages lack `lexnames`.

    Raises:
        ValueError: it is another version, whose offsets are not ImageNet's wnids.
        FileNotFoundError: a file is missing.
    """
    place = found if found.is_dir() else zipfile.Path(found, "wordnet/")
    missing = [name for name in FILES if not (place / name).is_file()]
    if missing:
        raise FileNotFoundError(f"{found} lacks {', '.join(missing)}; {INSTALL}")
    with (place / "data.noun").open("rb") as noun:
        head = noun.read(4096)
        noun.seek(2084071)
        dog = noun.read(40)
    if b"WordNet 3.0 Copyright" not in head or not dog.startswith(b"02084071 05 n 03 dog "):
        raise ValueError(f"{found} is not WordNet 3.0, whose offsets are ImageNet's wnids; {INSTALL}")
    with replacing(copy / "lexnames") as partial:
        rows = enumerate(LEXICOGRAPHERS.split())
        partial.write_text("".join(f"{at:02d}\t{name}\t{PARTS_OF_SPEECH[name.split('.')[0]]}\n" for at, name in rows))
    for name in FILES:
        with replacing(copy / name) as partial, (place / name).open("rb") as old, partial.open("wb") as new:
            shutil.copyfileobj(old, new)


class WordNet(Mapping[str, Synset]):
    """The synsets of a WordNet folder by wnid, each read when it is asked for."""

    def __init__(self, reader: WordNetCorpusReader) -> None:
        """Wrap NLTK's reader."""
        self.reader = reader

    def __getitem__(self, wnid: str) -> Synset:
        """Return one synset; KeyError where there is none."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "No WordNet synset found")
            noun = WNID.fullmatch(wnid)
            synset = self.reader.synset_from_pos_and_offset("n", int(wnid[1:])) if noun else None
        if synset is None:
            raise KeyError(wnid)
        return synset

    def __iter__(self) -> Iterator[str]:
        """Go through the wnids of all nouns."""
        return map(wnid_of, self.reader.all_synsets("n"))

    def __len__(self) -> int:
        """Count all nouns."""
        return sum(1 for _ in self)


class _FolderReader(WordNetCorpusReader):
    def map_wn(self, version: str = "wordnet") -> None:
        # Only other languages need this map between versions, and making it needs NLTK's own download.
        return None

    def __del__(self) -> None:
        # NLTK keeps its files open and leaves them to chance.
        for file in [*self.__dict__.get("_data_file_map", {}).values(), self.__dict__.get("_key_count_file")]:
            if file is not None:
                file.close()


class _TableReader:
    # What a Synset asks of its reader.
    def __init__(self) -> None:
        self.synsets: dict[int, Synset] = {}

    def get_version(self) -> str:
        return "3.0"

    def langs(self) -> list[str]:
        return ["eng"]

    def synset_from_pos_and_offset(self, pos: str, offset: int) -> Synset:
        return self.synsets[offset]


def read_wordnet(folder: str | os.PathLike[str]) -> Mapping[str, Synset]:
    """Open a folder made by `prepare_wordnet`; synsets by wnid.

    Raises:
        FileNotFoundError: the folder is not complete.
    """
    place = Path(folder).resolve()
    missing = [name for name in [*FILES, "lexnames"] if not (place / name).is_file()]
    if missing:
        raise FileNotFoundError(f"{folder} lacks {', '.join(missing)}; make it with prepare_wordnet")
    if str(place) not in nltk.data.path:
        # NLTK opens files in its data path only, now and whenever a synset is asked for.
        nltk.data.path.append(str(place))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The multilingual functions are not available")
        return WordNet(_FolderReader(str(place), None))


def read_taxonomy_table(path: str | os.PathLike[str]) -> dict[str, Synset]:
    """Read synsets by wnid from a table; ValueError where it is faulty (see `hypernyms.read_table`)."""
    reader = _TableReader()
    synsets = {row["wnid"]: _synset(row, reader) for row in read_table(path)}
    reader.synsets = {synset.offset(): synset for synset in synsets.values()}
    return synsets


def read_taxonomy(path: str | os.PathLike[str]) -> Mapping[str, Synset]:
    """Read a `.tsv` table, or WordNet where any of its files (or its folder) is given; synsets by wnid."""
    given = Path(path)
    if given.suffix == ".tsv":
        return read_taxonomy_table(given)
    return read_wordnet(given if given.is_dir() else given.parent)


def _synset(row: Mapping[str, str], reader: _TableReader) -> Synset:
    synset = Synset(reader)
    synset._pos, synset._offset, synset._name = "n", int(row["wnid"][1:]), row["name"]
    synset._lemma_names = [lemma.replace(" ", "_") for lemma in row["lemmas"].split(", ")]
    synset._definition = row["gloss"]
    synset._pointers = defaultdict(set, {"@": {("n", int(parent[1:])) for parent in row["parents"].split()}})
    return synset


def ancestors(synset: Synset) -> set[str]:
    """Return the wnids above a synset, at any depth."""
    return {wnid_of(above) for above in synset.common_hypernyms(synset)} - {wnid_of(synset)}


def class_type(synset: Synset, sources: Sequence[Synset], declared: str = "") -> tuple[str, list[str]]:
    """Return the type of a target class, and the wnids of the sources that make it so.

    It is `included` where a source is above it at any depth, `inclusive` where a source is below it, else `disjoint`.

    Args:
        synset: the target.
        sources: all source classes.
        declared: the type the class list gives it, "" for none.

    Raises:
        ValueError: the target is itself a source; the list says another type; or there are sources both above and
            below, and the list does not say which counts.
    """
    wnid, above = wnid_of(synset), ancestors(synset)
    over = [wnid_of(source) for source in sources if wnid_of(source) in above]
    under = [wnid_of(source) for source in sources if wnid in ancestors(source)]
    named = f"{wnid} ({synset.name()})"
    if wnid in map(wnid_of, sources):
        raise ValueError(f"target {named} is a source class, too; take it out of one of the two lists")
    # PAPER: a class with sources both above and below does not occur among its 90, and is not provided for.
    found = {"included": over, "inclusive": under} if over or under else {"disjoint": []}
    kinds = [kind for kind, related in found.items() if related or kind == "disjoint"]
    if declared and declared not in kinds:
        raise ValueError(
            f"the class list says that {named} is {declared}, the taxonomy says {' and '.join(kinds)}; "
            "correct the column `type`, or leave it empty"
        )
    if len(kinds) > 1 and not declared:
        raise ValueError(
            f"{named} has source classes above ({', '.join(over)}) and below ({', '.join(under)}); write in the "
            "column `type` of the class list which shall count, included or inclusive, or leave the class out"
        )
    kind = declared or kinds[0]
    return kind, sorted(found[kind])


def describe(
    targets: Sequence[str],
    declared: Sequence[str | float] | None,
    sources: Sequence[str],
    synsets: Mapping[str, Synset],
) -> pd.DataFrame:
    """Describe all classes, the sources first, in the order of the network's outputs (sorted wnids).

    Args:
        targets: wnids, in the order of the new outputs.
        declared: the type of each target by its list ("" or NaN where it says nothing), or None.
        sources: wnids.
        synsets: from `read_taxonomy`.

    Returns:
        Columns wnid, role (source, target), index (within the role), type, lemmas ("bullet, slug"), gloss, related
        (source wnids, separated by spaces); type and related are empty for sources.

    Raises:
        ValueError: a wnid is unknown, or a type wrong (see `class_type`).
    """
    above = look_up(synsets, sorted(sources))
    rows = [_row(synset, "source", at, "", []) for at, synset in enumerate(above)]
    said = [kind if isinstance(kind, str) else "" for kind in ([""] * len(targets) if declared is None else declared)]
    for at, (synset, kind) in enumerate(zip(look_up(synsets, targets), said, strict=True)):
        rows.append(_row(synset, "target", at, *class_type(synset, above, kind)))
    return pd.DataFrame(rows)


def _row(synset: Synset, role: str, index: int, kind: str, related: list[str]) -> dict[str, str | int]:
    return {
        "wnid": wnid_of(synset),
        "role": role,
        "index": index,
        "type": kind,
        "lemmas": ", ".join(lemma.replace("_", " ") for lemma in synset.lemma_names()),
        "gloss": synset.definition(),
        "related": " ".join(related),
    }
