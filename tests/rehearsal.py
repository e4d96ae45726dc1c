"""Stand in for the servers of the paper's experiment, on this machine alone, while a command runs (`make rehearsal`).

    python tests/rehearsal.py snakemake --cores 2 --configfile config/rehearsal.yaml

Everything has the layout of the real thing and none of its content: pictures of a few pixels, random weights, random
word vectors. Like the real release it lacks two synsets and some pictures, and like a real line it breaks.
"""

import functools
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torchvision
from PIL import Image

PROJECT = Path(__file__).parent.parent
sys.path.insert(0, str(PROJECT / "src"))

from file_server import FileServer, Manner  # noqa: E402
from headstart.measures.taxonomy import describe, find_wordnet, prepare_wordnet, read_taxonomy  # noqa: E402
from headstart.measures.wordvectors import words_of  # noqa: E402

PORT = 8790  # as config/rehearsal.yaml and its manifest have it
TRAIN, TEST, UNLISTED = 103, 4, 2  # pictures of each class; one more than needed trains, since a class lacks one
NOT_OFFERED = ("n10317007", "n10435988")
LACKING = "n04459362"  # of this class one listed picture is not in the tar
DIMENSIONS = 8


def targets() -> list[str]:
    """Return the 90 classes of the paper."""
    return list(pd.read_csv(PROJECT / "config/targets/paper90.tsv", sep="\t")["wnid"])


def names(wnid: str, first: int, count: int) -> list[str]:
    """Return names as ImageNet has them."""
    return [f"{wnid}_{number}.JPEG" for number in range(first, first + count)]


def picture(name: str) -> bytes:
    """Draw a tiny picture: the class decides the colour, the name the noise."""
    colour, noise = (np.random.default_rng(list(hashlib.sha256(key.encode()).digest())) for key in (name[:9], name))
    pixels = colour.integers(40, 216, 3) + noise.integers(-40, 40, (36, 40, 3))
    handle = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(handle, "JPEG")
    return handle.getvalue()


def synset(wnid: str) -> bytes:
    """Pack the pictures of one class."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in names(wnid, 1 if wnid == LACKING else 0, TRAIN + TEST + UNLISTED):
            content = picture(name)
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def weights() -> bytes:
    """Make a ResNet-101 that has learned nothing."""
    torch.manual_seed(0)
    handle = io.BytesIO()
    # Residual branches that begin at zero keep a hundred random layers from running out of numbers.
    torch.save(torchvision.models.resnet101(weights=None, zero_init_residual=True).state_dict(), handle)
    return handle.getvalue()


def word_vectors() -> bytes:
    """Make up a vector for every word of every class, in the layout of hierse."""
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


@functools.cache
def content(path: str) -> bytes | None:
    """Return what lies at a path of the server, None where nothing does."""
    made = {
        "train.txt": functools.partial(image_list, 0, TRAIN),
        "test.txt": functools.partial(image_list, TRAIN, TEST),
        "resnet101-63fe2227.pth": weights,
        "flickr4m.word2vec.tar.gz": word_vectors,
    }
    wnid = path.removeprefix("synsets/").removesuffix(".tar")
    if path == f"synsets/{wnid}.tar" and wnid in targets() and wnid not in NOT_OFFERED:
        return synset(wnid)
    return made[path]() if path in made else None


def manners() -> dict[str, Manner]:
    """Say what goes wrong: lines that break, a server that is busy."""
    wnids = targets()
    breaking = {f"synsets/{wnid}.tar": Manner(breaks=[50_000]) for wnid in wnids[:6]}
    busy = {f"synsets/{wnid}.tar": Manner(statuses=[(503, {"Retry-After": "1"})]) for wnid in wnids[6:8]}
    return breaking | busy | {"resnet101-63fe2227.pth": Manner(breaks=[100_000_000], ranges=True)}


def server(port: int = PORT) -> FileServer:
    """Return the stand-in; it serves as long as it is entered."""
    return FileServer(content, manners(), port)


if __name__ == "__main__":
    with server():
        sys.exit(subprocess.run(sys.argv[1:]).returncode)
