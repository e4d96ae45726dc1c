"""Find the classes and pictures in what a person has: a folder of folders, of tars, or a table of files.

Nothing is opened but the table and the headers of tars, so that every job may look again.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import tarfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline.config.tables import ConfigError, read_rows

# Folders above the classes that say what their pictures are for.
PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
# How names of pictures end, in any case; what else lies in a class is opened too, but not counted on.
PICTURES = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"),
    *(".jp2", ".avif", ".heic", ".heif", ".jxl"),
}
LEFT_ASIDE = {"__macosx", "thumbs.db", "desktop.ini"}
FORMS = (
    "expected a folder with one sub-folder or tar for each class (train/ and test/ may stand above them), "
    "or a table with columns file and class"
)
# The key of a class: readable letters of its name, and a digest that tells it from all others.
KEY = "[a-z0-9-]+-[0-9a-f]{8}"


class Found(NamedTuple):
    """One class: its key in names of files, its name, and path -> place in the tar of each of its files."""

    key: str
    name: str
    files: dict[str, str]
    pictures: dict[str, int]  # of each part ("" where there are none), as the names of files say


class Survey(NamedTuple):
    """All classes in the order of their names, whether their pictures come in parts, and files that belong to none."""

    classes: tuple[Found, ...]
    parted: bool
    aside: tuple[str, ...]


def key_of(name: str) -> str:
    """Return the key of a class, which depends on nothing but its name.

    >>> key_of("Screw M4"), key_of("ölfleck")
    ('screw-m4-345e045c', 'olfleck-6d685b4a')
    """
    whole = unicodedata.normalize("NFC", name)
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub("[^a-z0-9]+", "-", letters).strip("-")[:40].strip("-") or "class"
    return f"{words}-{hashlib.blake2b(whole.encode(), digest_size=4).hexdigest()}"


@functools.cache
def survey(given: str) -> Survey:
    """Find the classes in a folder or a table.

    Raises ConfigError where it is neither, has fewer than two classes, or a name that cannot be written down.
    """
    place = Path(given)
    if place.is_file():
        found = _in_table(place)
    elif place.is_dir():
        found = _in_folder(place)
    else:
        raise ConfigError(f"images.folder: {given!r} is not there; {FORMS}")
    _refuse_odd_names(found)
    if len(found.classes) < 2:
        inner = found.classes[0].name if found.classes else ""
        deeper = inner and (place / inner).is_dir() and len([*_visible(place / inner, folders=True)]) > 1
        hint = f"; did you mean {place / inner}?" if deeper else ""
        raise ConfigError(
            f"images.folder: {given} holds {f'one class only ({inner})' if inner else 'no class'}{hint}; {FORMS}"
        )
    return found


def _in_folder(place: Path) -> Survey:
    folders = list(_visible(place, folders=True))
    parts = {folder: PARTS.get(folder.name.lower(), "") for folder in folders}
    if "test" not in parts.values():  # as ImageFolder users have it: val/ is what tests
        parts = {folder: part.replace("validation", "test") for folder, part in parts.items()}
    parted = "train" in parts.values() and len(set(parts.values())) > 1 and all(parts.values())
    files: dict[str, dict[str, str]] = {}
    for folder in folders if parted else [place]:
        for one in _visible(folder, folders=True):
            class_files = files.setdefault(unicodedata.normalize("NFC", one.name), {})
            for path in _all_files(one):
                member = path.relative_to(one)
                class_files[str(path)] = str(Path(parts[folder], member) if parted else member)
    loose = [path for folder in (folders if parted else []) for path in _visible(folder, folders=False)]
    loose += _visible(place, folders=False)
    tars = [path for path in loose if path.suffix.lower() == ".tar" and path.parent == place and not parted]
    for path in tars:
        files.setdefault(unicodedata.normalize("NFC", path.stem), {})[str(path)] = path.name
    aside = tuple(str(path) for path in loose if path not in tars)
    return _survey(files, parted, aside)


def _in_table(place: Path) -> Survey:
    names, rows = read_rows(str(place), "\t" if place.suffix.lower() == ".tsv" else ",")
    if not {"file", "class"} <= set(names):
        raise ConfigError(f"images.folder: {place} has columns {', '.join(names) or 'without names'}; {FORMS}")
    files: dict[str, dict[str, str]] = {}
    for row in rows:
        path = place.parent / row["file"]
        if not row["class"] or not path.is_file():
            wrong = f"there is no file {path}" if row["class"] else f"{row['file']} has no class"
            raise ConfigError(f"images.folder: {place}: {wrong}; correct the table, whose paths start at its folder")
        members = files.setdefault(unicodedata.normalize("NFC", row["class"]), {})
        # As a tar has it: no way out of its folder.
        members[str(path)] = _free("/".join(one for one in Path(row["file"]).parts if one not in ("/", "..")), members)
    return _survey(files, False, ())


def _free(member: str, members: dict[str, str]) -> str:
    while member in members.values():
        member = f"further/{member}"
    return member


def _survey(files: dict[str, dict[str, str]], parted: bool, aside: tuple[str, ...]) -> Survey:
    classes = []
    for name in sorted(files):
        counts: dict[str, int] = {}
        for path, member in files[name].items():
            part = Path(member).parts[0] if parted else ""
            counts[part] = counts.get(part, 0) + _pictures_in(path)
        classes.append(Found(key_of(name), name, files[name], counts))
    return Survey(tuple(classes), parted, aside)


def _pictures_in(path: str) -> int:
    if not path.lower().endswith(".tar"):
        return int(os.path.splitext(path)[1].lower() in PICTURES)
    try:
        with tarfile.open(path, "r:") as archive:
            return sum(member.isreg() for member in archive)
    except (tarfile.ReadError, OSError) as error:
        raise ConfigError(f"images.folder: {path} cannot be read as a plain tar ({error}); pack it again") from None


def _visible(folder: Path, folders: bool) -> Iterator[Path]:
    """Yield what lies in a folder and is no litter, by name: folders, or files."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        litter = path.name.startswith(".") or path.name.lower() in LEFT_ASIDE
        if not litter and (path.is_dir() if folders else path.is_file()):
            yield path


def _all_files(folder: Path) -> Iterator[Path]:
    yield from _visible(folder, folders=False)
    for inner in _visible(folder, folders=True):
        yield from _all_files(inner)


def _refuse_odd_names(found: Survey) -> None:
    for path in (path for one in found.classes for path in one.files):
        # Snakemake takes braces for wildcards.
        if not path.isprintable() or set(path) & set("{}"):
            raise ConfigError(
                f"images.folder: {os.fsencode(path)!r} has a name with signs that cannot be dealt with (braces, line "
                "breaks, another encoding than UTF-8); rename it"
            )
