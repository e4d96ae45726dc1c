import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_curve

from headstart.measures.metrics import (
    READINGS,
    confusion,
    couple_f_scores,
    f_scores,
    macro_f1,
    soft_f_scores,
    softmax,
    threshold_f_scores,
)


def made_images(images=500, targets=7, outputs=11, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(targets, size=images), rng.integers(outputs, size=images)


def test_confusion_counts_each_couple():
    counts = confusion([0, 0, 0, 2], [1, 1, 3, 0], classes=3, outputs=4)
    assert counts.tolist() == [[0, 2, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]]
    assert counts.dtype == np.int64


def test_confusion_is_sklearns():
    labels, predictions = made_images(outputs=7)
    expected = confusion_matrix(labels, predictions, labels=range(7))
    assert np.array_equal(confusion(labels, predictions, 7), expected)


def test_f_scores_have_sklearns_bits():
    for seed in range(20):
        labels, predictions = made_images(images=90, outputs=7, seed=seed)
        expected = f1_score(labels, predictions, labels=range(7), average=None)
        assert np.array_equal(f_scores(confusion(labels, predictions, 7)), expected)


def test_f_score_worked_by_hand():
    # Class 0: 3 images, 2 found, one other image taken for it: 2 * 2 / (3 + 3).
    # Class 1: 1 image, taken for class 0; one image of class 0 taken for it: 0.
    assert f_scores([[2, 1], [1, 0]]).tolist() == [4 / 6, 0.0]


def test_class_without_images_has_no_f_score_even_if_predicted():
    scores = f_scores([[1, 1, 0], [0, 0, 0], [0, 0, 0]])
    assert scores[0] == 2 / 3
    assert np.isnan(scores[1:]).all()


def test_class_never_predicted_scores_zero():
    assert f_scores([[0, 2], [0, 2]])[0] == 0.0


def test_macro_f1_leaves_out_classes_without_images():
    assert macro_f1([0.5, np.nan, 0.25]) == 0.375


def test_macro_f1_without_any_image_is_refused():
    with pytest.raises(ValueError, match="at least one class with images, got 2 without"):
        macro_f1([np.nan, np.nan])


def test_couple_f_scores_have_sklearns_bits_for_every_couple():
    labels, predictions = made_images()
    found = couple_f_scores(labels, predictions, targets=7, sources=11)
    for target in range(7):
        for source in range(11):
            assert found[target, source] == f1_score(labels == target, predictions == source)


def test_couple_f_scores_worked_by_hand():
    # Target 0 has 3 images, two of them look like source 1; target 1 has one, which looks like source 1, too.
    found = couple_f_scores([0, 0, 0, 1], [1, 1, 0, 1], targets=2, sources=3)
    assert found.tolist() == [[2 / 4, 4 / 6, 0.0], [0.0, 2 / 4, 0.0]]


def test_couple_without_images_and_predictions_scores_zero():
    assert couple_f_scores([0], [0], targets=2, sources=2).tolist() == [[1.0, 0.0], [0.0, 0.0]]


def test_one_image_per_class_gives_one_similar_source_per_class():
    found = couple_f_scores([0, 1, 2], [4, 4, 1], targets=3, sources=5)
    assert (found > 0).sum(axis=1).tolist() == [1, 1, 1]
    assert found[0, 4] == 2 / 3


def made_probabilities(images=150, targets=4, sources=6, seed=0, values=7):
    """Labels without class 2, and probabilities of few different values, so that most images are tied."""
    rng = np.random.default_rng(seed)
    labels = np.array([0, 1, 3])[rng.integers(3, size=images)]
    hints = rng.normal(size=(targets, sources))[labels]
    return labels, np.round(values * softmax(hints + rng.normal(size=(images, sources)))) / values


def test_argmax_counts_an_image_for_its_largest_logit_and_for_the_first_of_equal_ones():
    rng = np.random.default_rng(0)
    labels, logits = rng.integers(5, size=200), rng.integers(4, size=(200, 9)).astype(np.float32)
    predictions = [list(row).index(max(row)) for row in logits]
    assert np.array_equal(READINGS["argmax"](labels, logits, 6), couple_f_scores(labels, predictions, 6, 9))


def test_soft_counts_of_certain_images_are_counts():
    labels, predictions = made_images()
    found = soft_f_scores(labels, np.eye(11)[predictions], targets=7)
    assert np.array_equal(found, couple_f_scores(labels, predictions, targets=7, sources=11))


def test_soft_f_scores_are_those_of_a_double_loop():
    labels, probabilities = made_probabilities(values=1000)
    found = soft_f_scores(labels, probabilities, targets=4)
    assert found.shape == (4, 6)
    for target in range(4):
        for source in range(6):
            p = probabilities[:, source]
            above = 2 * sum(p[image] for image in range(len(p)) if labels[image] == target)
            assert found[target, source] == pytest.approx(above / (list(labels).count(target) + sum(p)), rel=1e-12)
    assert not found[2].any()  # no image


def test_soft_f_scores_worked_by_hand():
    # Class 0 has probabilities 0.5 + 0.75 of source 0, all images 1.5: 2 * 1.25 / (2 + 1.5).
    found = soft_f_scores([0, 1, 0], [[0.5, 0.5], [0.25, 0.75], [0.75, 0.25]], targets=2)
    assert found.tolist() == [[2.5 / 3.5, 1.5 / 3.5], [0.5 / 2.5, 1.5 / 2.5]]


@pytest.mark.parametrize("values", [2, 7, 10**6])  # hardly any ties with the last
def test_threshold_f_scores_have_the_bits_of_sklearns_best_over_all_thresholds(values):
    labels, probabilities = made_probabilities(images=60, values=values)
    found = threshold_f_scores(labels, probabilities, targets=4)
    for target in range(4):
        for source in range(6):
            p, truth = probabilities[:, source], labels == target
            tried = [f1_score(truth, p >= threshold, zero_division=0) for threshold in np.unique(p)]
            assert found[target, source] == max(tried)
            if truth.any():
                precision, recall, _ = precision_recall_curve(truth, p)
                curve = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
                assert found[target, source] == pytest.approx(curve.max(), rel=1e-12)


def test_threshold_f_scores_are_those_of_running_counts_at_the_ends_of_ties():
    labels, probabilities = made_probabilities(images=900, sources=40, values=30)
    found, members = threshold_f_scores(labels, probabilities, targets=4), np.eye(4)[labels]
    for source, column in enumerate(probabilities.T):
        falling = np.argsort(-column, kind="stable")
        ends = np.flatnonzero(np.append(np.diff(column[falling]) != 0, True))
        counts = np.cumsum(members[falling], axis=0)[ends]
        expected = (2 * counts / (members.sum(axis=0) + ends[:, None] + 1)).max(axis=0)
        assert np.array_equal(found[:, source], expected)


def test_threshold_f_scores_worked_by_hand():
    # p falls as 0, 1, (0, 1, 1), 0 by class. Class 0: k = 1, 2, 5, 6 give F = 2/4, 2/5, 4/8, 6/9.
    # Class 1: F = 0, 2/5, 6/8, 6/9; parting the tie would give 6/7.
    found = threshold_f_scores([1, 0, 1, 1, 0, 0], [[0.8], [0.9], [0.5], [0.5], [0.5], [0.1]], targets=3)
    assert found.tolist() == [[6 / 9], [6 / 8], [0.0]]


def test_a_threshold_does_not_part_equal_probabilities():
    # All alike: only "every image" can be told, F = 2 n_i / (n_i + N).
    assert threshold_f_scores([0, 1, 1, 1], np.full((4, 1), 0.25), targets=2).tolist() == [[2 / 5], [6 / 7]]


def test_order_of_the_images_changes_no_reading():
    rng = np.random.default_rng(1)
    labels, logits = rng.integers(5, size=80), rng.normal(size=(80, 7)).round(1)
    order = rng.permutation(80)
    for read in READINGS.values():
        np.testing.assert_allclose(read(labels[order], logits[order], 5), read(labels, logits, 5), rtol=1e-12)


@pytest.mark.parametrize("reading", READINGS)
def test_without_images_every_reading_is_zero(reading):
    found = READINGS[reading](np.zeros(0, dtype=np.int64), np.zeros((0, 3)), 2)
    assert found.tolist() == [[0.0] * 3] * 2


def test_softmax_is_stable_and_in_double_precision():
    found = softmax(np.array([[1e4, 1e4 - np.log(3)], [-1e4, 1e4]]))
    assert found == pytest.approx(np.array([[0.75, 0.25], [0.0, 1.0]]), rel=1e-9)
    assert softmax(np.zeros((1, 3), dtype=np.float32)).tolist() == [[1 / 3] * 3]
    for bad in ([[0.0, np.nan]], [[0.0, np.inf]], [0.0, 1.0]):
        with pytest.raises(ValueError, match=r"expected finite logits \(N, S\), got shape"):
            softmax(bad)


@pytest.mark.parametrize("score", [soft_f_scores, threshold_f_scores])
def test_probabilities_of_other_images_are_refused(score):
    with pytest.raises(
        ValueError, match=r"one row of probabilities per label \(N, S\), got shape \(3, 2\) for 2 labels"
    ):
        score([0, 1], np.ones((3, 2)), targets=2)
    with pytest.raises(ValueError, match=r"labels to be whole numbers in 0\.\.1"):
        score([0, 2], np.ones((2, 2)), targets=2)


@pytest.mark.parametrize("labels, predictions, said", [
    ([0, 1], [0], "1 predictions for 2 labels"),
    ([0, 3], [0, 0], r"labels to be whole numbers in 0\.\.2, got int64 values from 0 to 3"),
    ([0, -1], [0, 0], "values from -1 to 0"),
    ([0, 1], [0, 9], "predictions to be whole numbers"),
    ([0.0, 1.0], [0, 1], "got float64 values"),
    ([[0], [1]], [0, 1], r"got shape \(2, 1\)"),
])  # fmt: skip
def test_wrong_indices_are_refused(labels, predictions, said):
    with pytest.raises(ValueError, match=said):
        confusion(labels, predictions, classes=3)


def test_f_scores_of_couples_are_refused():
    with pytest.raises(ValueError, match=r"square .* got shape \(2, 3\); use couple_f_scores"):
        f_scores(np.ones((2, 3)))
