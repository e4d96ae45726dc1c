"""Count what a classifier gets right, and turn the counts into F-scores.

Letters in shapes: N images, T target classes, P predicted classes, S source classes.
"""

from __future__ import annotations

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


def _ratio(above: NDArray[np.int64], below: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(above, below, out=np.zeros(below.shape), where=below > 0)
