"""The table of synsets as it stands: which sense of each class's name counts. Read before any job, too.

The table (class, wnid, gloss, why) has a line for each sense of each name; the line with a reason counts. Whoever
edits it moves the reason, or takes it away.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path

from headstart.measures.hypernyms import WNID

COLUMNS = ("class", "wnid", "gloss", "why")
ABSENT = "WordNet is not installed"
Row = dict[str, str]


def read_choices(path: str | os.PathLike[str]) -> list[Row]:
    """Read the rows of the table, none where it is not there yet."""
    if not Path(path).exists():
        return []
    with open(path, newline="", encoding="utf-8-sig") as lines:
        return [{key: value or "" for key, value in row.items()} for row in csv.DictReader(lines, delimiter="\t")]


def chosen(rows: Iterable[Row]) -> dict[str, str]:
    """Return class -> wnid of the synset that counts, "" for a class without one.

    Raises ValueError where columns are missing, a class has several lines with a reason, or a wnid is none.

    >>> chosen([{"class": "iris", "wnid": "n12411922", "gloss": "", "why": ""}])
    {'iris': ''}
    """
    found: dict[str, str] = {}
    for row in rows:
        if not {"class", "wnid", "why"} <= set(row):
            raise ValueError(f"expected columns {', '.join(COLUMNS)}, separated by tabs, got {', '.join(row)}")
        name, wnid = row["class"], row["wnid"].strip()
        if wnid and not WNID.fullmatch(wnid):
            raise ValueError(f"class {name!r}: expected a wnid such as n02084071, or nothing, got {wnid!r}; correct it")
        found.setdefault(name, "")
        if row["why"].strip() and wnid:
            if found[name]:
                raise ValueError(
                    f"class {name!r}: both {found[name]} and {wnid} have a reason in the column why; leave one of them"
                )
            found[name] = wnid
    return found
