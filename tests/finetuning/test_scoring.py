"""Runs are scored on the trunk's output for images that do not train."""

import numpy as np
import pytest
from toys import CLASSES, MACHINE, VIEW, evaluated, fresh_network, head, labels_of

from headstart.measures.metrics import confusion, f_scores
from headstart.networks.embedding import embed


def test_the_first_evaluation_is_the_head_on_the_features(train, store):
    history, _ = train({"random": head(0), "wordnet": head(5)})
    network = fresh_network()
    names = evaluated(store.names)
    features = embed(network.trunk, network.tail, store, names, VIEW, MACHINE, batch=4)
    for init, (weight, bias) in {"random": head(0), "wordnet": head(5)}.items():
        expected = f_scores(confusion(labels_of(names), (features @ weight.T + bias).argmax(1), 3))
        found = history[(history["initialisation"] == init) & (history["step"] == 0)]
        assert list(found["wnid"]) == CLASSES
        np.testing.assert_array_equal(found["f1"], expected)


def test_the_history_has_a_row_per_step_part_initialisation_and_class(train, evaluation):
    outputs, labels = evaluation["test"]
    parts = {"test": (outputs, labels), "validation": (outputs[:4], labels[:4])}  # no image of the third class
    history, _ = train({"a": head(0), "b": head(1)}, evaluation=parts)
    assert list(history.columns) == ["initialisation", "step", "part", "wnid", "f1"]
    assert len(history) == len(history.drop_duplicates(["initialisation", "step", "part", "wnid"])) == 2 * 3 * 2 * 3
    missing = history[history["f1"].isna()]
    assert set(missing["part"]) == {"validation"} and set(missing["wnid"]) == {"n03"}
    assert len(missing) == 2 * 3


def test_without_heads_there_is_nothing_to_do(train):
    history, weights = train({})
    assert list(history.columns) == ["initialisation", "step", "part", "wnid", "f1"]
    assert len(history) == 0 and weights == {}


def test_logits_that_are_no_numbers_are_refused_by_initialisation(train):
    weight, bias = head(0)
    with pytest.raises(ValueError, match=r"initialisation b: 6 of 6 images have logits that are NaN"):
        train({"a": head(0), "b": (weight * np.nan, bias)})
