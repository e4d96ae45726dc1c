"""Softmax regression of classes on what is known of each image.

Letters in shapes: T target classes, D features, N images.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

Array = NDArray[Any]


def softmax_regression(images: Array, labels: Array, targets: int, penalty: float) -> Array:
    """Minimise the cross-entropy of logits x.w plus (penalty / 2) |W|^2, (T, D), without offsets.

    Only what the images span counts, so that is all that is searched: W = A Q, with Q (R, D) an orthonormal basis.

    Args:
        images: (N, D); their classes are `labels`, (N,).
        targets: T.
        penalty: above 0; large for small rows.
    """
    basis = np.linalg.svd(images, full_matrices=False)[2]
    seen, truth = images @ basis.T, np.eye(targets)[labels]

    def cost(flat: Array) -> tuple[float, Array]:
        weight = flat.reshape(targets, -1)
        logs = log_softmax(seen @ weight.T, axis=1)
        value = -(logs * truth).sum() + penalty / 2 * (weight**2).sum()
        return value, ((np.exp(logs) - truth).T @ seen + penalty * weight).ravel()

    options = {"maxiter": 10000, "maxfun": 20000, "ftol": 0.0, "gtol": 1e-9, "maxcor": 20}
    found = minimize(cost, np.zeros(targets * len(basis)), jac=True, method="L-BFGS-B", options=options).x
    return found.reshape(targets, -1) @ basis
