import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from headstart.metrics import confusion, couple_f_scores, f_scores, macro_f1


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
