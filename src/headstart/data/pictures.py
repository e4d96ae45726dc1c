"""Decode one picture into RGB pixels, as a viewer shows it."""

from __future__ import annotations

import functools
import importlib
import io
import re
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, features

# Pillow would hand other formats (EPS) to programs outside of it.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000")
# Formats that Pillow or a package beside it may be able to read: Pillow's name of each, the package and its module.
FURTHER = {
    "AVIF": ("Pillow 11.3 or later", "pillow_avif"),
    "HEIF": ("pillow-heif", "pillow_heif"),
    "JXL": ("pillow-jxl-plugin", "pillow_jxl"),
}
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*")
# Pictures that are known by their first bytes: what they are called, and which further format reads them.
KNOWN = {
    b"\xff\x0a": ("JPEG XL", "JXL"),
    b"\0\0\0\x0cJXL \r\n\x87\n": ("JPEG XL", "JXL"),
    b"8BPS": ("Photoshop", ""),
    b"%PDF": ("PDF", ""),
    b"<svg": ("SVG", ""),
    b"FUJIFILMCCD-RAW": ("camera raw (RAF)", ""),
    b"IIU\0": ("camera raw (RW2)", ""),
    b"IIRO": ("camera raw (ORF)", ""),
}
# The same of pictures in a container as videos have it, by the brands it names.
BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), ("AVIF", "AVIF")),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"), ("HEIC", "HEIF")),
    b"crx ": ("camera raw (CR3)", ""),
    **dict.fromkeys((b"mif1", b"msf1"), ("HEIF", "HEIF")),
}


class UnusablePictureError(ValueError):
    """A picture that is sound, but of a kind or a size that is not read; says which and what to do."""


def read_picture(data: bytes) -> Image.Image:
    """Decode a picture fully and give it as RGB the way a viewer shows it: upright, on a white ground.

    Raises PIL.UnidentifiedImageError for what is no picture, ValueError for a picture that cannot be decoded, and
    UnusablePictureError, which is one, for a picture that is too large or of a format that nothing here reads.
    """
    called, further = _kind_of(data)
    formats = FORMATS if not further else (further,)
    if called and not (further and can_read(further)):
        raise UnusablePictureError(f"{called}; {_cure(further)}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # broken EXIF, odd palettes, many pixels: they are sound up to Pillow's limit
        try:
            image = Image.open(io.BytesIO(data), formats=formats)
            image.load()
        except MemoryError:
            raise
        except Image.DecompressionBombError as error:
            pixels, limit = re.findall(r"\d+", str(error))[:2]
            raise UnusablePictureError(f"{pixels} pixels, the limit is {limit}; make the picture smaller") from error
        except Exception as error:  # on damaged bytes Pillow's decoders raise nearly anything
            unknown = isinstance(error, UnidentifiedImageError) and not further
            if unknown and data and not data.startswith(SIGNATURES):
                raise
            raise ValueError(f"the picture cannot be decoded: {error}") from error
        return _as_rgb(_upright(image))


def _kind_of(data: bytes) -> tuple[str, str]:
    """Tell what a picture of no usual format is called, and the further format that reads it; "" for each otherwise."""
    if data[4:8] == b"ftyp":
        named = data[8 : min(int.from_bytes(data[:4]), 256)]
        brands = {named[start : start + 4] for start in range(0, len(named), 4)}
        return next((kind for brand, kind in BRANDS.items() if brand in brands), ("", ""))
    return next((kind for start, kind in KNOWN.items() if data.startswith(start)), ("", ""))


@functools.cache
def can_read(further: str) -> bool:
    """Tell whether a further format can be read, after asking its package in where there is one."""
    Image.init()
    if further not in Image.OPEN or (further == "AVIF" and not features.check("avif")):
        try:
            package = importlib.import_module(FURTHER[further][1])
        except ImportError:
            return False
        getattr(package, "register_heif_opener", lambda: None)()
    return further in Image.OPEN


def _cure(further: str) -> str:
    return (f"install {FURTHER[further][0]}, or " if further else "") + "save it as JPEG or PNG"


def shrink(image: Image.Image, short_side: int) -> Image.Image:
    """Resize so that the short side is `short_side` pixels, as torchvision's `Resize` does: same pixels.

    >>> shrink(Image.new("RGB", (500, 333)), 256).size
    (384, 256)
    """
    width, height = image.size
    short, long = sorted(image.size)
    long = int(short_side * long / short)
    size = (short_side, long) if width <= height else (long, short_side)
    return image if size == image.size else image.resize(size, Image.Resampling.BILINEAR)


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # broken EXIF, in any of many ways: the picture is shown as it is stored
        return image


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # Pillow cuts 16-bit brightness off at 255 where viewers scale it; 65535 / 255 = 257.
        wide = np.asarray(image).astype(np.int64).clip(0, 65535)
        return Image.fromarray(((wide + 128) // 257).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ValueError("floating-point pixels have no agreed brightness")
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image.convert("RGBA"))
        return ground.convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
