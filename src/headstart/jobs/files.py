"""Write files so that a reader never sees half of one."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# Whose a temporary file is: machine, process and a number of its own; one number alone before that was told.
WRITER = "(?:(?P<machine>[0-9a-f]{8})-(?P<pid>[0-9]+)-[0-9a-f]{8}|[0-9a-f]{12})"
# Seconds after which a file that another machine wrote is taken for left.
RESTED = 24 * 3600


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the path of a temporary file beside `path`; rename it onto `path` on success, remove it on an error.

    The temporary file has the suffix of `path`; it does not exist yet. Parent folders are made. What killed writers of
    the same file left is removed first (see `_sweep`).

    Raises FileNotFoundError when the block has not written the temporary file.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with replacing(folder / "greeting.txt") as partial:
    ...     _ = partial.write_text("good day")
    >>> [found.name for found in folder.iterdir()], (folder / "greeting.txt").read_text()
    (['greeting.txt'], 'good day')
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    _sweep(final)
    writer = f"{_machine()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    partial = final.with_name(f".{final.stem}-{writer}.partial{final.suffix}")
    try:
        yield partial
        _sync(partial)
        partial.replace(final)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync(final.parent)


def write_table(frame: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a DataFrame to `path`: as CSV without its index, or as Parquet with it, by the suffix.

    CSV floats are written in their shortest exact form, so that reading them back gives the same bits.

    Raises ValueError for another suffix.
    """
    suffix = Path(path).suffix
    if suffix not in (".csv", ".parquet"):
        raise ValueError(f"cannot write a table to {path}: the suffix is {suffix!r}; use .csv or .parquet")
    with replacing(path) as partial:
        if suffix == ".csv":
            frame.to_csv(partial, index=False, lineterminator="\n")
        else:
            frame.to_parquet(partial, engine="pyarrow")


def write_arrays(arrays: Mapping[str, np.ndarray], path: str | os.PathLike[str]) -> None:
    """Write arrays by name to `path` as safetensors."""
    from safetensors.numpy import save_file

    with replacing(path) as partial:
        save_file({name: np.require(array, requirements="C") for name, array in arrays.items()}, partial)


def _sweep(final: Path) -> None:
    """Remove the temporary files of writers of `final` that are no more, as `kill -9` leaves them.

    Their names tell whose they are, so nobody loses what is still being written: neither another file's writer, nor
    another process that writes the same file, as the job of a killed run may, for as long as it lives. Of a process on
    another machine nobody can say that here; its file counts as left once it has rested for a day.
    """
    written = re.compile(rf"\.{re.escape(final.stem)}-{WRITER}\.partial{re.escape(final.suffix)}")
    for name in os.listdir(final.parent):
        found = written.fullmatch(name)
        if found and not _at_work(found, final.with_name(name)):
            with suppress(OSError):  # another's file, or swept by another
                final.with_name(name).unlink()


def _at_work(writer: re.Match[str], partial: Path) -> bool:
    """Say whether the writer of a temporary file may still be writing it."""
    if writer["pid"] is None:
        return False  # named as earlier versions did
    if writer["machine"] == _machine():
        return _alive(int(writer["pid"]))
    try:
        return time.time() - partial.stat().st_mtime < RESTED
    except FileNotFoundError:
        return False


def _alive(pid: int) -> bool:
    """Say whether a process of this machine is there, even if it is somebody else's."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


@functools.cache
def _machine() -> str:
    """Return digits for where a process id means one process: this machine, or this container."""
    namespace = os.readlink("/proc/self/ns/pid") if os.path.exists("/proc/self/ns/pid") else ""
    return hashlib.sha256(f"{platform.node()} {namespace}".encode()).hexdigest()[:8]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
