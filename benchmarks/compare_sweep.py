"""Figure 3, every K of three measures: the network per K, and one head at a time, against running sums of logits.

`python benchmarks/compare_sweep.py`, about a minute and a half. Features of 9000 images, a source head of 1000 classes
and three similarities of 90 targets are drawn; one head at a time gives the same F-score of every class for every K. A
ResNet-50 passes a few pictures with two heads of each measure; its time is multiplied up to 9000 images and all K. The
fast form then pays for the one pass that gives the features.
"""

import sys

import numpy as np
import torch

from comparison import Row, alternate, measure, report
from headstart.heads.sweeps import Images, SourceHead, sweep_together
from headstart.machine.machines import pick_machine
from headstart.measures.material import source_logits
from headstart.networks.backbones import cut, load_classifier
from headstart.networks.embedding import frozen_pass
from pictures import some_pictures
from plain_parts import Array, Pictures, calibrated, sweep_features, sweep_network

TARGETS, SOURCES, FEATURES, IMAGES = 90, 1000, 2048, 9000
NUMBERS = list(range(1, 51))
SHOWN, SHOWN_NUMBERS = 16, [1, 50]  # pictures and K that the network is asked about
ASKED_OF_NETWORK, ASKED_OF_FEATURES = 100, 5


def draw_similarities(rng: np.random.Generator) -> dict[str, Array]:
    """Return three matrices (T, S): mostly zero, a few tied values, and all different, some below zero."""
    sparse = np.where(rng.random((TARGETS, SOURCES)) < 0.05, rng.random((TARGETS, SOURCES)), 0.0)
    sparse[:, 0] += 0.01
    return {
        "inference": sparse,
        "wordnet": rng.integers(1, 30, (TARGETS, SOURCES)) / 30,
        "word2vec": rng.uniform(-0.3, 1, (TARGETS, SOURCES)),
    }


def draw_features(rng: np.random.Generator, labels: Array) -> Array:
    """Return features (N, D), not negative as after a ReLU, and alike within a class."""
    centres = rng.normal(size=(TARGETS, FEATURES))
    noise = rng.normal(size=(len(labels), FEATURES))
    return np.maximum(centres[labels] + noise, 0).astype(np.float32)


def on_features(head: SourceHead, similarities: dict[str, Array]) -> Row:
    """Compare one head at a time with the library's sweep; every F-score of every K is the same."""
    rng = np.random.default_rng(1)
    labels = np.arange(IMAGES) % TARGETS
    images = Images(draw_features(rng, labels), labels)
    plain, expected, fast, found = alternate(
        lambda: [
            sweep_features(head.weight, head.bias, similarity, images.features, labels, NUMBERS)
            for similarity in similarities.values()
        ],
        lambda: [*sweep_together(similarities, head, images, NUMBERS).values()],
        1,
    )
    differ = (np.array(found) != np.array(expected)).sum()
    assert not differ, f"{differ} of {np.array(found).size} F-scores differ from those of one head at a time"
    print(f"{np.array(found).size} F-scores equal to those of one head at a time")
    floor, _ = measure(lambda: source_logits(images.features, head.weight, head.bias), 3)
    return Row("3 x 50 K, one head at a time on features", plain, fast, ASKED_OF_FEATURES, floor)


def through_network(similarities: dict[str, Array], fast_sweep: float) -> Row:
    """Compare passes of the network, with a few heads and pictures, with one pass and a sweep."""
    pictures = Pictures(some_pictures(SHOWN))
    names, labels = list(pictures.data), np.arange(SHOWN) % TARGETS
    model = calibrated(load_classifier("torchvision", "resnet50", SOURCES), pictures.central(names))
    network = cut(model)
    weight, bias = (value.detach().numpy() for value in (network.head.weight, network.head.bias))

    def fast() -> list[Array]:
        with torch.inference_mode():
            features = network.tail(frozen_pass(network.trunk, pictures.central(names))).numpy()
        images, head = Images(features, labels), SourceHead(weight, bias)
        return [*sweep_together(similarities, head, images, SHOWN_NUMBERS).values()]

    plain, expected, once, found = alternate(
        lambda: [
            sweep_network(model, (weight, bias), similarity, pictures, names, labels, SHOWN_NUMBERS)
            for similarity in similarities.values()
        ],
        fast,
        1,
    )
    # Classes without a picture have no F here, and 0 from sklearn.
    differ = (np.nan_to_num(found) != np.array(expected)).sum()
    assert not differ, f"{differ} of {np.array(found).size} F-scores differ from the network's"
    print(f"{np.array(found).size} F-scores equal to those of the network")
    scale = IMAGES / SHOWN
    heads = len(similarities) * len(NUMBERS)
    return Row(
        f"3 x 50 K, network per K ({SHOWN} images, {len(SHOWN_NUMBERS)} K, extrapolated)",
        plain * scale * heads / (len(similarities) * len(SHOWN_NUMBERS)),
        once * scale + fast_sweep,
        ASKED_OF_NETWORK,
    )


def main() -> bool:
    """Compare, print the table, and say whether the fast form is as fast as asked."""
    pick_machine()
    rng = np.random.default_rng(0)
    bound = 1 / np.sqrt(FEATURES)
    head = SourceHead(
        rng.uniform(-bound, bound, (SOURCES, FEATURES)).astype(np.float32),
        rng.uniform(-bound, bound, SOURCES).astype(np.float32),
    )
    similarities = draw_similarities(rng)
    features = on_features(head, similarities)
    return report([features, through_network(similarities, features.fast)])


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
