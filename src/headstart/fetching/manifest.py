"""The table of files that can be fetched, and which URLs may be: read before any job, so nothing heavy here."""

from __future__ import annotations

import csv
import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

COLUMNS = ("name", "url", "sha256", "bytes", "purpose", "terms")
DIGEST = re.compile("[0-9a-f]{8,64}")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Remote:
    """A file that can be fetched.

    Args:
        url: https, or a path on this machine.
        sha256: its digest, or the first 8 or more digits of it, or "" where nobody knows it.
        bytes: its size, for planning; None where nobody knows it.
    """

    name: str
    url: str
    sha256: str
    bytes: int | None
    purpose: str
    terms: str


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Remote]:
    """Read a tab-separated table of files by name: name, url, sha256, bytes, purpose, terms.

    Raises ValueError for missing columns, a name that comes twice, a digest or a size that is none.
    """
    with open(path, newline="", encoding="utf-8") as lines:
        table = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if tuple(table.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{path}: expected tab-separated columns {', '.join(COLUMNS)}, got {table.fieldnames}")
        rows = [{key: row[key] or "" for key in COLUMNS} for row in table]
    remotes: dict[str, Remote] = {}
    for row in rows:
        if row["name"] in remotes:
            raise ValueError(f"{path}: {row['name']} comes twice; keep one line")
        if row["sha256"] and not DIGEST.fullmatch(row["sha256"]):
            raise ValueError(
                f"{path}: {row['name']} has the digest {row['sha256']!r}; expected 8 to 64 hex digits or none"
            )
        if row["bytes"] and not row["bytes"].isdigit():
            raise ValueError(f"{path}: {row['name']} has the size {row['bytes']!r}; expected a number of bytes or none")
        size = int(row["bytes"]) if row["bytes"] else None
        remotes[row["name"]] = Remote(row["name"], row["url"], row["sha256"], size, row["purpose"], row["terms"])
    return remotes


def safe_url(url: str) -> bool:
    """Say whether a URL is encrypted, or leads to this machine itself.

    >>> safe_url("https://image-net.org/a.tar"), safe_url("http://image-net.org/a.tar"), safe_url("http://127.0.0.1:8/a")
    (True, False, True)
    """
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
