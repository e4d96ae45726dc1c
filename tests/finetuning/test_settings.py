"""What cannot be trained is refused before anything is, with all its faults."""

from dataclasses import replace

import numpy as np
import pytest
from toys import CLASSES, STEPS, head

from headstart.finetuning.settings import Task, Training, evaluation_steps


def test_all_faults_of_a_task_are_named(images, evaluation):
    outputs, _ = evaluation["test"]
    with pytest.raises(ValueError, match="cannot train") as found:
        Task(CLASSES, replace(images, labels=images.labels + 1), {"test": (outputs, np.array([0]))})
    assert "train: labels from 1 to 3, expected 0 to 2" in str(found.value)
    assert "test: 6 images and 1 labels" in str(found.value)


def test_all_faults_of_the_settings_are_named():
    with pytest.raises(ValueError, match="cannot train") as found:
        Training(steps=STEPS, evaluate_at=[0, 99], dropout=1.0, batch_norm="off")
    for fault in (
        "unknown batch_norm 'off', valid are train, eval",
        "dropout is the probability of dropping, from 0 to below 1, got 1.0",
        "evaluate_at has to be steps from 0 to 7, got [0, 99]",
    ):
        assert fault in str(found.value)


def test_all_heads_that_do_not_fit_are_named_before_training(train):
    with pytest.raises(ValueError, match="cannot train") as found:
        train({"a": (np.zeros((3, 4)), np.zeros(3)), "b": head(0), "c": (np.zeros((3, 5)), np.zeros(2))})
    assert "head a has weight (3, 4) and bias (3,), expected (3, 5) and (3,) for 3 classes" in str(found.value)
    assert "head c has weight (3, 5) and bias (2,), expected (3, 5) and (3,) for 3 classes" in str(found.value)
    assert "head b" not in str(found.value)


def test_evaluation_steps_start_at_zero_end_at_the_last_and_are_log_spaced():
    assert evaluation_steps(64, 8) == [0, 1, 2, 4, 8, 16, 32, 64]
    assert evaluation_steps(3, 20) == [0, 1, 2, 3]
    assert evaluation_steps(500, 2) == [0, 500]
    assert evaluation_steps(1, 5) == [0, 1]
    many = evaluation_steps(1000, 13)
    assert many[0] == 0 and many[-1] == 1000 and len(many) == 13 and sorted(set(many)) == many
    with pytest.raises(ValueError, match="at least 1 step and 2 evaluations"):
        evaluation_steps(0, 2)
