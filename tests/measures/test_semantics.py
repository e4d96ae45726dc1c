"""Rows predicted from what classes mean are kernel ridge regression, and are chosen without a look at the targets."""

import numpy as np
import pandas as pd
import pytest
from sklearn.kernel_ridge import KernelRidge

from headstart.measures.material import Material
from headstart.measures.semantics import (
    agreement,
    leave_one_out,
    load_semantics,
    measure_meaning,
    mixtures,
    predict_rows,
    regress,
    save_semantics,
    try_mixtures,
)

S, T, D = 9, 4, 5


def kernel_of(points, others):
    return np.exp(-((points[:, None] - others[None]) ** 2).sum(axis=2))


@pytest.fixture
def points():
    rng = np.random.default_rng(0)
    return rng.normal(size=(S, 3)), rng.normal(size=(T, 3)), rng.normal(size=(S, D))


@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_regression_is_scikit_learns_kernel_ridge(points, noise):
    sources, targets, rows = points
    known, asked = kernel_of(sources, sources), kernel_of(targets, sources)
    reference = KernelRidge(alpha=noise, kernel="precomputed").fit(known, rows - rows.mean(axis=0))
    np.testing.assert_allclose(
        regress(known, asked, noise) @ (rows - rows.mean(axis=0)), reference.predict(asked), atol=1e-12
    )


def test_leaving_one_out_in_closed_form_equals_regressing_anew(points):
    sources, _, rows = points
    known = kernel_of(sources, sources)
    found = leave_one_out(known, rows, 0.3)
    for left in range(S):
        rest = np.arange(S) != left
        others = rows[rest] - rows[rest].mean(axis=0)
        expected = regress(known[np.ix_(rest, rest)], known[left : left + 1, rest], 0.3) @ others
        np.testing.assert_allclose(found[left], expected[0], atol=1e-10)
    with pytest.raises(ValueError, match="at least 2 source classes"):
        leave_one_out(np.eye(1), rows[:1], 0.3)


def test_the_kernel_that_knows_the_rows_is_chosen(points):
    sources, _, _ = points
    rows = np.hstack([np.sin(sources), np.cos(sources)])
    useless = kernel_of(np.random.default_rng(1).normal(size=(S, 3)), np.random.default_rng(2).normal(size=(S, 3)))
    tried = try_mixtures({"true": kernel_of(sources, sources), "useless": useless @ useless.T / S}, rows)
    best = tried[tried["chosen"]]
    assert len(best) == 1 and best["true"].iloc[0] >= 0.5
    assert best["cosine"].iloc[0] == tried["cosine"].max()


def test_rows_that_are_predicted_without_error_agree_in_full():
    rows = np.random.default_rng(0).normal(size=(S, D))
    true = (rows - rows.mean(axis=0)) * S / (S - 1)
    assert agreement(true, rows) == pytest.approx((1.0, 0.0))


def test_mixtures_are_all_fourths_that_add_up_to_one():
    found = [*mixtures(3)]
    assert len(found) == 15 and len(set(found)) == 15 and all(sum(weights) == 1 for weights in found)


def described(unknown=()):
    """A kernel's unit vectors of sources and targets; some classes it knows nothing of."""
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(S + T, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[list(unknown)] = 0.0
    return lambda material: vectors


def classes(count, first):
    return pd.DataFrame({"wnid": [f"n{first + number:08d}" for number in range(count)]})


MATERIAL = Material(targets=classes(T, 100), sources=classes(S, 0))


def test_classes_a_kernel_does_not_know_are_named_and_a_kernel_that_knows_none_is_left_out(capsys):
    rng = np.random.default_rng(0)
    kernels = {"good": described([0, S]), "empty": described(range(S + T))}
    found, tried = predict_rows(MATERIAL, kernels, rng.normal(size=(S, D)), rng.normal(size=S))
    said = capsys.readouterr().out
    assert "good: knows 8 sources and 3 targets, not n00000000, n00000100" in said and "empty: left out" in said
    assert "empty" not in tried and found.rows.shape == (T, D) and np.isfinite(found.rows).all()
    with pytest.raises(ValueError, match="no kernel of empty knows anything of the classes"):
        predict_rows(MATERIAL, {"empty": described(range(S + T))}, rng.normal(size=(S, D)), rng.normal(size=S))


def test_what_is_tried_and_chosen_does_not_depend_on_the_targets():
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(S, D)), rng.normal(size=S)
    kernels = {"a": described(), "b": described([2])}
    whole = predict_rows(MATERIAL, kernels, weight, bias)[1]
    other = Material(targets=classes(2, 200), sources=MATERIAL.sources)
    fewer = {word: (lambda material, kernel=kernel: kernel(material)[: S + 2]) for word, kernel in kernels.items()}
    assert predict_rows(other, fewer, weight, bias)[1].equals(whole)


def test_rows_survive_their_file_and_are_a_measure(tmp_path):
    rng = np.random.default_rng(0)
    found, _ = predict_rows(MATERIAL, {"a": described()}, rng.normal(size=(S, D)), rng.normal(size=S))
    save_semantics(found, tmp_path / "semantic.safetensors")
    read = load_semantics(tmp_path / "semantic.safetensors")
    for name, array in vars(found).items():
        assert np.array_equal(getattr(read, name), np.float32(array))
    asked = Material(
        targets=MATERIAL.targets, sources=MATERIAL.sources, semantic=str(tmp_path / "semantic.safetensors")
    )
    assert np.array_equal(measure_meaning(asked), np.float32(found.coefficients).astype(np.float64))
    assert load_semantics(None) is None
