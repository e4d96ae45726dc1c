"""Get files from elsewhere, make sure that they are the right ones, and remember what they were.

Fetched files are kept in one folder, and so are those that somebody put there by hand: both are verified in the same
way, by the digest of the manifest or by that of the lock file, which holds what was found on the first sight.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import os
import tarfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from headstart.fetching.transfer import WAITS, DownloadError, NotOffered, discard, download
from headstart.jobs.files import replacing

LOCKED = ("name", "sha256", "bytes", "url")


@dataclass(frozen=True)
class _Expected:
    """The file that an address should give: what the manifest says of its digest, and where the lock file has it."""

    url: str
    sha256: str
    lock: Path
    name: str  # in the lock file


def fetch(
    url: str, kept: Path, lock: Path, *, sha256: str = "", advice: str = "", waits: Sequence[float] = WAITS
) -> Path:
    """Make sure that a file is there and is the right one, and return where.

    A file at `kept`, fetched before or put there by hand, is verified and used, without any request. Otherwise it comes
    into `<kept>.part` first, from where a broken connection or a killed job left off, and is renamed once it is whole
    and verified; a wrong file never stands at `kept`.

    Args:
        url: https, or a path on this machine, which is verified and returned itself.
        kept: where fetched files are kept.
        lock: table of the digests found on first sight; later files must match it.
        sha256: digest, or its first digits; "" where nobody knows it.
        advice: what to do, at the end of every error.
        waits: seconds between attempts.

    Raises:
        NotOffered: the server has no such file.
        DownloadError: the file cannot be had, or is another one.
    """
    local = kept if "://" in url else Path(url)
    if "://" not in url and not local.is_file():
        raise DownloadError(f"{url}: no such file here. {advice}")
    expected = _Expected(url, sha256, lock, os.path.relpath(kept, lock.parent))
    if local.is_file():
        return _verified(local, expected)
    # A killed run may have left a job that still writes: the next one waits for it and then finds the file there.
    with _alone(kept):
        if not kept.is_file():
            _fetch_new(expected, kept, advice, waits)
    return _verified(kept, expected)


def fetch_tar(url: str, kept: Path, lock: Path, *, advice: str = "", waits: Sequence[float] = WAITS) -> Path:
    """Do as `fetch`; where the server has no such file, say so and return a tar without members in its place.

    The class is then counted as one without images, and the next fetch asks again.
    """
    try:
        return fetch(url, kept, lock, advice=advice, waits=waits)
    except NotOffered as error:
        print(f"NOT OFFERED, counted as a class without images: {error}")
        empty = kept.with_name(f"{kept.name}.not-offered")
        with replacing(empty) as partial, tarfile.open(partial, "w"):
            pass
        return empty


def place(found: Path, output: Path) -> None:
    """Make `output` another name of the file: a hard link, or a symbolic one where it lies on another disk."""
    output.parent.mkdir(parents=True, exist_ok=True)
    link = output.with_name(f".{output.name}-{uuid.uuid4().hex[:12]}")
    try:
        os.link(found, link)
    except OSError:
        link.symlink_to(found.resolve())
    link.replace(output)


def _fetch_new(expected: _Expected, kept: Path, advice: str, waits: Sequence[float]) -> None:
    part = kept.with_name(f"{kept.name}.part")
    download(expected.url, part, advice, waits)
    if _fault(part, expected):
        # A resumed body may have been glued from two versions of the file.
        discard(part)
        download(expected.url, part, advice, waits)
    fault = _fault(part, expected)
    if fault:
        discard(part)
        raise DownloadError(f"{expected.url}: {fault}. {advice}")
    with replacing(kept) as partial:
        part.rename(partial)
    discard(part)


def read_lock(lock: Path) -> dict[str, dict[str, str]]:
    """Read the table of digests found on first sight, by name; empty where there is none."""
    if not lock.exists():
        return {}
    with lock.open(newline="", encoding="utf-8") as lines:
        return {row["name"]: row for row in csv.DictReader(lines, delimiter="\t")}


def _verified(file: Path, expected: _Expected) -> Path:
    fault = _fault(file, expected)
    if fault:
        raise DownloadError(f"{file}: {fault}; it is left as it is: move it away to fetch it anew")
    _record(file, expected)
    return file


def _fault(file: Path, expected: _Expected) -> str:
    """Say what is wrong with a file, "" for nothing."""
    found, recorded = digest(file), read_lock(expected.lock).get(expected.name, {}).get("sha256", "")
    size = f"{file.stat().st_size:,} bytes"
    if not found.startswith(expected.sha256):
        return f"expected sha256 {expected.sha256}, got {found} ({size}), so it is another file or damaged"
    if not found.startswith(recorded):
        return (
            f"expected sha256 {recorded}, as the first time, got {found} ({size}); if the new file is the right one, "
            f"take the line of {expected.name} out of {expected.lock}"
        )
    return ""


def digest(file: Path) -> str:
    """Return the sha256 of a file."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _record(file: Path, expected: _Expected) -> None:
    lock, name = expected.lock, expected.name
    with _alone(lock):
        rows = read_lock(lock)
        if name in rows:
            return
        rows[name] = {"name": name, "sha256": digest(file), "bytes": str(file.stat().st_size), "url": expected.url}
        with replacing(lock) as partial, partial.open("w", newline="", encoding="utf-8") as lines:
            table = csv.DictWriter(lines, LOCKED, delimiter="\t", lineterminator="\n")
            table.writeheader()
            table.writerows(rows[key] for key in sorted(rows))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process at a time make or change a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.guard").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield
