"""Trainings are scored on outputs that all jobs share, or on those of a trunk of their own; both ways are one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from test_backbones import Chain, build
from toys import CLASSES, CPU, MACHINE, VIEW, fresh_network, head, plain, same

from headstart.data.crops import crop_batch
from headstart.finetuning import evaluation
from headstart.finetuning.evaluation import (
    SHARE,
    evaluated_images,
    evaluation_of,
    near,
    own_evaluation,
    shared_evaluation,
)
from headstart.networks.backbones import cut
from headstart.networks.embedding import cache_trunk, normalise


@pytest.fixture
def shared(files, store, tmp_path):
    """What the rule cache_trunk makes of the split."""
    images = evaluated_images(pd.read_csv(files["split"]))
    images.to_csv(tmp_path / "evaluation.csv", index=False)
    cache_trunk(fresh_network().trunk, store, list(images["name"]), VIEW, MACHINE, tmp_path / "trunk.npy", batch=64)
    return {"trunk": tmp_path / "trunk.npy", "evaluation": tmp_path / "evaluation.csv"}


@pytest.fixture
def own(files, tmp_path):
    return lambda trunk: own_evaluation(trunk, files, CLASSES, VIEW, MACHINE, tmp_path / "scratch.npy")


def test_training_images_are_left_out_and_parts_lie_together():
    split = pd.DataFrame({"name": list("abcde"), "part": ["test", "validation", "train", "test", "validation"]})
    found = evaluated_images(split)
    assert list(found["name"]) == ["a", "d", "b", "e"]


def test_shared_and_own_outputs_are_the_same_for_the_same_trunk(shared, own):
    given, made = shared_evaluation(shared, CLASSES), own(fresh_network().trunk)
    assert list(given) == list(made) == ["test", "validation"]
    for part, (outputs, labels) in given.items():
        assert outputs.shape == (3, 6, 16, 16) and labels.tolist() == [0, 1, 2]
        assert np.array_equal(outputs, made[part][0]) and np.array_equal(labels, made[part][1])


def test_shared_and_own_outputs_give_the_same_scores(shared, own, train):
    heads = {"a": head(0), "b": head(1)}
    history, weights = train(heads, evaluation=shared_evaluation(shared, CLASSES))
    own_history, own_weights = train(heads, evaluation=own(fresh_network().trunk))
    assert own_history.equals(history) and same(own_weights, weights)


def test_outputs_of_an_empty_trunk_are_the_images_and_all_blocks_are_trained_on_them(own, train, files, store):
    network = plain().cut(build(Chain), "features.0")
    evaluation = own(network.trunk)
    images = pd.read_csv(files["split"]).query("part == 'test'")
    expected = normalise(crop_batch(store, list(images["name"]), VIEW.side), VIEW, CPU)
    assert np.array_equal(evaluation["test"][0], expected.numpy())
    history, weights = train({"a": head(0)}, network=network, evaluation=evaluation)
    assert history["f1"].between(0, 1).all()
    assert not torch.equal(weights["a/features.0.0.weight"], build(Chain).features[0][0].weight)


def test_the_first_scores_do_not_depend_on_where_the_network_is_cut(own, train):
    first = [
        train({"a": head(0)}, network=network, evaluation=own(network.trunk), steps=1, evaluate_at=[0])[0]
        for network in (cut(build(Chain), block, side=32) for block in ("features.0", "features.2", "classifier"))
    ]
    assert first[0].equals(first[1]) and first[1].equals(first[2])


def test_the_scratch_file_is_gone_and_its_outputs_stay(own, tmp_path):
    evaluation = own(fresh_network().trunk)
    assert list(tmp_path.iterdir()) == []
    outputs, _ = evaluation["validation"]
    assert np.isfinite(outputs).all() and outputs.any()


def test_no_scratch_file_is_left_by_a_pass_that_fails(own, tmp_path):
    network = fresh_network()
    with torch.no_grad():
        network.trunk[0][0][0].bias[0] = float("nan")
    with pytest.raises(ValueError, match="NaN or infinite"):
        own(network.trunk)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_shared_outputs_is_preferred(shared, files, tmp_path):
    arguments = (CLASSES, VIEW, MACHINE, tmp_path / "scratch.npy")
    altered = cut(build(Chain, seed=1), "features.1", side=32).trunk
    given = evaluation_of(altered, files | shared, *arguments)["test"][0]
    made = evaluation_of(altered, files, *arguments)["test"][0]
    assert np.array_equal(given, shared_evaluation(shared, CLASSES)["test"][0])
    assert not np.array_equal(given, made)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_outputs_that_fit_stay_on_the_device_and_give_the_same_scores(own, train, monkeypatch, capsys, dtype):
    outside = {part: (np.asarray(x, dtype), labels) for part, (x, labels) in own(fresh_network().trunk).items()}
    assert near(outside, MACHINE, 4) is outside
    expected, _ = train({"a": head(0)}, evaluation=outside)
    needed = sum(outputs.nbytes for outputs, _ in outside.values())
    for free, at_once, fits in ((needed / SHARE - 1, 4, False), (needed / SHARE, 3, False), (needed / SHARE, 4, True)):
        monkeypatch.setattr(evaluation, "free_memory", lambda device, free=free: free)
        assert (near(outside, replace(MACHINE, at_once=at_once), 4) is outside) != fits
    inside = near(outside, MACHINE, 4)
    for part, (outputs, _) in inside.items():
        assert isinstance(outputs, torch.Tensor) and np.array_equal(outputs.numpy(), outside[part][0])
        assert outputs.is_contiguous(memory_format=torch.channels_last)
    capsys.readouterr()
    assert train({"a": head(0)}, evaluation=outside)[0].equals(expected)
    assert "GB of outputs to score stay on the cpu device" in capsys.readouterr().out
    assert near({}, MACHINE, 4) == {}
