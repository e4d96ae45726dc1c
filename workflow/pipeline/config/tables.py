"""Read the tables that a config names, or say of a file that is none what it is and how to save it."""

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path

# How files begin that are no UTF-8: the longer mark first where one begins like another.
BEGINNINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
    b"PK\x03\x04": "a packed file, such as a spreadsheet",
    b"\x1f\x8b": "a file packed by gzip",
    b"\xd0\xcf\x11\xe0": "a spreadsheet of an old Excel",
}
MARK = "\ufeff"


class ConfigError(ValueError):
    """The config cannot be run; the text lists every fault."""


def text_of(path: str, marked: bool = True) -> str:
    """Return the text of a file, without a byte order mark.

    Args:
        path: of the file.
        marked: whether those who read the file later know what a byte order mark is.

    Raises ConfigError where it is no text in UTF-8.
    """
    try:
        written = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: expected a file of text, got: {error.strerror}; correct the path") from None
    try:
        text = written.decode()
    except UnicodeDecodeError as error:
        other = next((name for mark, name in BEGINNINGS.items() if written.startswith(mark)), "Latin-1 or the like")
        line = written.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: expected text in UTF-8, got {other} (line {line}); {cure(other)}") from None
    if "\0" in text:
        other = next((name for mark, name in BEGINNINGS.items() if written.startswith(mark)), "UTF-16")
        raise ConfigError(f"{path}: expected text in UTF-8, got bytes of zero as in {other}; {cure(other)}")
    if text.startswith(MARK) and not marked:
        raise ConfigError(f"{path}: begins with a byte order mark; save it as UTF-8 without one")
    return text.removeprefix(MARK)


def cure(other: str) -> str:
    """Say how a file of another form becomes text in UTF-8.

    >>> cure("UTF-16")
    'save it as UTF-8 (iconv -f UTF-16 -t UTF-8 OLD > NEW)'
    """
    if other.startswith("a "):
        return "unpack it, or save the sheet as text in UTF-8"
    return f"save it as UTF-8 (iconv -f {other.split()[0]} -t UTF-8 OLD > NEW)"


def read_rows(path: str, delimiter: str, strict: bool = False) -> tuple[list[str], list[dict[str, str]]]:
    """Return the names of a table's columns and its rows; what a row lacks at its end is empty.

    Args:
        path: of the table.
        delimiter: between columns.
        strict: for a reader that knows no quotes, no byte order mark and no row that ends early.

    Raises ConfigError where it is no text in UTF-8, or a row has more columns than are named, which pandas would take
    for a column without a name before the first.
    """
    text = text_of(path, marked=not strict)
    content = io.StringIO(text, newline="")
    lines = csv.reader(content, delimiter=delimiter, quoting=csv.QUOTE_NONE if strict else csv.QUOTE_MINIMAL)
    try:
        rows = [(lines.line_num, cells) for cells in lines if cells]
    except csv.Error as error:
        raise ConfigError(f"{path}, line {lines.line_num}: {error}; correct it") from None
    names = rows[0][1] if rows else []
    for number, cells in rows[1:]:
        if len(cells) > len(names) or (strict and len(cells) < len(names)):
            raise ConfigError(
                f"{path}, line {number}: expected as many columns as the first line names ({', '.join(names)}), "
                f"got {len(cells)}; name them all, fill in what is missing, or take out what stands after the last"
            )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"{path}: two columns are called {', '.join(map(repr, twice))}; keep one of them")
    return names, [dict(zip(names, [*cells, *[""] * (len(names) - len(cells))], strict=True)) for _, cells in rows[1:]]


def faults_of(key: str, path: str, marked: bool = False) -> Iterator[str]:
    """Yield what is wrong with a file of text, whatever stands in it; nothing where it is still to be fetched."""
    if Path(path).exists():
        try:
            text_of(path, marked)
        except ConfigError as error:
            yield f"{key}: {error}"
