"""Decoding to a short side of 256: PIL at every use against once, into the pixel store.

`python benchmarks/compare_decode.py`, some seconds. Each picture is used as often as an experiment of a few epochs uses
it; both forms give the same central crops, bit for bit. The store is mapped and read while its pages are in memory.
The decoder is PIL: of the faster ones only libjpeg-turbo's own (simplejpeg) gives PIL's pixels, and behind PIL's
resizing it gained nothing (docs/performance.md), so no package is added for it.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from comparison import Row, alternate, measure, report
from headstart.data.crops import centre_crop
from headstart.data.images import PixelStore, decode_tar
from pictures import some_pictures, write_tar
from plain_parts import Array, Pictures

COUNT = 100
USES = 20
ASKED = 10


def main() -> bool:
    """Compare, print the table, and say whether the fast form is as fast as asked."""
    data = {f"n00000001_{name}": content for name, content in some_pictures(COUNT).items()}
    pictures = Pictures(data)
    with TemporaryDirectory() as folder:
        tar = Path(folder) / "n00000001.tar"
        write_tar(tar, data)
        path = tar.with_suffix(".arrow")
        once, audit = measure(lambda: decode_tar(tar, path, tar.with_suffix(".csv"), pictures.short_side, 16), 3)
        assert (audit["status"] == "kept").all(), audit
        store = PixelStore([path])

        def crops() -> list[Array]:
            return [centre_crop(store.pixels(name), pictures.side).copy() for name in data]

        plain, expected, read, found = alternate(
            lambda: [centre_crop(pictures.decode(name), pictures.side) for name in data], crops, 3
        )
        read, _ = measure(crops, 10)
        differ = sum(not np.array_equal(first, second) for first, second in zip(expected, found, strict=True))
        assert not differ, f"{differ} of {len(found)} pictures differ from PIL's"
        floor, _ = measure(lambda: [crop.copy() for crop in found], 10)
    print(f"{len(found)} pictures equal in all bits")
    return report([
        Row(f"{COUNT} pictures, one use: decoded, read from the store", plain, read, ASKED, floor),
        Row(f"{COUNT} pictures, {USES} uses: decoded each time, once", USES * plain, once + USES * read, 0, once),
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
