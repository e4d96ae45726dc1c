"""Say which files an experiment needs from elsewhere, how large they are and which are there already."""

import os
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from headstart.fetching.manifest import read_manifest
from pipeline.config.contradictions import fetched_files, is_url
from pipeline.config.runs import reads
from pipeline.layout import Layout

# The headers of so many bytes of tars are counted; how many images further tars hold is told from their size.
COUNTED_BYTES = 2e9
# What is fetched for some measures alone, and what these read.
FOR_MEASURES = {"wordvectors.path": "vectors", "classes.information_content": "counts"}


class Supply(NamedTuple):
    """A file that is fetched or put into its place by hand."""

    name: str  # in downloads.folder
    url: str
    places: tuple[Path, ...]  # where it is looked for: as kept, as handed to the rules
    size: int | None  # bytes, None where nobody says
    terms: str

    def found(self) -> Path | None:
        """Return where the file is, None where it is not there."""
        return next((place for place in self.places if place.is_file()), None)

    def state(self) -> str:
        """Say whether the file is there, and whether it has the size that it should have."""
        found = self.found()
        if self.places[0] != found and self.places[0].with_name(f"{self.places[0].name}.not-offered").exists():
            return "not offered"
        if found is None:
            return "missing"
        return "here" if self.size in (None, found.stat().st_size) else "wrong size"

    def bytes(self) -> int | None:
        """Return the size in bytes, that of the file itself where the manifest says none."""
        found = self.found()
        return found.stat().st_size if found and self.size is None else self.size


def needed_files(config: Mapping[str, Any], wordnet: bool) -> list[Supply]:
    """Return the files of the manifest that this experiment uses.

    Args:
        config: with defaults, as `load_config` gives it.
        wordnet: whether WordNet is installed, so that it need not be fetched.
    """
    remotes = read_manifest(Path(config["downloads"]["manifest"]))
    fetched = fetched_files(config)
    names = [name for key, name in fetched if key not in FOR_MEASURES or reads(config, FOR_MEASURES[key])]
    if config["classes"]["taxonomy"] == "wordnet" and not wordnet:
        names.append("wordnet.zip")
    chosen = [remotes[name] for name in names]
    return [Supply(file.name, file.url, places(config, file.name), file.bytes, file.terms) for file in chosen]


def needed_tars(config: Mapping[str, Any], wnids: Iterable[str]) -> list[Supply]:
    """Return the tar of every class, if tars are fetched."""
    url = config["images"]["tars"]
    if config["images"]["drawn"] or not is_url(url):
        return []
    layout = Layout(config["experiment"])
    terms = f"terms of {urlsplit(url).hostname}"
    return [
        Supply(
            f"synsets/{wnid}.tar",
            url.format(wnid=wnid),
            (Path(config["downloads"]["folder"], f"synsets/{wnid}.tar"), Path(layout.at("tar", wnid=wnid))),
            None,
            terms,
        )
        for wnid in wnids
    ]


def places(config: Mapping[str, Any], name: str) -> tuple[Path, ...]:
    """Return where a file of the manifest is kept, and where it is handed to the rules."""
    return Path(config["downloads"]["folder"], name), Path(Layout(config["experiment"]).at("download", file=name))


def tars_there(config: Mapping[str, Any], wnids: Sequence[str]) -> dict[str, Path]:
    """Return wnid -> tar of every class whose tar is there, fetched or in a folder of one's own."""
    tars = config["images"]["tars"]
    if is_url(tars):
        found = [supply.found() for supply in needed_tars(config, wnids)]
    else:
        found = [path if path.is_file() else None for path in (Path(tars.format(wnid=wnid)) for wnid in wnids)]
    return {wnid: path for wnid, path in zip(wnids, found, strict=True) if path}


def count_members(tars: Mapping[str, Path], limit: float = COUNTED_BYTES) -> dict[str, int]:
    """Return how many files the tar of each class holds: counted up to `limit` bytes of tars, beyond that by size.

    A tar that is damaged is left out; the pipeline says what is wrong with it.
    """
    counts: dict[str, int] = {}
    gone_through, files = 0, 0
    for wnid, path in tars.items():
        size = os.path.getsize(path)
        if files and gone_through > limit:
            counts[wnid] = round(size * files / gone_through)
            continue
        try:
            with tarfile.open(path, "r:") as archive:
                counts[wnid] = sum(member.isreg() for member in archive)
        except tarfile.ReadError:
            continue
        gone_through, files = gone_through + size, files + counts[wnid]
    return counts
