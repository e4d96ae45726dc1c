"""p(source | target) is what its two estimators say it is."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from headstart.measures import relations
from headstart.measures.relations import best_scale, calibrated, direct, held_out, reverse

T, S = 3, 5


def made(n, seed=0):
    """What a network might say of n images of each class, each class lighting up an output of its own and others."""
    rng = np.random.default_rng(seed)
    labels = np.tile(np.arange(T), n)
    return softmax(3 * np.eye(S)[labels] + rng.normal(size=(len(labels), S)), axis=1), labels


def test_direct_is_the_mean_over_the_images_of_a_class():
    probabilities, labels = made(4)
    expected = [
        np.mean([row for row, label in zip(probabilities, labels, strict=True) if label == t], 0) for t in range(T)
    ]
    np.testing.assert_allclose(direct(probabilities, labels, T), expected)


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("estimator", relations.ESTIMATORS)
def test_rows_are_distributions_that_find_the_class_of_their_own(estimator, n):
    probabilities, labels = made(n)
    found = relations.ESTIMATORS[estimator](probabilities, labels, T)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found >= 0).all() and found.argmax(axis=1).tolist() == [0, 1, 2]


def test_reverse_is_scikit_learns_regression_turned_round_by_bayes(monkeypatch):
    probabilities, labels = made(6)
    monkeypatch.setattr(relations, "calibrated", lambda *_: (0.1, 2.0))
    weight = LogisticRegression(C=10, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(probabilities, labels).coef_
    target_given_source = np.exp(2 * weight) / np.exp(2 * weight).sum(axis=0)
    joint = target_given_source * probabilities.mean(axis=0)
    np.testing.assert_allclose(reverse(probabilities, labels, T), joint / joint.sum(axis=1, keepdims=True), atol=1e-6)


def test_an_image_held_out_has_no_say_in_its_own_logits():
    probabilities, labels = made(3)
    fold = np.arange(len(labels)) // T  # one image of each class
    before = held_out(probabilities, labels, T, fold, 0.1)
    changed = probabilities.copy()
    changed[0] = np.eye(S)[4]
    after = held_out(changed, labels, T, fold, 0.1)
    reference = LogisticRegression(C=10, fit_intercept=False, tol=1e-12, max_iter=100_000)
    expected = changed[:1] @ reference.fit(probabilities[fold != 0], labels[fold != 0]).coef_.T
    np.testing.assert_allclose(after[:1], expected, atol=1e-6)
    np.testing.assert_allclose(after[1:T], before[1:T], atol=1e-6)
    assert not np.allclose(after[T:], before[T:])


def test_the_scale_of_calibrated_logits_is_found_again():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, T))
    labels = np.array([rng.choice(T, p=row) for row in softmax(2.5 * logits, axis=1)])
    assert best_scale(logits, labels)[1] == pytest.approx(2.5, rel=0.1)


def test_nothing_is_calibrated_where_a_class_has_one_image():
    probabilities, labels = made(1)
    assert calibrated(probabilities, labels, T) == (0.1, 1.0)
    assert calibrated(*made(4), T) != (0.1, 1.0)
