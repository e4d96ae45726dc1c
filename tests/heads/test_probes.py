"""Probes are the regressions they claim to be, and heads score as they do."""

from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from headstart.heads.blending import mean_length, unit_rows
from headstart.heads.probes import fit, fitted, start_prior, start_probe, start_semantic, strongest
from headstart.heads.starts import HeadInputs
from headstart.measures.semantics import Semantics

T, D, S = 4, 12, 7


def made(n=3, seed=0, **changes):
    """Features that a ReLU could have given, classes apart, and rows that say something true of them."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(T, D))
    labels = np.repeat(np.arange(T), n)
    features = np.abs(centres[labels] + 0.4 * rng.normal(size=(T * n, D)) + 1.5).astype(np.float32)
    coefficients = rng.normal(size=(T, S))
    semantic = Semantics(
        (centres + 0.3 * rng.normal(size=(T, D))).astype(np.float32),
        rng.normal(size=T).astype(np.float32),
        coefficients.astype(np.float32),
        np.abs(coefficients).astype(np.float32),
        np.eye(S, dtype=np.float32),
    )
    given: dict[str, Any] = {
        "names": [f"class {number}" for number in range(T)],
        "source_weight": rng.normal(size=(S, D)).astype(np.float32),
        "source_bias": rng.normal(size=S).astype(np.float32),
        "features": features,
        "labels": labels,
        "semantic": semantic,
    }
    return HeadInputs(**(given | changes))


def problem(n=3, seed=0):
    inputs = made(n, seed)
    unit = unit_rows(inputs.features.astype(np.float64))
    return 20 * (unit - unit.mean(axis=0)), inputs.labels, unit_rows(inputs.semantic.rows.astype(np.float64))


def cost(weight, images, labels, prior, penalty):
    logs = log_softmax(images @ weight.T, axis=1)
    return -logs[np.arange(len(labels)), labels].sum() + penalty / 2 * ((weight - prior) ** 2).sum()


@pytest.mark.parametrize("penalty", [0.3, 3.0])
def test_without_a_prior_it_is_scikit_learns_logistic_regression(penalty):
    images, labels, prior = problem()
    reference = LogisticRegression(C=1 / penalty, fit_intercept=False, tol=1e-12, max_iter=100_000)
    expected = reference.fit(images, labels).coef_
    np.testing.assert_allclose(fit(images, labels, 0 * prior, penalty), expected, atol=1e-6)


def test_an_endless_penalty_gives_the_priors_rows():
    images, labels, prior = problem()
    np.testing.assert_allclose(fit(images, labels, prior, 1e9), prior, atol=1e-6)


@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_at_the_minimum_every_direction_leads_upwards(strength):
    images, labels, prior = problem()
    found, rng = fit(images, labels, strength * prior, 3.0), np.random.default_rng(1)
    lowest = cost(found, images, labels, strength * prior, 3.0)
    for _ in range(20):
        step = rng.normal(size=found.shape)
        up, down = (cost(found + sign * 1e-4 * step, images, labels, strength * prior, 3.0) for sign in (1, -1))
        assert up >= lowest - 1e-10 and down >= lowest - 1e-10
        assert abs(up - down) / 2e-4 < 1e-4 * np.linalg.norm(step)  # the gradient by finite differences


def test_the_strength_is_high_for_rows_that_are_true_and_none_for_rows_that_lie():
    images, labels, prior = problem(n=2)
    assert strongest(images, labels, prior) == 0.3
    assert strongest(images, labels, -prior) == 0.0


@pytest.mark.parametrize("build", [start_probe, start_prior])
def test_heads_call_images_as_the_probe_does(build):
    inputs = made(n=5)
    head = build(inputs)
    unit = unit_rows(inputs.features.astype(np.float64))
    prior = unit_rows(inputs.semantic.rows.astype(np.float64)) * (build is start_prior)
    images = 20 * (unit - unit.mean(axis=0))
    weight = fit(images, inputs.labels, strongest(images, inputs.labels, prior) * prior, 3.0)
    probe = (images @ weight.T).argmax(axis=1)
    network = (inputs.features @ head.weight.T + head.bias).argmax(axis=1)
    assert (probe == network).mean() >= 0.95 and (network == inputs.labels).mean() >= 0.95


def test_a_prior_of_nothing_is_the_probe_bit_for_bit():
    inputs = made()
    nothing = made(semantic=Semantics(*(0 * part for part in vars(inputs.semantic).values())))
    assert np.array_equal(start_prior(nothing).weight, start_probe(inputs).weight)


def test_semantic_rows_are_as_long_as_source_rows_and_name_their_sources():
    inputs = made()
    head = start_semantic(inputs)
    assert np.linalg.norm(head.weight, axis=1) == pytest.approx(mean_length(inputs.source_weight))
    largest = np.abs(inputs.semantic.coefficients).argmax(axis=1)
    assert head.sources[:, 0].tolist() == largest.tolist()


def test_the_same_inputs_give_the_same_bits():
    first, second = (start_prior(made()) for _ in range(2))
    assert np.array_equal(first.weight, second.weight) and np.array_equal(first.bias, second.bias)


def test_one_image_equal_images_and_one_class_are_fitted():
    assert np.isfinite(start_prior(made(n=1)).weight).all()
    equal = made(n=2, features=np.ones((2 * T, D), np.float32))
    assert np.isfinite(fitted(equal, None).weight).all()
    semantic = made().semantic
    alone = Semantics(
        semantic.rows[:1], semantic.bias[:1], semantic.coefficients[:1], semantic.alike[:1], semantic.sources
    )
    single = made(names=["only"], features=np.ones((2, D), np.float32), labels=np.zeros(2, int), semantic=alone)
    assert start_prior(single).weight.shape == (1, D)


def test_what_is_missing_is_named():
    with pytest.raises(ValueError, match="no training image for class 1; check the split"):
        start_probe(made(labels=np.where(made().labels == 1, 0, made().labels)))
    for build in (start_prior, start_semantic):
        with pytest.raises(ValueError, match="needs the rows predicted from the classes' meaning, got none"):
            build(made(semantic=None))
    with pytest.raises(ValueError, match="needs the training images' features and labels"):
        start_probe(made(features=None))
