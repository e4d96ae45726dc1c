"""Turn tars and folders of pictures into pixel stores, and read them again.

A store is an Arrow IPC file: name, height, width, pixels (RGB uint8, height x width x 3), all of one short side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from headstart.data.pictures import UnusablePictureError, read_picture, shrink
from headstart.data.tars import AGAIN, read_tar
from headstart.jobs.files import replacing, write_table

SCHEMA = pa.schema([("name", pa.string()), ("height", pa.int32()), ("width", pa.int32()), ("pixels", pa.binary())])
BATCH_BYTES = 32 * 2**20  # pixels held in memory before they are written
MAX_PIXELS = 2**26  # of a resized picture
SUFFIXES = (".jpeg", ".jpg", ".png", ".avif", ".heic", ".heif")


def decode_tar(
    tar: Path, store: Path, audit: Path, short_side: int, min_side: int, wanted: Container[str] | None = None
) -> pd.DataFrame:
    """Decode every picture of the tar of one class into a pixel store, and count what is dropped.

    Pictures keep the order of the tar; `stored_name` says how they are called. Nothing is extracted to disk. A tar
    without members gives a store without pictures: a class that is not there, as the audit of all classes will say.

    Args:
        short_side: of the stored pictures, pixels; torchvision's `Resize` gives the same pixels.
        min_side: a picture with a shorter side than this is dropped as tiny, pixels.
        wanted: names of the pictures to keep; None keeps all.

    Returns:
        The audit, also written to `audit`: one row per file in the tar with columns member, status (kept | dropped)
        and reason ("" | unlisted | unreadable | tiny | duplicate | not an image); what is known of an unreadable one
        follows a colon. Folder entries are no files.

    Raises:
        ValueError: the tar is cut short, damaged, unsafe or no tar at all, or has files of which no picture can be
            used. Nothing is written then.
    """
    rows: list[tuple[str, str, str]] = []
    with replacing(store) as partial:
        _write_store(partial, _kept_pictures(tar, short_side, min_side, rows, wanted))
        table = pd.DataFrame(rows, columns=["member", "status", "reason"])
        _require_a_picture(table, tar)
    write_table(table, audit)
    return table


def stored_name(member: str, wnid: str) -> str:
    """Give the name of a tar's member in the store: its folders and name, behind the class unless it begins so.

    Names are then unique among the classes, and tell the class, also where every tar holds an IMG_1.jpg.

    >>> stored_name("n02084071/n02084071_4.JPEG", "n02084071"), stored_name("./summer/IMG_1.jpg", "n02084071")
    ('n02084071_4.JPEG', 'n02084071_summer_IMG_1.jpg')
    """
    name = "_".join(part for part in Path(member).parts if part != wnid)
    return name if name.startswith(f"{wnid}_") else f"{wnid}_{name}"


def stored_names(members: Iterable[str], wnid: str) -> list[str]:
    """Give the names of the kept members of a tar in the store, in their order; no two are alike.

    >>> stored_names(["train_0.jpg", "train/0.jpg", "train/1.jpg"], "n1")
    ['n1_train_0.jpg', 'n1_train_0~2.jpg', 'n1_train_1.jpg']
    """
    names: dict[str, None] = {}
    for member in members:
        names[_free_name(stored_name(member, wnid), names)] = None
    return list(names)


def decode_folder(folder: Path, store: Path, short_side: int) -> list[str]:
    """Decode the loose pictures `<wnid>_<k>.JPEG` of a folder, in the order of their names, into one store.

    Returns the names. Files of other names are left aside.

    Raises ValueError when there is no such file, or when one of them cannot be decoded (all of them are named).
    """
    files = sorted(
        path for path in Path(folder).iterdir()
        if path.suffix.lower() in SUFFIXES and "_" in path.stem and not path.name.startswith(".")
    )  # fmt: skip
    if not files:
        raise ValueError(f"{folder} holds no picture named like n01440764_0.JPEG; is it the right folder?")
    broken: list[str] = []

    def pictures() -> Iterator[tuple[str, Image.Image]]:
        for path in tqdm(files, desc=Path(folder).name, unit="image", mininterval=5, delay=5):
            image, reason = _examine(path.read_bytes(), short_side, min_side=1)
            if image is None:
                broken.append(f"{path.name} ({reason})")
            else:
                yield path.name, image

    with replacing(store) as partial:
        _write_store(partial, pictures())
        if broken:
            raise ValueError(f"{folder}: cannot use {', '.join(broken)}; replace or remove these files")
    return [path.name for path in files]


class PixelStore:
    """The pictures of one or more stores, by name; the files are mapped into memory, not read.

    Raises ValueError when a name is in two of the stores or when a file is no pixel store.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        """Map the files at `paths`."""
        self.names: list[str] = []
        self._places: dict[str, tuple[np.ndarray, int, int, int]] = {}
        owner: dict[str, Path] = {}
        for path in map(Path, paths):
            for batch in _read_batches(path):
                names = batch.column("name").to_pylist()
                for name in names:
                    if name in owner:
                        raise ValueError(f"{name} is in both {owner[name]} and {path}; rename one of the two pictures")
                    owner[name] = path
                self.names += names
                self._places.update(zip(names, _places(batch), strict=True))

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a picture of this name."""
        return name in self._places

    def pixels(self, name: str) -> np.ndarray:
        """Give a picture as a read-only view of the file, uint8 (height, width, 3); ValueError for an unknown name."""
        if name not in self._places:
            raise ValueError(f"no picture {name!r} among the {len(self)} of this store; was the split made from it?")
        data, start, height, width = self._places[name]
        return data[start : start + height * width * 3].reshape(height, width, 3)


def _kept_pictures(
    tar: Path, short_side: int, min_side: int, rows: list[tuple[str, str, str]], wanted: Container[str] | None
) -> Iterator[tuple[str, Image.Image]]:
    """Yield name and picture of each usable member; append the line of every member in the audit to `rows`."""
    # The names, the places in the tar, and the digests of bytes and pixels; none is like one of another kind.
    kept: set[str | bytes | tuple[str, ...]] = set()
    for member, data in read_tar(tar):
        name, place = stored_name(member, tar.stem), Path(member).parts
        if wanted is not None and name not in wanted:
            rows.append((member, "dropped", "unlisted"))
            continue
        digest = hashlib.blake2b(data, digest_size=16).digest()
        image, reason = None, "duplicate"
        # A list names one file. Without one, train/0.jpg and train_0.jpg are two.
        if digest not in kept and (name if wanted is not None else place) not in kept:
            image, reason = _examine(data, short_side, min_side)
        if image is not None:
            # The same picture saved again, as another kind of file say, would else train and test.
            pixels = hashlib.blake2b(image.tobytes(), digest_size=16, person=b"pixels").digest()
            image, reason = (None, "duplicate") if pixels in kept else (image, reason)
        rows.append((member, "dropped" if image is None else "kept", reason))
        if image is not None:
            name = _free_name(name, kept)
            kept |= {name, place, digest, pixels}
            yield name, image


def _free_name(name: str, taken: Container[Any]) -> str:
    """Give a name that is not taken yet: itself, or with the first free number from 2 on."""
    path = Path(name)
    further = (path.with_name(f"{path.stem}~{number}{path.suffix}").name for number in count(2))
    return next(free for free in chain([name], further) if free not in taken)


def _examine(data: bytes, short_side: int, min_side: int) -> tuple[Image.Image | None, str]:
    try:
        image = read_picture(data)
    except UnidentifiedImageError:
        return None, "not an image"
    except UnusablePictureError as error:
        return None, f"unreadable: {error}"
    except ValueError:
        return None, "unreadable"
    short, long = sorted(image.size)
    if short < min_side:
        return None, "tiny"
    pixels = int(short_side * short_side * long / short)
    if pixels > MAX_PIXELS:  # a thin strip grows into a bomb
        return None, f"unreadable: {pixels} pixels when its short side is {short_side}, the limit is {MAX_PIXELS}"
    return shrink(image, short_side), ""


def _require_a_picture(table: pd.DataFrame, tar: Path) -> None:
    table = table[table["reason"] != "unlisted"]
    if table.empty or (table["status"] == "kept").any():
        return
    reasons = ", ".join(f"{count} {reason}" for reason, count in table["reason"].value_counts().items())
    first = ", ".join(table["member"].head(3))
    raise ValueError(
        f"no picture of {tar} can be used: {len(table)} files ({reasons}, first {first}); "
        f"expected at least one that can be used. {AGAIN}"
    )


def _write_store(store: Path, pictures: Iterable[tuple[str, Image.Image]]) -> None:
    rows: list[tuple[str, int, int, bytes]] = []
    waiting = 0
    with pa.OSFile(str(store), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        for name, image in pictures:
            rows.append((name, image.height, image.width, image.tobytes()))
            waiting += len(rows[-1][-1])
            if waiting >= BATCH_BYTES:
                writer.write_batch(_batch(rows))
                rows, waiting = [], 0
        if rows:
            writer.write_batch(_batch(rows))


def _batch(rows: list[tuple[str, int, int, bytes]]) -> pa.RecordBatch:
    columns = [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), SCHEMA, strict=True)]
    return pa.record_batch(columns, schema=SCHEMA)


def _read_batches(path: Path) -> Iterator[pa.RecordBatch]:
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path} is no pixel store ({error}); delete it and decode the pictures again") from error
    if not reader.schema.equals(SCHEMA):
        raise ValueError(f"{path} has columns {reader.schema.names}, expected {SCHEMA.names}; decode it again")
    return (reader.get_batch(number) for number in range(reader.num_record_batches))


def _places(batch: pa.RecordBatch) -> list[tuple[np.ndarray, int, int, int]]:
    _, offsets, data = batch.column("pixels").buffers()
    pixels = np.frombuffer(data, np.uint8)
    starts = np.frombuffer(offsets, np.int32)[: batch.num_rows].tolist()
    heights, widths = batch.column("height").to_pylist(), batch.column("width").to_pylist()
    return [(pixels, *place) for place in zip(starts, heights, widths, strict=True)]
