"""Decode one picture into RGB pixels, as a viewer shows it."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# Pillow would hand other formats (EPS) to programs outside of it.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000")
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*")


def read_picture(data: bytes) -> Image.Image:
    """Decode a picture fully and give it as RGB the way a viewer shows it: upright, on a white ground.

    Raises PIL.UnidentifiedImageError for what is no picture, ValueError for a picture that cannot be decoded.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # broken EXIF, odd palettes: the pixels are sound
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            image.load()
        except MemoryError:
            raise
        except Exception as error:  # on damaged bytes Pillow's decoders raise nearly anything
            if isinstance(error, UnidentifiedImageError) and data and not data.startswith(SIGNATURES):
                raise
            raise ValueError(f"the picture cannot be decoded: {error}") from error
        return _as_rgb(_upright(image))


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
