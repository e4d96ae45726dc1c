"""Rivals' heads minimise what their docstrings say, on the same images and rows as the prior probe."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.linear_model import Ridge

from headstart.heads.blending import mean_length, unit_rows
from headstart.heads.probes import fit, likeliest, posed, start_probe, worth_of_one_image
from headstart.heads.rivals import LOWEST, NOISES, fit_blended, shared, start_clap, start_lpp, start_sync, synthesis
from headstart.heads.starts import HeadInputs
from headstart.measures.semantics import Semantics

T, D, S, n = 4, 12, 7, 3


@pytest.fixture
def inputs():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(T, D))
    labels = np.repeat(np.arange(T), n)
    alike = rng.uniform(0.1, 1, size=(S, S))
    semantic = Semantics(
        centres + rng.normal(size=(T, D)),
        np.zeros(T),
        rng.normal(size=(T, S)),
        rng.uniform(0.1, 1, size=(T, S)),
        (alike + alike.T) / 2,
    )
    return HeadInputs(
        names=[f"class {number}" for number in range(T)],
        source_weight=rng.normal(size=(S, D)).astype(np.float32),
        source_bias=np.zeros(S, np.float32),
        features=np.abs(centres[labels] + 0.6 * rng.normal(size=(T * n, D)) + 1.5).astype(np.float32),
        labels=labels,
        semantic=semantic,
    )


def is_lowest(cost, found, rng):
    """No small step in any of some directions lowers the cost, and its slope there is nothing."""
    for _ in range(20):
        step = rng.normal(size=found.shape)
        up, down = (cost(found + sign * 1e-4 * step) for sign in (1, -1))
        assert min(up, down) >= cost(found) - 1e-10
        assert abs(up - down) / 2e-4 < 1e-4 * np.linalg.norm(step)


def test_clap_is_the_lowest_of_its_published_cost_and_looks_at_each_classs_own_images(inputs):
    given, rows = posed(inputs, inputs.semantic.rows), np.arange(T * n)
    known = given.images @ given.rows.T
    tau = likeliest(known, inputs.labels, (LOWEST, worth_of_one_image(given)))
    own = softmax(tau * known, axis=1)[rows, inputs.labels].reshape(T, n).mean(axis=1)
    assert np.ptp(own) > 0.01

    def cost(w):
        logs = log_softmax(tau * given.images @ w.T, axis=1)[rows, inputs.labels]
        return -logs.sum() + (own * ((w - given.rows) ** 2).sum(axis=1)).sum()

    found = fit(given, tau, 2 * own / tau**2) / tau
    is_lowest(cost, found, np.random.default_rng(1))
    np.testing.assert_allclose(unit_rows(start_clap(inputs).weight), unit_rows(found), atol=1e-5)


def test_lpp_fits_both_parts_and_is_the_probe_where_the_rows_are_nothing(inputs):
    given, rows = posed(inputs, inputs.semantic.rows), np.arange(T * n)

    def cost(parts):
        weight = parts[:, 1:] + parts[:, :1] * given.rows
        return -log_softmax(given.images @ weight.T, axis=1)[rows, inputs.labels].sum() + 0.05 * (parts**2).sum()

    found = fit_blended(given, penalty=0.1)
    # In the whole space the best blend alpha and rest w of a row are those of least squares.
    alpha = (found * given.rows).sum(axis=1) / 2
    is_lowest(cost, np.column_stack([alpha, found - alpha[:, None] * given.rows]), np.random.default_rng(2))
    nothing = replace(inputs, semantic=replace(inputs.semantic, rows=np.zeros((T, D))))
    np.testing.assert_allclose(start_lpp(nothing).weight, start_probe(inputs).weight, atol=1e-6)


@pytest.mark.parametrize("noise", NOISES)
def test_sync_is_ridge_regression_on_shares_and_judged_by_classes_left_out(inputs, monkeypatch, noise):
    monkeypatch.setattr("headstart.heads.rivals.NOISES", (noise,))
    shares, rows = shared(inputs.semantic.sources), inputs.source_weight.astype(np.float64)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    seen = []
    monkeypatch.setattr(
        "headstart.heads.rivals.agreement", lambda left_out, rows: (seen.append(left_out), (0.0, 0.0))[1]
    )
    ridge = Ridge(alpha=noise, fit_intercept=False, solver="svd")
    np.testing.assert_allclose(synthesis(np.eye(S), shares, rows) @ rows, ridge.fit(shares, rows).coef_.T, atol=1e-8)
    for left in (0, S - 1):
        rest = np.arange(S) != left
        expected = ridge.fit(shares[rest], rows[rest]).predict(shares[left : left + 1])[0]
        np.testing.assert_allclose(seen[0][left], expected, atol=1e-8)


def test_sync_needs_no_images_and_names_its_sources(inputs):
    head = start_sync(replace(inputs, features=None, labels=None))
    assert np.linalg.norm(head.weight, axis=1) == pytest.approx(mean_length(inputs.source_weight))
    assert head.sources.shape == (T, 6) and (head.sources >= 0).all()


@pytest.mark.parametrize("build", [start_clap, start_lpp, start_sync])
def test_rows_without_a_meaning_one_class_and_no_rows_at_all(inputs, build):
    again = build(inputs)
    assert np.array_equal(again.weight, build(inputs).weight)
    blank = replace(inputs.semantic, rows=np.zeros((T, D)), alike=np.vstack([inputs.semantic.alike[:-1], np.zeros(S)]))
    assert np.isfinite(build(replace(inputs, semantic=blank)).weight).all()
    with pytest.raises(ValueError, match="needs the rows predicted from the classes' meaning, got none"):
        build(replace(inputs, semantic=None))
