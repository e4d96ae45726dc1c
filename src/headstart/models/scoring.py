"""Score a model on test images: F of every class, with the interval that so few images leave open.

Letters in shapes: N images, T target classes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headstart.measures.metrics import confusion, f_scores, macro_f1

Array = NDArray[Any]
DRAWS, LEVEL = 2000, 0.95


class Scores(NamedTuple):
    """What a model gets right; NaN for a class without images."""

    counts: Array  # confusion (T, T): rows are true classes, columns what they are called
    f1: Array  # (T,)
    low: Array  # (T,)
    high: Array  # (T,)
    macro: tuple[float, float, float]  # F, low, high
    accuracy: float


def score_model(labels: Array, predictions: Array, classes: int) -> Scores:
    """Count right and wrong ones, and draw the images of each class again and again (bootstrap) for the intervals.

    Args:
        labels, predictions: class of each test image, (N,).
        classes: T.
    """
    counts = confusion(labels, predictions, classes)
    drawn = _draws(counts)
    f1 = f_scores(counts)
    ends = np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    low, high = np.quantile(drawn, ends, axis=0)
    present = counts.sum(axis=1) > 0
    macro_low, macro_high = np.quantile(drawn[:, present].mean(axis=1), ends).tolist()
    macro = (macro_f1(f1), macro_low, macro_high)
    return Scores(counts, f1, low, high, macro, float(np.diagonal(counts).sum() / counts.sum()))


def say_scores(scores: Scores) -> dict[str, Any]:
    """Return the scores over all classes as a card has them."""
    macro = dict(zip(("f1", "low", "high"), (round(value, 6) for value in scores.macro), strict=True))
    return {"images": int(scores.counts.sum()), **macro, "accuracy": round(scores.accuracy, 6)}


def _draws(counts: Array) -> Array:
    """Return F of each class in every draw, (draws, T); the number of images of a class stays as it is."""
    generator = np.random.default_rng([*b"interval of F"])
    images = counts.sum(axis=1)
    found, called = np.zeros((DRAWS, len(counts))), np.zeros((DRAWS, len(counts)))
    for row, size in enumerate(images.tolist()):
        if size:
            drawn = generator.multinomial(size, counts[row] / size, size=DRAWS)
            found[:, row], called = drawn[:, row], called + drawn
    return np.where(images > 0, 2 * found / np.maximum(images + called, 1), np.nan)
