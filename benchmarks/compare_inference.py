"""Inference similarity of 90 x 1000 classes: sklearn's F-score couple by couple against one count of all couples.

`python benchmarks/compare_inference.py`, some seconds. Labels and predictions of 9000 and of 81,000 images are drawn;
sklearn is asked for sampled couples, and its time multiplied up to all 90,000. The sampled couples have equal bits.
"""

import sys

import numpy as np

from comparison import Row, alternate, measure, report
from headstart.measures.metrics import couple_f_scores
from plain_parts import Array, couple_f_score

TARGETS, SOURCES = 90, 1000
COUPLES = 200
ASKED = 10_000


def draw(images: int) -> tuple[Array, Array]:
    """Return labels and predictions: mostly one of a class's ten likeliest sources, else any."""
    rng = np.random.default_rng(images)
    labels = np.arange(images) % TARGETS
    likely = rng.integers(0, SOURCES, (TARGETS, 10))[labels, rng.integers(0, 10, images)]
    return labels, np.where(rng.random(images) < 0.7, likely, rng.integers(0, SOURCES, images))


def sample(labels: Array, predictions: Array) -> list[tuple[int, int]]:
    """Return couples to ask about: half of them any, half of them met in some image."""
    rng = np.random.default_rng(0)
    met = rng.choice(len(labels), COUPLES // 2, replace=False)
    strangers = rng.integers(0, (TARGETS, SOURCES), (COUPLES // 2, 2)).tolist()
    return [*zip(labels[met].tolist(), predictions[met].tolist(), strict=True), *map(tuple, strangers)]


def compare(images: int) -> Row:
    """Compare both forms on so many images."""
    labels, predictions = draw(images)
    couples = sample(labels, predictions)
    plain, expected, fast, found = alternate(
        lambda: [couple_f_score(labels, predictions, *couple) for couple in couples],
        lambda: couple_f_scores(labels, predictions, TARGETS, SOURCES),
        3,
    )
    differ = sum(found[couple] != value for couple, value in zip(couples, expected, strict=True))
    assert not differ, f"{differ} of {len(couples)} sampled couples differ from sklearn's"
    assert any(value > 0 for value in expected)
    floor, _ = measure(lambda: np.bincount(labels * SOURCES + predictions, minlength=TARGETS * SOURCES), 20)
    what = f"{images} images, sklearn's {len(couples)} couples x {TARGETS * SOURCES // len(couples)}"
    return Row(what, plain * TARGETS * SOURCES / len(couples), fast, ASKED, floor)


def main() -> bool:
    """Compare, print the table, and say whether the fast form is as fast as asked."""
    rows = [compare(9_000), compare(81_000)]
    print("all bits equal in the sampled couples; plain is extrapolated from them")
    return report(rows)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
