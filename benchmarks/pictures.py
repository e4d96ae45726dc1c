"""Encoded pictures to decode and to pass through networks: photographs if there are some, else made here."""

import io
import os
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

SAMPLES = Path(os.environ.get("HEADSTART_DATA", "../shared/data")) / "ilsvrc_samples"


def some_pictures(count: int) -> dict[str, bytes]:
    """Return so many JPEGs by name: photographs of ILSVRC classes, or `made` ones where there are not so many."""
    files = sorted(SAMPLES.glob("*.JPEG")) if SAMPLES.is_dir() else []
    if len(files) < count:
        print(f"{count} pictures are made, for want of photographs in {SAMPLES}")
        return made(count)
    return {path.name: path.read_bytes() for path in files[:: len(files) // count][:count]}


def made(count: int) -> dict[str, bytes]:
    """Make JPEGs of the size of photographs: coloured shapes, edges and grain, as photographs have them."""
    pictures = {}
    for number in range(count):
        rng = np.random.default_rng(number)
        coarse = rng.integers(0, 256, (*rng.integers(2, 12, 2), 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize(
            (500, 375), rng.choice([Image.Resampling.NEAREST, Image.Resampling.BICUBIC])
        )
        grain = rng.normal(0, 12, (375, 500, 1))
        pixels = (np.asarray(image) + grain).clip(0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
        pictures[f"made_{number}.JPEG"] = buffer.getvalue()
    return pictures


def write_tar(path: Path, pictures: dict[str, bytes]) -> None:
    """Write pictures as the tar of a class."""
    with tarfile.open(path, "w") as tar:
        for name, content in pictures.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
