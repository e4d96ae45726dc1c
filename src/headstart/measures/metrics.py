"""Count what a classifier gets right, and turn the counts into F-scores.

Letters in shapes: N images, T target classes, P predicted classes, S source classes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def confusion(labels: ArrayLike, predictions: ArrayLike, classes: int, outputs: int | None = None) -> NDArray[np.int64]:
    """Count the images of each class that were given each prediction, (T, P).

    Args:
        labels: class of each image, (N,), in 0..T-1.
        predictions: output with the largest logit, (N,), in 0..P-1.
        classes: T.
        outputs: P; T where nothing is said.

    Raises:
        ValueError: the two lengths differ, or an index is out of range.

    >>> confusion([0, 0, 1], [0, 1, 1], classes=2)
    array([[1, 1],
           [0, 1]])
    """
    outputs = classes if outputs is None else outputs
    labels = _indices(labels, classes, "labels")
    predictions = _indices(predictions, outputs, "predictions")
    if labels.size != predictions.size:
        raise ValueError(
            f"expected one prediction per label, got {predictions.size} predictions for {labels.size} labels; "
            "were both taken from the same images?"
        )
    counts = np.bincount(labels * outputs + predictions, minlength=classes * outputs)
    return counts.reshape(classes, outputs)


def f_scores(counts: ArrayLike) -> NDArray[np.float64]:
    """Return the F-score of each class, 2 TP / (n + A), (T,); NaN for a class without images.

    Args:
        counts: confusion counts, (T, T); n is a row's sum, A (images predicted as the class) a column's.

    Raises:
        ValueError: the counts are not square.

    >>> f_scores([[1, 1], [0, 1]])
    array([0.66666667, 0.66666667])
    """
    counts = np.asarray(counts)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(
            f"expected square confusion counts (T, T), got shape {counts.shape}; "
            "use couple_f_scores where predictions are other classes than labels"
        )
    images = counts.sum(axis=1)
    scores = _ratio(2 * np.diagonal(counts), images + counts.sum(axis=0))
    return np.where(images > 0, scores, np.nan)


def macro_f1(scores: ArrayLike) -> float:
    """Return the mean of the classes' F-scores, leaving out classes without images (NaN).

    Raises:
        ValueError: no class has images.

    >>> macro_f1([1.0, 0.5, float("nan")])
    0.75
    """
    scores = np.asarray(scores, dtype=np.float64)
    present = scores[~np.isnan(scores)]
    if not present.size:
        raise ValueError(f"expected at least one class with images, got {scores.size} without; check the split")
    return float(present.mean())


def couple_f_scores(labels: ArrayLike, predictions: ArrayLike, targets: int, sources: int) -> NDArray[np.float64]:
    """Return the F-score of every source output as a detector of every target class, (T, S).

    With n_i images of target i, A_j images whose largest source logit is j and TP_ij those of class i among them,
    it is 2 TP_ij / (n_i + A_j); 0 where nothing was counted. One confusion count gives the whole matrix, with the
    bits of sklearn's `f1_score` for each couple. (2PR / (P + R) differs in the last bit, which can flip ties.)

    Args:
        labels: target class of each image, (N,).
        predictions: source class with the largest logit, (N,).
        targets: T.
        sources: S.

    Raises:
        ValueError: the two lengths differ, or an index is out of range.

    >>> couple_f_scores([0, 0, 1], [2, 2, 0], targets=2, sources=3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    counts = confusion(labels, predictions, targets, sources)
    return _ratio(2 * counts, counts.sum(axis=1, keepdims=True) + counts.sum(axis=0, keepdims=True))


def soft_f_scores(labels: ArrayLike, probabilities: ArrayLike, targets: int) -> NDArray[np.float64]:
    """Return what `couple_f_scores` does where an image counts for every source, by its probability, (T, S).

    2 TP_ij / (n_i + A_j), with TP_ij the sum of p_j over the images of class i and A_j its sum over all images.

    Args:
        labels: target class of each image, (N,).
        probabilities: of the source classes, (N, S), from `softmax`.
        targets: T.

    Raises:
        ValueError: the two lengths differ, or an index is out of range.

    >>> soft_f_scores([0, 1], [[0.5, 0.5], [0.0, 1.0]], targets=2).round(3)
    array([[0.667, 0.4  ],
           [0.   , 0.8  ]])
    """
    labels, probabilities = _scored(labels, probabilities, targets)
    members = np.equal.outer(np.arange(targets), labels)
    found = members.astype(np.float64) @ probabilities
    return _ratio(2 * found, members.sum(axis=1, keepdims=True) + probabilities.sum(axis=0))


def threshold_f_scores(labels: ArrayLike, probabilities: ArrayLike, targets: int) -> NDArray[np.float64]:
    """Return the F-score of every source output, at its best threshold, as a detector of every target class, (T, S).

    The largest F over all t of "p_j >= t": max over k of 2 TP_i(k) / (n_i + k), where k images have p_j >= t and
    TP_i(k) of them are of class i. Equal p_j are never parted. F only rises where an image of the class joins, so
    each image is looked at once for its own class: N values per source instead of N T, one source at a time.

    Args:
        labels: target class of each image, (N,).
        probabilities: of the source classes, (N, S), from `softmax`; only the order within a column counts.
        targets: T.

    Raises:
        ValueError: the two lengths differ, or an index is out of range.

    >>> threshold_f_scores([0, 0, 1], [[0.9], [0.2], [0.5]], targets=2)
    array([[0.8       ],
           [0.66666667]])
    """
    labels, probabilities = _scored(labels, probabilities, targets)
    images = np.bincount(labels, minlength=targets)
    present, starts = images > 0, np.cumsum(images) - images
    by_class = np.argsort(labels, kind="stable")
    labels, probabilities = labels[by_class], probabilities[by_class]
    # The r-th best image of a class brings TP to r. Of those with equal p_j only the last has the true TP; the others
    # have the same k and less TP, so they never are the largest.
    twice_found = 2 * (np.arange(len(labels)) - starts[labels] + 1)
    scores = np.zeros((targets, probabilities.shape[1]))
    for source, column in enumerate(probabilities.T):
        taken = len(column) - np.searchsorted(np.sort(column), column, side="left")
        taken = taken[np.lexsort((taken, labels))]
        scores[present, source] = np.maximum.reduceat(twice_found / (images[labels] + taken), starts[present])
    return scores


def softmax(logits: ArrayLike) -> NDArray[np.float64]:
    """Turn each image's logits (N, S) into probabilities, in double precision.

    Raises:
        ValueError: the logits are not (N, S), or not finite.

    >>> softmax([[1000.0, 1000.0], [0.0, -1000.0]])
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    values = np.asarray(logits, dtype=np.float64)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise ValueError(f"expected finite logits (N, S), got shape {values.shape} with NaN or infinity in it")
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _scored(labels: ArrayLike, probabilities: ArrayLike, targets: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    indices, scores = _indices(labels, targets, "labels"), np.asarray(probabilities, dtype=np.float64)
    if scores.ndim != 2 or len(scores) != indices.size:
        raise ValueError(
            f"expected one row of probabilities per label (N, S), got shape {scores.shape} for {indices.size} labels; "
            "were both taken from the same images?"
        )
    return indices, scores


def _indices(values: ArrayLike, limit: int, what: str) -> NDArray[np.int64]:
    indices = np.asarray(values)
    if indices.size and (not np.issubdtype(indices.dtype, np.integer) or indices.min() < 0 or indices.max() >= limit):
        raise ValueError(
            f"expected {what} to be whole numbers in 0..{limit - 1}, got {indices.dtype} values from "
            f"{indices.min()} to {indices.max()}; were they made for the same class list?"
        )
    if indices.ndim != 1:
        raise ValueError(f"expected {what} as one row of indices (N,), got shape {indices.shape}")
    return indices.astype(np.int64)


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> NDArray[np.float64]:
    return np.divide(above, below, out=np.zeros(below.shape), where=below > 0)


def _largest_logit(labels: ArrayLike, logits: NDArray[Any], targets: int) -> NDArray[np.float64]:
    return couple_f_scores(labels, logits.argmax(axis=1), targets, logits.shape[1])


# PAPER: "the F-score for o_j discriminating c_i" does not say when an image counts for o_j. The first is the default:
# where its logit is the largest; or by its probability; or where its probability reaches the couple's best threshold.
READINGS: dict[str, Callable[[ArrayLike, NDArray[Any], int], NDArray[np.float64]]] = {
    "argmax": _largest_logit,
    "soft": lambda labels, logits, targets: soft_f_scores(labels, softmax(logits), targets),
    "threshold": lambda labels, logits, targets: threshold_f_scores(labels, softmax(logits), targets),
}
