"""Stand in for the servers of the paper's experiment, on this machine alone, while a command runs (`make rehearsal`).

    python tests/rehearsal.py small snakemake --cores 2 --configfile config/rehearsal.yaml
    python tests/rehearsal.py full snakemake --cores 16 --configfile config/rehearsal_full.yaml

Everything has the layout of the real thing and none of its content: pictures of noise, random weights, random word
vectors. Like the real release it lacks two synsets and some pictures, and like a real line it breaks.
"""

import argparse
import functools
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from PIL import Image

PROJECT = Path(__file__).parent.parent
sys.path.insert(0, str(PROJECT / "src"))

from file_server import FileServer, Manner  # noqa: E402

PORT = 8790  # as config/rehearsal.yaml, config/rehearsal_full.yaml and their manifest have it
NOT_OFFERED = ("n10317007", "n10435988")
LACKING = "n04459362"  # of this class one listed picture is not in the tar
DIMENSIONS = 8
# Pictures of noise do not compress, so that few are kept; one that is asked for again is drawn again, the same.
KEPT = 16


class Size(NamedTuple):
    """The pictures of each class, and how large one is; more than needed train, since a class lacks one."""

    train: int
    test: int
    unlisted: int
    height: int
    width: int


SIZES = {"small": Size(103, 4, 2, 36, 40), "full": Size(112, 100, 8, 300, 400)}
FOR_GPU = ("full",)


def targets() -> list[str]:
    """Return the 90 classes of the paper."""
    return list(pd.read_csv(PROJECT / "config/targets/paper90.tsv", sep="\t")["wnid"])


def names(wnid: str, first: int, count: int) -> list[str]:
    """Return names as ImageNet has them."""
    return [f"{wnid}_{number}.JPEG" for number in range(first, first + count)]


def picture(name: str, size: Size) -> bytes:
    """Draw a picture: the class decides the colour, the name the noise."""
    colour, noise = (np.random.default_rng(list(hashlib.sha256(key.encode()).digest())) for key in (name[:9], name))
    pixels = colour.integers(40, 216, 3) + noise.integers(-40, 40, (size.height, size.width, 3))
    handle = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(handle, "JPEG")
    return handle.getvalue()


def synset(wnid: str, size: Size) -> bytes:
    """Pack the pictures of one class."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in names(wnid, 1 if wnid == LACKING else 0, size.train + size.test + size.unlisted):
            content = picture(name, size)
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def weights() -> bytes:
    """Make a ResNet-101 that has learned nothing."""
    import torchvision

    torch.manual_seed(0)
    handle = io.BytesIO()
    # Residual branches that begin at zero keep a hundred random layers from running out of numbers.
    torch.save(torchvision.models.resnet101(weights=None, zero_init_residual=True).state_dict(), handle)
    return handle.getvalue()


def word_vectors() -> bytes:
    """Make up a vector for every word of every class, in the layout of hierse."""
    from headstart.measures.taxonomy import describe, find_wordnet, prepare_wordnet, read_taxonomy
    from headstart.measures.wordvectors import words_of

    with tempfile.TemporaryDirectory() as folder:
        prepare_wordnet(find_wordnet(), Path(folder))
        sources = pd.read_csv(PROJECT / "config/sources/ilsvrc.tsv", sep="\t")["wnid"]
        lemmas = describe(targets(), None, list(sources), read_taxonomy(folder))["lemmas"]
    words = sorted({word for label in lemmas for word in words_of(label)})
    rows = np.random.default_rng(0).uniform(0, 1, (len(words), DIMENSIONS)).astype("<f4")
    files = {"shape.txt": f"{len(words)} {DIMENSIONS}", "id.txt": " ".join(words), "feature.bin": rows.tobytes()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(f"word2vec/flickr4m/tagvec500/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def image_list(first: int, count: int) -> bytes:
    """List the pictures of all classes."""
    return "".join(f"{name}\n" for wnid in targets() for name in names(wnid, first, count)).encode()


@functools.lru_cache(KEPT)
def content(size: Size, path: str) -> bytes | None:
    """Return what lies at a path of the server, None where nothing does."""
    made = {
        "train.txt": functools.partial(image_list, 0, size.train),
        "test.txt": functools.partial(image_list, size.train, size.test),
        "resnet101-63fe2227.pth": weights,
        "flickr4m.word2vec.tar.gz": word_vectors,
    }
    wnid = path.removeprefix("synsets/").removesuffix(".tar")
    if path == f"synsets/{wnid}.tar" and wnid in targets() and wnid not in NOT_OFFERED:
        return synset(wnid, size)
    return made[path]() if path in made else None


def manners() -> dict[str, Manner]:
    """Say what goes wrong: lines that break, a server that is busy."""
    wnids = targets()
    breaking = {f"synsets/{wnid}.tar": Manner(breaks=[10_000]) for wnid in wnids[:6]}
    busy = {f"synsets/{wnid}.tar": Manner(statuses=[(503, {"Retry-After": "1"})]) for wnid in wnids[6:8]}
    return breaking | busy | {"resnet101-63fe2227.pth": Manner(breaks=[100_000_000], ranges=True)}


def server(size: Size = SIZES["small"], port: int = PORT) -> FileServer:
    """Return the stand-in; it serves as long as it is entered."""
    return FileServer(functools.partial(content, size), manners(), port)


def main(arguments: Sequence[str]) -> int:
    """Run a command while the stand-in serves; return its exit code, or 1 where there is no GPU and it needs one."""
    parser = argparse.ArgumentParser(prog="rehearsal.py", description=__doc__.splitlines()[0])
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args(arguments)
    if given.size in FOR_GPU and not torch.cuda.is_available():
        print(
            f"the rehearsal of SIZE={given.size} passes pictures of the real size through ResNet-101 and needs a CUDA "
            "GPU, which PyTorch does not find here; without one it would take most of a day. Nothing was started. "
            "`make rehearsal` runs the same rules in small on a CPU.",
            file=sys.stderr,
        )
        return 1
    with server(SIZES[given.size]):
        return subprocess.run(given.command).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
