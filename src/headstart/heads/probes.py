"""Fit heads to the training images' features: a probe, alone or drawn to the rows that the classes' meaning predicts.

What is fitted. An image is called by the largest logit w_t.f, with f the feature that the last layer sees. The length
of f is common to all its logits, so only u = f / |f| counts. Images have much in common, their mean direction m, and a
row has nothing to learn from it. So

    x = s (u - (u.m) m),  with s such that |x|^2 is 1 on average,
    minimise over W (T, D):  - sum of log softmax(W x)_label + (lambda / 2) |W - a V|^2,  lambda = .003.

V are the semantic rows made orthogonal to m, each of length 1. W is then orthogonal to m too, so the logits W f are W x
times |f| / s: without offsets, the rows call images as the probe does, up to rounding. The probe itself has a = 0.

Letters in shapes: S source classes, T target classes, D features, N images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from headstart.heads.blending import mean_length, unit_rows
from headstart.heads.starts import Head, HeadInputs
from headstart.measures.regression import cross_entropy, softmax_regression

Array = NDArray[Any]
# Sources that a head names for each row.
NAMED = 6
# Scores change by less than .002 between a third and ten times this.
PENALTY = 0.003


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


@dataclass(frozen=True)
class Problem:
    """What a head is fitted to: images x (N, D), their labels (N,), and rows V that it is drawn to (T, D)."""

    images: Array
    labels: Array
    rows: Array


def posed(inputs: HeadInputs, rows: Array | None) -> Problem:
    """Pose the problem of the module's first lines; V is zero where no rows are given.

    Raises:
        ValueError: there are no features, or a class is without training images.
    """
    if inputs.features is None or inputs.labels is None:
        raise ValueError("a probe needs the training images' features and labels, got none")
    counts = np.bincount(inputs.labels, minlength=len(inputs.names))
    empty = [name for name, count in zip(inputs.names, counts, strict=True) if not count]
    if empty:
        raise ValueError(f"no training image for {', '.join(empty)}; check the split")
    unit = unit_rows(inputs.features.astype(np.float64))
    mean = unit_rows(unit.mean(axis=0, keepdims=True))
    images = unit - (unit @ mean.T) * mean
    spread = np.sqrt((images**2).sum(axis=1).mean())
    known = np.zeros((len(inputs.names), unit.shape[1])) if rows is None else rows.astype(np.float64)
    # Where all images are equal nothing is left of them, and what is left is rounding.
    scaled = images / spread if spread > 1e-6 else 0 * images
    return Problem(scaled, inputs.labels, unit_rows(known - (known @ mean.T) * mean))


def fitted(inputs: HeadInputs, rows: Array | None) -> Head:
    """Fit a head to the training images; its rows are as long as source rows, on average."""
    problem = posed(inputs, rows)
    weight = fit(problem, strength(problem) if rows is not None else 0.0)
    none = np.zeros((len(weight), 1)) if inputs.semantic is None or rows is None else inputs.semantic.coefficients
    return named(as_long_as_sources(weight, inputs.source_weight), np.zeros(len(weight)), none)


def as_long_as_sources(weight: Array, source_weight: Array) -> Array:
    """Bring the mean length of rows to that of source rows, by one factor, which changes no call."""
    length = mean_length(weight)
    return weight * (mean_length(source_weight) / length) if length > 0 else weight


def strength(problem: Problem) -> float:
    """Return how long the prior's rows should be, from the training images, which the prior has not seen.

    The likelihood L(a) of the labels under the logits a V x tells whether V is true: it has one maximum, at 0 where V
    says nothing of the images. What is gained there, L(a) - L(0), has to pay for having fitted one number to N images,
    (log N) / 2 (Schwarz, 1978), and a is shortened by the part that it has to pay, to 0 where the gain is less.

    A V that is right about every training image would have no likeliest a. To know what a class means is taken to be
    worth one image of it: a is at most the mean length of the rows that a probe finds for one image per class. With n
    images of each class the error of what they say falls as 1 / sqrt(n), and so does the prior's say.
    """
    known, labels = problem.images @ problem.rows.T, problem.labels
    likely = likeliest(known, labels, (0.0, worth_of_one_image(problem)))
    gain = cross_entropy(0 * known, labels)[0] - cross_entropy(likely * known, labels)[0]
    cost = np.log(len(labels)) / 2
    return likely * (1 - cost / gain) / np.sqrt(len(labels) / len(problem.rows)) if gain > cost else 0.0


def worth_of_one_image(problem: Problem) -> float:
    """Return the mean length of the rows that a probe finds for the first image of each class."""
    firsts = np.unique(problem.labels, return_index=True)[1]
    return mean_length(fit(Problem(problem.images[firsts], problem.labels[firsts], problem.rows), 0.0))


def likeliest(known: Array, labels: Array, bounds: tuple[float, float]) -> float:
    """Return the factor of logits (N, T) within bounds under which labels (N,) are likeliest; there is one maximum."""
    return float(minimize_scalar(lambda a: cross_entropy(a * known, labels)[0], bounds=bounds, method="bounded").x)


def fit(problem: Problem, strength: float, penalty: float | Array = PENALTY) -> Array:
    """Minimise the cost of the module's first lines at a = strength, lambda = penalty, one or one per class; (T, D)."""
    return softmax_regression(problem.images, problem.labels, strength * problem.rows, penalty)


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
