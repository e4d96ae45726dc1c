"""How likely each source class is where an image shows a target class, p(source | target), as a network sees it.

Both estimators are those of Co-Tuning (You et al., 2020). Row by row they are soft forms of what the measure
`inference` counts: which source outputs the images of a target class light up.

Letters in shapes: S source classes, T target classes, N images.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from headstart.measures.regression import softmax_regression

Array = NDArray[Any]
FOLDS = 3
# Weak to strong; where no image can be held out, the middle one.
PENALTIES = (0.001, 0.01, 0.1, 1.0, 10.0)
# Powers of e between which the logits' scale is sought.
SCALES = (-5.0, 5.0)


def direct(probabilities: Array, labels: Array, targets: int) -> Array:
    """Average what the source network says of the images of each target class, (T, S).

    Args:
        probabilities: of the source classes, (N, S).
        labels: target class of each image, (N,); every class has one at least.
        targets: T.

    >>> direct(np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]), np.array([0, 0, 1]), 2)
    array([[0.75, 0.25],
           [0.  , 1.  ]])
    """
    sums = np.zeros((targets, probabilities.shape[1]))
    np.add.at(sums, labels, probabilities)
    return sums / np.bincount(labels, minlength=targets)[:, None]


def reverse(probabilities: Array, labels: Array, targets: int) -> Array:
    """Learn p(target | source) by softmax regression and turn it round by Bayes' rule, (T, S).

    The row of source class s in p(target | source) is what the regression says of an image of which the network is
    sure that it shows s. Arguments as those of `direct`.
    """
    penalty, scale = calibrated(probabilities, labels, targets)
    weight = softmax_regression(probabilities, labels, np.zeros((targets, probabilities.shape[1])), penalty)
    return turned_round(softmax(scale * weight, axis=0), probabilities.mean(axis=0))


def turned_round(target_given_source: Array, sources: Array) -> Array:
    """Return p(source | target), (T, S), by Bayes' rule.

    Args:
        target_given_source: p(target | source), (T, S); each column adds up to 1.
        sources: p(source), (S,).

    >>> turned_round(np.array([[1.0, 0.5], [0.0, 0.5]]), np.array([0.5, 0.5])).round(3)
    array([[0.667, 0.333],
           [0.   , 1.   ]])
    """
    joint = target_given_source * sources
    return joint / joint.sum(axis=1, keepdims=True)


def calibrated(probabilities: Array, labels: Array, targets: int) -> tuple[float, float]:
    """Return the penalty and the scale of the logits under which images held out are likeliest.

    Folds are dealt within each class; where a class has one image alone, nothing can be held out.
    """
    folds = min(FOLDS, int(np.bincount(labels, minlength=targets).min()))
    if folds < 2:
        return PENALTIES[len(PENALTIES) // 2], 1.0
    fold = pd.Series(labels).groupby(labels).cumcount().to_numpy() % folds
    found = [(*best_scale(held_out(probabilities, labels, targets, fold, one), labels), one) for one in PENALTIES]
    _, scale, penalty = min(found)
    return penalty, scale


def held_out(probabilities: Array, labels: Array, targets: int, fold: Array, penalty: float) -> Array:
    """Return the logits of each image, (N, T), by regression on the images of the other folds."""
    logits, nothing = np.empty((len(labels), targets)), np.zeros((targets, probabilities.shape[1]))
    for out in range(fold.max() + 1):
        rest = fold != out
        weight = softmax_regression(probabilities[rest], labels[rest], nothing, penalty)
        logits[~rest] = probabilities[~rest] @ weight.T
    return logits


def best_scale(logits: Array, labels: Array) -> tuple[float, float]:
    """Return the smallest cross-entropy that scaled logits (N, T) reach, and their scale."""
    right = np.arange(len(labels)), labels

    def cost(power: float) -> float:
        return -float(log_softmax(np.exp(power) * logits, axis=1)[right].mean())

    found = minimize_scalar(cost, bounds=SCALES, method="bounded")
    return float(found.fun), float(np.exp(found.x))


ESTIMATORS = {"direct": direct, "reverse": reverse}
