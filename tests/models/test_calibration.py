"""Probabilities say how often the model is right."""

import numpy as np
import pytest

from headstart.models.calibration import calibrate, calibration_error, fit_temperature, probabilities


def drawn(temperature, images=4000, seed=0):
    """Logits that are too sure by a factor, and labels drawn from what they would say without it."""
    generator = np.random.default_rng(seed)
    logits = 3 * generator.normal(size=(images, 5))
    shares = probabilities(logits, temperature)
    labels = (shares.cumsum(axis=1) > generator.random((images, 1))).argmax(axis=1)
    return logits.astype(np.float32), labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_there_is_found(temperature):
    assert fit_temperature(*drawn(temperature)) == pytest.approx(temperature, rel=0.06)


def test_calibration_lowers_the_error_on_other_images_and_changes_no_class():
    held, others = drawn(3.0, seed=1), drawn(3.0, seed=2)
    found = calibrate(*held, *others)
    assert found["error"] < 0.03 < 0.15 < found["error_before"] and found["images"] == 4000
    logits = others[0]
    assert (probabilities(logits, found["temperature"]).argmax(axis=1) == logits.argmax(axis=1)).all()


def test_a_few_images_that_are_all_right_do_not_make_it_certain():
    found = fit_temperature(np.eye(3, dtype=np.float32), np.arange(3))
    assert 0.1 < found < 1 and probabilities(np.eye(3), found).max() < 0.95


def test_without_images_logits_stay_as_they_are():
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, int)) == 1.0


def test_the_error_is_that_of_the_definition():
    shares = np.array([[0.95, 0.05], [0.55, 0.45], [0.35, 0.65], [1.0, 0.0]])
    labels = np.array([0, 1, 1, 0])
    plain = 0.0
    for low in np.arange(10) / 10:  # bins of a tenth
        inside = [(p.max(), p.argmax() == t) for p, t in zip(shares, labels, strict=True) if low <= p.max() < low + 0.1]
        inside += [(1.0, True)] if low == 0.9 else []
        plain += abs(sum(right - sure for sure, right in inside)) / 4
    assert calibration_error(shares, labels, bins=10) == pytest.approx(plain)
