"""Turn logits into probabilities that mean what they say, and measure how far they do.

Letters in shapes: N images, T target classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

Array = NDArray[Any]
SMALLEST, LARGEST = 0.05, 20.0
BINS = 15


def probabilities(logits: Array, temperature: float) -> Array:
    """Return the probabilities of the classes, (N, T) float64.

    >>> probabilities(np.array([[0.0, 2.0]]), temperature=1e6).round(3)
    array([[0.5, 0.5]])
    """
    return softmax(logits.astype(np.float64) / temperature, axis=1)


def fit_temperature(logits: Array, labels: Array) -> float:
    """Find the temperature under which the labels are likeliest (Guo et al., 2017, arXiv 1706.04599).

    As if there were one more image, equally likely of every class: a few images that are all right would otherwise ask
    for certainty. 1 where there are no images.

    Args:
        logits: of images that trained nothing, (N, T).
        labels: their classes, (N,).
    """
    count, classes = logits.shape
    if not count:
        return 1.0
    truth = np.full((count, classes), 1 / (count + 1) / classes)
    truth[np.arange(count), labels] += count / (count + 1)

    def loss(log_temperature: float) -> float:
        return float(-(truth * log_softmax(logits.astype(np.float64) / np.exp(log_temperature), axis=1)).sum())

    found = minimize_scalar(loss, bounds=(np.log(SMALLEST), np.log(LARGEST)), method="bounded")
    return float(np.exp(found.x))


def calibrate(held: Array, held_labels: Array, logits: Array, labels: Array) -> dict[str, Any]:
    """Fit the temperature on images that trained nothing, and measure on others what it is worth.

    Args:
        held, held_labels: logits (N, T) and classes (N,) to fit it on.
        logits, labels: those to measure on.

    Returns:
        temperature, images (that it was fitted on), bins, and the calibration error with it and without.
    """
    temperature = fit_temperature(held, held_labels)
    errors = {
        name: round(calibration_error(probabilities(logits, value), labels), 4)
        for name, value in (("error", temperature), ("error_before", 1.0))
    }
    return {"temperature": round(temperature, 6), "images": len(held_labels), "bins": BINS, **errors}


def calibration_error(shares: Array, labels: Array, bins: int = BINS) -> float:
    """Return the expected calibration error: |accuracy - confidence| over bins of confidence of equal width.

    Args:
        shares: probabilities, (N, T).
        labels: (N,).

    >>> round(calibration_error(np.array([[0.8, 0.2], [0.8, 0.2]]), np.array([0, 1])), 3)
    0.3
    """
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == labels
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(places, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))
