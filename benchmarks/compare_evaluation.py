"""Scoring on the test pictures: the whole network each time against layer4 and the head on the frozen blocks' output.

`python benchmarks/compare_evaluation.py`, less than a minute. ResNet-50 and ResNet-101, 224 pixels, random weights with
BatchNorm statistics of the pictures. From a float32 cache the logits have equal bits; compare_rounding.py tells what a
float16 cache does. The floor is the work of layer4 and head at the speed of the fastest products.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from comparison import Row, alternate, report
from headstart.data.images import PixelStore, decode_tar
from headstart.data.views import View
from headstart.finetuning.costs import measure_costs
from headstart.finetuning.replicas import Replica, score
from headstart.heads.starts import random_head
from headstart.machine.machines import Machine, pick_machine
from headstart.networks.backbones import Network, cut, load_classifier
from headstart.networks.embedding import cache_trunk
from peak import peak
from pictures import some_pictures, write_tar
from plain_parts import Array, Pictures, calibrated, predict, with_head
from plain_parts import score as plain_score

CPU = torch.device("cpu")
CLASSES, BATCH = 90, 32
ASKED = {"resnet50": 4, "resnet101": 8}
TIMED, SHORT_SIDE, CROP = 32, 256, 224  # pictures, pixels


def store_of(pictures: Pictures, folder: Path) -> PixelStore:
    """Decode pictures into a pixel store."""
    tar = folder / "n00000001.tar"
    write_tar(tar, dict(pictures.data))
    decode_tar(tar, tar.with_suffix(".arrow"), tar.with_suffix(".csv"), pictures.short_side, 16)
    return PixelStore([tar.with_suffix(".arrow")])


def cached(network: Network, pictures: Pictures, store: PixelStore, folder: Path, dtype: str = "float32") -> Array:
    """Keep the frozen blocks' output for all pictures, and map it."""
    path, view = folder / f"{dtype}.npy", View(pictures.side, pictures.mean, pictures.std)
    cache_trunk(network.trunk, store, list(pictures.data), view, Machine(CPU), path, BATCH, dtype)
    return np.load(path, mmap_mode="r")


def logits_of(replica: Replica, outputs: Array) -> Array:
    """Pass the frozen blocks' output through the trained part."""
    replica.eval()
    with torch.inference_mode():
        parts = torch.from_numpy(np.array(outputs, np.float32)).split(BATCH)
        return torch.cat([replica(part.contiguous(memory_format=torch.channels_last))[1] for part in parts]).numpy()


def compare(name: str, folder: Path) -> Row:
    """Compare both forms with one network."""
    data = {f"n00000001_{number}.JPEG": content for number, content in enumerate(some_pictures(TIMED).values())}
    pictures, names, labels = Pictures(data, SHORT_SIDE, CROP), list(data), np.arange(TIMED) % CLASSES
    model = calibrated(load_classifier("torchvision", name, 1000), pictures.central(names[:BATCH]))
    network = cut(model, "layer4")
    head = random_head(CLASSES, network.head.in_features, seed=0)
    whole = with_head(model, head.weight, head.bias)
    outputs = cached(network, pictures, store_of(pictures, folder), folder)
    replica = Replica(network.tail, head.weight, head.bias).to(memory_format=torch.channels_last)
    plain, expected, fast, found = alternate(
        lambda: plain_score(whole, pictures, names, labels, CLASSES),
        lambda: score({name: replica}, outputs, labels, BATCH, Machine(CPU))[name],
        2,
    )
    assert np.array_equal(expected[: len(set(labels))], found[: len(set(labels))]), f"{name}: F-scores differ"
    logits, ours = predict(whole, pictures, names), logits_of(replica, outputs)
    assert np.array_equal(logits, ours), f"{name}: {(logits != ours).any(1).sum()} of {TIMED} rows of logits differ"
    print(f"{name}: {logits.size} logits equal in all bits")
    costs = measure_costs(network, CLASSES, pictures.side)
    floor = TIMED * (costs.tail + costs.head) / peak(CPU)
    return Row(f"{name}, {TIMED} test pictures, scored once", plain, fast, ASKED.get(name, 0), floor)


def main() -> bool:
    """Compare, print the table, and say whether the fast form is as fast as asked."""
    pick_machine()
    with TemporaryDirectory() as folder:
        rows = [compare(name, Path(folder)) for name in ASKED]
    return report(rows)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
