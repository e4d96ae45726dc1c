"""Write files so that a reader never sees half of one."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the path of a temporary file beside `path`; rename it onto `path` on success, remove it on an error.

    The temporary file has the suffix of `path`; it does not exist yet. Parent folders are made.

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
    partial = final.with_name(f".{final.stem}-{uuid.uuid4().hex[:12]}.partial{final.suffix}")
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


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
