"""Write files so that a reader never sees half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary file beside `path`; rename it onto `path` on success, remove it on an error.

    The temporary file keeps the suffix of `path`. Parent folders are made.

    Raises FileNotFoundError when the block wrote nothing to the temporary file's place (removed it).

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with replacing(folder / "greeting.txt") as partial:
    ...     _ = partial.write_text("good day")
    >>> [found.name for found in folder.iterdir()], (folder / "greeting.txt").read_text()
    (['greeting.txt'], 'good day')
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{final.stem}-", suffix=".partial" + final.suffix, dir=final.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        _make_readable(partial)
        _sync(partial)
        partial.replace(final)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync(final.parent)


def write_table(frame: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a DataFrame to `path`, as CSV without the index or as Parquet with it, by the suffix.

    CSV floats are written in full (their shortest exact form), so that reading them back gives the same bits.

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


def _make_readable(partial: Path) -> None:
    # mkstemp makes files that only their owner can read; give the mode that plain open() would have given.
    mask = os.umask(0)
    os.umask(mask)
    partial.chmod(0o666 & ~mask)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
