"""F of a model, and intervals that hold it."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from headstart.measures.metrics import confusion, f_scores
from headstart.models.scoring import say_scores, score_model


def test_scores_are_those_of_sklearn_and_lie_in_their_intervals():
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), [30, 20, 10, 5])
    predictions = np.where(generator.random(65) < 0.7, labels, generator.integers(0, 4, 65))
    scores = score_model(labels, predictions, 4)
    assert scores.f1 == pytest.approx(f1_score(labels, predictions, average=None))
    assert scores.macro[0] == pytest.approx(f1_score(labels, predictions, average="macro"))
    assert (scores.low < scores.f1).all() and (scores.f1 < scores.high).all()
    assert scores.macro[1] < scores.macro[0] < scores.macro[2]
    assert scores.high[0] - scores.low[0] < scores.high[3] - scores.low[3]  # fewer images, wider
    assert score_model(labels, predictions, 4).low.tolist() == scores.low.tolist()
    assert say_scores(scores)["images"] == 65


def test_the_interval_is_that_of_drawing_images_again():
    labels, predictions = np.repeat([0, 1], [12, 8]), np.array([0] * 9 + [1] * 5 + [0] * 2 + [1] * 4)
    scores, generator = score_model(labels, predictions, 2), np.random.default_rng(5)
    drawn = []
    for _ in range(1000):
        rows = np.concatenate([generator.choice(np.arange(12), 12), generator.choice(np.arange(12, 20), 8)])
        drawn.append(f_scores(confusion(labels[rows], predictions[rows], 2)))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    assert scores.low == pytest.approx(low, abs=0.03) and scores.high == pytest.approx(high, abs=0.03)


def test_a_class_without_test_images_has_no_score_and_counts_in_no_mean():
    scores = score_model(np.array([0, 0]), np.array([0, 0]), 2)
    assert np.isnan(scores.f1[1]) and np.isnan(scores.low[1]) and scores.macro == (1.0, 1.0, 1.0)
