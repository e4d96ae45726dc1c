"""Probes are the regressions they claim to be, and heads score as they do."""

from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from headstart.heads.blending import mean_length, unit_rows
from headstart.heads.probes import Problem, fit, fitted, posed, start_prior, start_probe, start_semantic, strength
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
    return posed(inputs, inputs.semantic.rows)


def cost(weight, given, amount, penalty):
    logs = log_softmax(given.images @ weight.T, axis=1)
    likely = logs[np.arange(len(given.labels)), given.labels].sum()
    return -likely + penalty / 2 * ((weight - amount * given.rows) ** 2).sum()


def test_what_images_have_in_common_is_nowhere_and_their_spread_is_one():
    inputs, given = made(), problem()
    mean = unit_rows(inputs.features.astype(np.float64)).mean(axis=0)
    np.testing.assert_allclose(given.images @ mean, 0, atol=1e-12)
    np.testing.assert_allclose(given.rows @ mean, 0, atol=1e-12)
    assert (given.images**2).sum(axis=1).mean() == pytest.approx(1)
    np.testing.assert_allclose(np.linalg.norm(given.rows, axis=1), 1)


@pytest.mark.parametrize("penalty", [0.003, 3.0])
def test_without_a_prior_it_is_scikit_learns_logistic_regression(penalty):
    given = problem()
    reference = LogisticRegression(C=1 / penalty, fit_intercept=False, tol=1e-12, solver="newton-cholesky")
    expected = reference.fit(given.images, given.labels).coef_
    np.testing.assert_allclose(fit(given, 0.0, penalty), expected, atol=1e-6)


def test_an_endless_penalty_gives_the_priors_rows():
    given = problem()
    np.testing.assert_allclose(fit(given, 2.5, 1e9), 2.5 * given.rows, atol=1e-6)


@pytest.mark.parametrize("amount", [0.0, 3.0])
def test_at_the_minimum_every_direction_leads_upwards(amount):
    given, rng = problem(), np.random.default_rng(1)
    found = fit(given, amount, 0.1)
    lowest = cost(found, given, amount, 0.1)
    for _ in range(20):
        step = rng.normal(size=found.shape)
        up, down = (cost(found + sign * 1e-4 * step, given, amount, 0.1) for sign in (1, -1))
        assert up >= lowest - 1e-10 and down >= lowest - 1e-10
        assert abs(up - down) / 2e-4 < 1e-4 * np.linalg.norm(step)  # the gradient by finite differences


def likeliest(given):
    """The best of many strengths, by hand: where it is, and what it gains over none."""
    known, rows = given.images @ given.rows.T, np.arange(len(given.labels))
    amounts = np.linspace(0, 30, 3_001)
    found = np.array([log_softmax(a * known, axis=1)[rows, given.labels].sum() for a in amounts])
    return amounts[found.argmax()], found.max() - found[0]


def test_the_strength_is_the_likeliest_less_its_price():
    given = problem(n=2)
    noisy = Problem(given.images, given.labels, unit_rows(given.rows - 1.4 * given.rows[[1, 2, 3, 0]]))
    for one in (given, noisy):
        amount, gain = likeliest(one)
        single = fit(Problem(one.images[::2], one.labels[::2], one.rows), 0.0)
        most = np.linalg.norm(single, axis=1).mean()
        if amount > most:
            likely = log_softmax(most * one.images @ one.rows.T, axis=1)[np.arange(2 * T), one.labels].sum()
            amount, gain = most, likely + 2 * T * np.log(T)
        expected = amount * max(0.0, 1 - np.log(2 * T) / 2 / gain) / np.sqrt(2) if gain > 0 else 0.0
        assert strength(one) == pytest.approx(expected, rel=1e-2)
    assert strength(given) > 0


def test_rows_that_lie_have_no_strength_and_give_the_probe_in_every_bit():
    given = problem(n=2)
    assert strength(Problem(given.images, given.labels, -given.rows)) == 0.0
    semantic = made().semantic
    lying = Semantics(-semantic.rows, *[getattr(semantic, name) for name in list(vars(semantic))[1:]])
    assert np.array_equal(start_prior(made(semantic=lying)).weight, start_probe(made()).weight)


@pytest.mark.parametrize("build", [start_probe, start_prior])
def test_heads_call_images_as_the_probe_does(build):
    inputs = made(n=5)
    head, given = build(inputs), posed(inputs, inputs.semantic.rows)
    weight = fit(given, strength(given) * (build is start_prior))
    network = inputs.features @ head.weight.T + head.bias
    assert np.array_equal((given.images @ weight.T).argmax(axis=1), network.argmax(axis=1))
    np.testing.assert_allclose(
        unit_rows(network.astype(float)), unit_rows(given.images @ weight.T), atol=1e-5 * np.sqrt(T)
    )
    assert np.linalg.norm(head.weight, axis=1).mean() == pytest.approx(mean_length(inputs.source_weight), rel=1e-6)
    assert not head.bias.any()


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
