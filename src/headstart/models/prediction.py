"""Say what is on the pictures of a folder, with probabilities and where each class came from.

Letters in shapes: N images, T target classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import UnidentifiedImageError

from headstart.data.crops import centre_crop
from headstart.data.images import MAX_PIXELS
from headstart.data.pictures import read_picture, shrink
from headstart.machine.machines import Machine
from headstart.models.folder import BATCH, Model

Array = NDArray[Any]
RANKS = ("", "second", "third")
COLUMNS = (
    *("file", "class", "probability", "second", "second_probability", "third", "third_probability"),
    *("started_from", "problem"),
)


def read_crop(path: Path, model: Model) -> Array:
    """Give what the model sees of a picture, uint8 (side, side, 3): as in the pipeline, pixel for pixel.

    Raises ValueError for a file that is no picture or cannot be used.
    """
    try:
        image = read_picture(path.read_bytes())
    except UnidentifiedImageError:
        raise ValueError("not an image") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    short, long = sorted(image.size)
    if model.short_side**2 * long / short > MAX_PIXELS:
        raise ValueError(f"too thin a strip, {image.width} x {image.height} pixels")
    return centre_crop(np.asarray(shrink(image, model.short_side)), model.view.side)


def predict_folder(model: Model, folder: Path, machine: Machine) -> pd.DataFrame:
    """Return a row of `COLUMNS` for every file of a folder and the folders below it, in the order of their paths.

    A file that is no picture has no class, and its `problem` says why. Hidden files are passed over.

    Raises ValueError where there is no such folder, or no file in it.
    """
    if not folder.is_dir():
        raise ValueError(f"no folder {folder}; name one that holds pictures")
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not _hidden(path.relative_to(folder)))
    if not paths:
        raise ValueError(f"no file in {folder}; name a folder that holds pictures")
    problems: dict[Path, str] = {}
    shares = model.probabilities(_batches(_crops(paths, model, problems)), machine)
    rows = iter(describe(model.classes, shares))
    table = [
        {"file": path.relative_to(folder).as_posix(), **({} if path in problems else next(rows))} for path in paths
    ]
    found = pd.DataFrame(table, columns=list(COLUMNS))
    return found.assign(problem=[problems.get(path, "") for path in paths])


def describe(classes: Sequence[dict[str, Any]], shares: Array) -> list[dict[str, Any]]:
    """Return the three likeliest classes of each image with their probabilities (N, T), and whence the first came."""
    order = np.argsort(-shares, axis=1, kind="stable")[:, : len(RANKS)]
    return [
        {
            **{
                key: value
                for rank, place in zip(RANKS, places, strict=False)
                for key, value in (
                    (rank or "class", classes[place]["name"]),
                    (f"{rank}_probability" if rank else "probability", round(float(row[place]), 4)),
                )
            },
            "started_from": origin(classes[places[0]]),
        }
        for places, row in zip(order.tolist(), shares, strict=True)
    ]


def origin(described: dict[str, Any]) -> str:
    """Return the source classes that a class started from, with their shares; "" for a start without any.

    >>> origin({"started_from": [{"name": "robin", "share": 0.75}, {"name": "jay", "share": 0.25}]})
    'robin (0.75); jay (0.25)'
    """
    return "; ".join(f"{one['name']} ({one['share']:.2f})" for one in described["started_from"])


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _crops(paths: Iterable[Path], model: Model, problems: dict[Path, str]) -> Iterator[Array]:
    for path in paths:
        try:
            yield read_crop(path, model)
        except ValueError as error:
            problems[path] = str(error).partition(" <_io")[0]  # Pillow says where in memory it read


def _batches(crops: Iterator[Array]) -> Iterator[Array]:
    while part := list(islice(crops, BATCH)):
        yield np.stack(part)
