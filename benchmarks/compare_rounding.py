"""First choices from the frozen blocks' output kept in float16 against those from the same output in float32.

`python benchmarks/compare_rounding.py`, half a minute. MobileNetV2 pretrained on ILSVRC scores a photograph of each of
its 1000 classes. Without the data folder ResNet-50 with random weights scores 1000 drawn pictures by a head imprinted
on 200 others, which is a weak test, for it is seldom right.
"""

import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from compare_evaluation import cached, logits_of, store_of
from headstart.finetuning.replicas import Replica
from headstart.heads.starts import imprinted_head
from headstart.machine.machines import pick_machine
from headstart.networks.backbones import Network, cut, load_classifier
from headstart.shapes import SHAPES, draw_image
from pictures import SAMPLES
from plain_parts import Array, Pictures, calibrated

WEIGHTS = SAMPLES.parent / "source" / "mobilenetv2_100_same_imagenet1k.safetensors"
KINDS, DRAWN, SIDE = 20, 60, 96  # classes of drawn pictures, pictures of each, pixels
AGREEING = 0.999


def kept(what: str, replica: Replica, exact: Array, half: Array, labels: Array) -> bool:
    """Say how many first choices stay when the cache is rounded, and whether these are enough."""
    first, other = (logits_of(replica, outputs).argmax(1) for outputs in (exact, half))
    same, right = (first == other).mean(), (first == labels).mean()
    print(f"{what}: first choice of {(first == other).sum()} of {len(first)} pictures unchanged, {same:.2%}")
    print(
        f"  {len(set(first.tolist()))} classes chosen, {right:.0%} of the choices right; asked {AGREEING:.1%}",
        flush=True,
    )
    return bool(same >= AGREEING)


def both(network: Network, pictures: Pictures, folder: Path) -> tuple[Array, Array]:
    """Keep the frozen blocks' output in float32 and in float16."""
    store = store_of(pictures, folder)
    return cached(network, pictures, store, folder), cached(network, pictures, store, folder, "float16")


def photographed(folder: Path) -> bool:
    """Compare on photographs, with a network that knows their classes."""
    files = sorted(SAMPLES.glob("*.JPEG"))
    wnids = [path.name.partition("_")[0] for path in files]
    data = {f"n00000001_{number}.JPEG": path.read_bytes() for number, path in enumerate(files)}
    pictures = Pictures(data, mean=(0.5,) * 3, std=(0.5,) * 3)
    model = load_classifier("timm", "mobilenetv2_100", len(files), WEIGHTS, {"pad_type": "same"})
    network = cut(model.to(memory_format=torch.channels_last), "blocks.6")
    weight, bias = (tensor.detach().numpy() for tensor in (network.head.weight, network.head.bias))
    labels = np.unique(wnids, return_inverse=True)[1]  # a network's outputs are in the order of sorted wnids
    replica = Replica(network.tail, weight, bias)
    return kept("MobileNetV2, photographs", replica, *both(network, pictures, folder), labels)


def drawn(folder: Path) -> bool:
    """Compare on drawn pictures, with random weights and a head imprinted on some of them."""
    kinds, shots, data = sorted(SHAPES)[:KINDS], DRAWN // 6, {}
    for wnid in kinds:
        for number in range(DRAWN):
            draw_image(wnid, number, 0, SIDE).save(buffer := io.BytesIO(), "JPEG", quality=95)
            data[f"n00000001_{wnid}_{number}.JPEG"] = buffer.getvalue()
    labels, trained = np.repeat(np.arange(KINDS), DRAWN), np.tile(np.arange(DRAWN) < shots, KINDS)
    pictures = Pictures(data, short_side=SIDE, side=SIDE)
    model = load_classifier("torchvision", "resnet50", 1000)
    network = cut(calibrated(model, pictures.central(list(data)[:: DRAWN // 3])), "layer4")
    exact, half = both(network, pictures, folder)
    with torch.inference_mode():
        features = network.tail.eval()(torch.from_numpy(exact[trained])).numpy()
    head = imprinted_head(features, labels[trained], kinds, scale=1.0)
    replica = Replica(network.tail, head.weight, head.bias).to(memory_format=torch.channels_last)
    return kept("ResNet-50, drawn pictures", replica, exact[~trained], half[~trained], labels[~trained])


def main() -> bool:
    """Compare on the best pictures at hand, and say whether enough first choices stay."""
    pick_machine()
    with TemporaryDirectory() as folder:
        if WEIGHTS.exists():
            return photographed(Path(folder))
        print(f"no photographs and no network in {SAMPLES.parent} (HEADSTART_DATA): drawn pictures, a weak test")
        return drawn(Path(folder))


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
