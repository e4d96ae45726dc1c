"""Fit heads to the training images' features: a probe, alone or drawn to the rows that the classes' meaning predicts.

Letters in shapes: S source classes, T target classes, D features, N images.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from headstart.heads.blending import mean_length, unit_rows
from headstart.heads.starts import Head, HeadInputs

Array = NDArray[Any]
# Sources that a head names for each row.
NAMED = 6
SCALE = 20.0
PENALTY = 3.0
STRENGTHS = (0.0, 0.1, 0.2, 0.3)


def start_semantic(inputs: HeadInputs) -> Head:
    """Build a head of the rows that kernel regression predicts, as long as source rows are on average."""
    if inputs.semantic is None:
        raise ValueError("a semantic head needs the rows predicted from the classes' meaning, got none")
    found, scale = inputs.semantic, mean_length(inputs.source_weight)
    lengths = np.linalg.norm(found.rows, axis=1)
    bias = scale * np.divide(found.bias, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return named(scale * unit_rows(found.rows), bias, found.coefficients)


def start_probe(inputs: HeadInputs) -> Head:
    """Build a head by softmax regression on the training images."""
    return fitted(inputs, None)


def start_prior(inputs: HeadInputs) -> Head:
    """Build a head by softmax regression on the training images whose rows are drawn to the semantic ones."""
    if inputs.semantic is None:
        raise ValueError("a prior probe needs the rows predicted from the classes' meaning, got none")
    return fitted(inputs, inputs.semantic.rows)


def fitted(inputs: HeadInputs, rows: Array | None) -> Head:
    """Fit a head to the training images."""
    if inputs.features is None or inputs.labels is None:
        raise ValueError("a probe needs the training images' features and labels, got none")
    counts = np.bincount(inputs.labels, minlength=len(inputs.names))
    empty = [name for name, count in zip(inputs.names, counts, strict=True) if not count]
    if empty:
        raise ValueError(f"no training image for {', '.join(empty)}; check the split")
    features = inputs.features.astype(np.float64)
    length, unit = np.linalg.norm(features, axis=1).mean(), unit_rows(features)
    middle = unit.mean(axis=0)
    shape = (len(inputs.names), features.shape[1])
    prior = np.zeros(shape) if rows is None else unit_rows(rows.astype(np.float64))
    images = SCALE * (unit - middle)
    strength = strongest(images, inputs.labels, prior)
    weight = fit(images, inputs.labels, strength * prior, PENALTY)
    none = np.zeros((len(prior), 1)) if inputs.semantic is None or rows is None else inputs.semantic.coefficients
    return named(SCALE / length * weight, -SCALE * weight @ middle, none)


def strongest(images: Array, labels: Array, prior: Array) -> float:
    """Return the strength of the prior under which the training images are likeliest."""
    likely = [log_likelihood(strength * images @ prior.T, labels) for strength in STRENGTHS]
    return STRENGTHS[int(np.argmax(likely))]


def log_likelihood(logits: Array, labels: Array) -> float:
    """Return the log-likelihood of labels (N,) under logits (N, T)."""
    return float(log_softmax(logits, axis=1)[np.arange(len(labels)), labels].sum())


def fit(images: Array, labels: Array, prior: Array, penalty: float) -> Array:
    """Minimise the cross-entropy of logits x.w plus (penalty / 2) |W - prior|^2, (T, D).

    Only what the images span can differ from the prior, so that is all that is searched: W = prior + A Q', with Q
    (D, R) an orthonormal basis of the images.
    """
    basis = np.linalg.svd(images, full_matrices=False)[2]
    seen, known = images @ basis.T, images @ prior.T
    truth = np.zeros(known.shape)
    truth[np.arange(len(labels)), labels] = 1.0

    def cost(flat: Array) -> tuple[float, Array]:
        change = flat.reshape(len(prior), -1)
        logs = log_softmax(known + seen @ change.T, axis=1)
        value = -(logs * truth).sum() + penalty / 2 * (change**2).sum()
        return value, ((np.exp(logs) - truth).T @ seen + penalty * change).ravel()

    start = np.zeros(len(prior) * len(basis))
    options = {"maxiter": 10000, "maxfun": 20000, "ftol": 0.0, "gtol": 1e-9, "maxcor": 20}
    found = minimize(cost, start, jac=True, method="L-BFGS-B", options=options).x
    return prior + found.reshape(len(prior), -1) @ basis


def named(weight: Array, bias: Array, coefficients: Array) -> Head:
    """Return a head with the sources whose coefficients (T, S) are the largest."""
    sources = np.argsort(-np.abs(coefficients), axis=1, kind="stable")[:, :NAMED].astype(np.int64)
    shares = np.take_along_axis(coefficients, sources, axis=1)
    return Head(
        weight.astype(np.float32),
        bias.astype(np.float32),
        np.where(shares != 0, sources, -1),
        shares.astype(np.float32),
    )
