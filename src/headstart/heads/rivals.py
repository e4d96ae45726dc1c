"""Heads that others build from the same knowledge: what classes mean, and the training images' features.

They were published for networks that read text, whose text rows do what the semantic rows V do here. What is fitted,
and what x and V are, is told in `headstart.heads.probes`; each docstring says what is read into the publication.

Letters in shapes: S source classes, T target classes, D features, N images.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from headstart.heads.blending import mean_length, unit_rows
from headstart.heads.probes import (
    PENALTY,
    Problem,
    as_long_as_sources,
    fit,
    likeliest,
    named,
    posed,
    worth_of_one_image,
)
from headstart.heads.starts import Head, HeadInputs
from headstart.measures.regression import cross_entropy, lowest
from headstart.measures.semantics import Semantics, agreement

Array = NDArray[Any]
NOISES = (0.01, 0.1, 1.0)
# A temperature of 0 would leave nothing to fit.
LOWEST = 0.1


def start_clap(inputs: HeadInputs) -> Head:
    """Build a head as CLAP does (Silva-Rodriguez, Hajimiri, Ben Ayed, Dolz, 2024; equations 7 and 9).

    Cross-entropy of logits tau x.w plus the sum over classes of lambda_c |w_c - v_c|^2, with lambda_c the mean
    probability of class c, under V alone, over its own training images; nothing else is sought. Our reading: tau, which
    CLIP brings along, is the strength under which V is likeliest, at most that worth one image, and cross-entropy is
    summed over images; both are kind to it (docs/starts.md).
    """
    semantic, problem = needed(inputs), posed(inputs, needed(inputs).rows)
    known, labels = problem.images @ problem.rows.T, problem.labels
    temperature = likeliest(known, labels, (LOWEST, max(LOWEST, worth_of_one_image(problem))))
    likely = softmax(temperature * known, axis=1)
    own = np.array([likely[labels == one, one].mean() for one in range(len(problem.rows))])
    weight = fit(problem, temperature, 2 * own / temperature**2)  # of the rows tau w
    return named(as_long_as_sources(weight, inputs.source_weight), np.zeros(len(weight)), semantic.coefficients)


def start_lpp(inputs: HeadInputs) -> Head:
    """Build a head as LP++ does (Huang, Shakeri, Dolz, Boudiaf, Bahig, Ben Ayed, 2024): rows w_c + alpha_c v_c.

    Both parts are fitted to the training images. Our reading: where the authors stop early, lambda / 2 of the squares
    of w and of alpha is added, with the probe's own lambda.
    """
    semantic, problem = needed(inputs), posed(inputs, needed(inputs).rows)
    weight = fit_blended(problem)
    return named(as_long_as_sources(weight, inputs.source_weight), np.zeros(len(weight)), semantic.coefficients)


def start_sync(inputs: HeadInputs) -> Head:
    """Build a head, without images, as SynC predicts classifiers (Changpinyo, Chao, Gong, Sha, 2016).

    A row is a mean of phantom rows P (S, D), one per source class, weighted by how alike the class is to each,
    w_t = sum of s_tr p_r, with s >= 0 and sum 1; P is what gives the source rows best, |W - s P|^2 + r |P|^2. Our
    reading: alike as the kernels of the semantic rows say, and r is what predicts each source row best from the others.
    """
    semantic = needed(inputs)
    rows = inputs.source_weight.astype(np.float64)
    rows -= rows.mean(axis=0)
    shares = synthesis(shared(semantic.alike), shared(semantic.sources), rows)
    return named(mean_length(inputs.source_weight) * unit_rows(shares @ rows), np.zeros(len(shares)), shares)


def needed(inputs: HeadInputs) -> Semantics:
    """Return what the meaning of the classes says; stop where it is not there."""
    if inputs.semantic is None:
        raise ValueError("this head needs the rows predicted from the classes' meaning, got none")
    return inputs.semantic


def fit_blended(problem: Problem, penalty: float = PENALTY) -> Array:
    """Minimise cross-entropy of rows w_c + alpha_c v_c plus (penalty / 2) (|W|^2 + |alpha|^2), (T, D)."""
    images, rows = problem.images, problem.rows
    basis = np.linalg.qr(images.T)[0].T
    seen, known, classes = images @ basis.T, images @ rows.T, len(rows)

    def cost(flat: Array) -> tuple[float, Array]:
        blend, change = flat[:classes], flat[classes:].reshape(classes, -1)
        value, slope = cross_entropy(blend * known + seen @ change.T, problem.labels)
        slopes = np.concatenate([(slope * known).sum(axis=0), (slope.T @ seen).ravel()])
        return value + penalty / 2 * (flat**2).sum(), slopes + penalty * flat

    found = lowest(cost, classes * (1 + len(basis)))
    return found[:classes, None] * rows + found[classes:].reshape(classes, -1) @ basis


def shared(alike: Array) -> Array:
    """Return how alike classes are as shares, each row's sum 1; nothing where a class is like no other."""
    exact = alike.astype(np.float64)
    sums = exact.sum(axis=1, keepdims=True)
    return np.divide(exact, sums, out=np.zeros_like(exact), where=sums > 0)


def synthesis(targets: Array, shares: Array, rows: Array) -> Array:
    """Return t M, (T, S), with phantom rows P = M rows, of the noise r that predicts each row best from the others.

    Targets' shares are t (T, S), sources' s (S, S), and M = s'(s s' + r I)^-1. With H = s M, leaving a source class out
    errs by [rows - H rows]_i / (1 - H_ii).
    """
    values, left = np.linalg.eigh(shares @ shares.T)
    seen, tried = left.T @ rows, {}
    for noise in NOISES:
        kept = values / (values + noise)
        free = 1 - (left**2 * kept).sum(axis=1, keepdims=True)
        tried[noise] = agreement(rows - (rows - left @ (kept[:, None] * seen)) / free, rows)[0]
    noise = max(tried, key=lambda one: tried[one])
    return np.asarray((targets @ shares.T) @ (left / (values + noise)) @ left.T)
