"""Softmax regression of classes on what is known of each image, also towards rows that are known beforehand.

Letters in shapes: T target classes, D features, N images.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

Array = NDArray[Any]


def softmax_regression(images: Array, labels: Array, prior: Array, penalty: float | Array) -> Array:
    """Minimise the cross-entropy of logits W x plus (penalty / 2) |W - prior|^2, (T, D), without offsets.

    Only what the images span can differ from the prior, so that is all that is searched: W = prior + A Q, with Q (R, D)
    an orthonormal basis of the images.

    Args:
        images: (N, D); their classes are `labels`, (N,).
        prior: (T, D).
        penalty: above 0, one or one per class, (T,).
    """
    basis = np.linalg.qr(images.T)[0].T
    seen, known = images @ basis.T, images @ prior.T
    penalties = np.broadcast_to(penalty, len(prior))[:, None]

    def cost(flat: Array) -> tuple[float, Array]:
        change = flat.reshape(len(prior), -1)
        value, slope = cross_entropy(known + seen @ change.T, labels)
        return value + (penalties * change**2).sum() / 2, (slope.T @ seen + penalties * change).ravel()

    return prior + lowest(cost, len(prior) * len(basis)).reshape(len(prior), -1) @ basis


def cross_entropy(logits: Array, labels: Array) -> tuple[float, Array]:
    """Return minus the log-likelihood of labels (N,) under logits (N, T), and its slope in the logits, (N, T)."""
    logs, rows = log_softmax(logits, axis=1), np.arange(len(labels))
    slope = np.exp(logs)
    slope[rows, labels] -= 1.0
    return -float(logs[rows, labels].sum()), slope


def lowest(cost: Callable[[Array], tuple[float, Array]], size: int) -> Array:
    """Minimise a convex cost that gives value and slope, from zeros."""
    options = {"maxiter": 10000, "maxfun": 20000, "ftol": 0.0, "gtol": 1e-9, "maxcor": 20}
    return minimize(cost, np.zeros(size), jac=True, method="L-BFGS-B", options=options).x
