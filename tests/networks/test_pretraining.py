from dataclasses import replace
from typing import cast

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from headstart.data.images import PixelStore
from headstart.data.views import View
from headstart.machine.machines import Machine
from headstart.networks.pretraining import (
    Course,
    Labelled,
    accuracy,
    class_indices,
    hold_out,
    save_weights,
    train_classifier,
)

SOURCES = ["n00000001", "n00000002"]
VIEW, MACHINE = View(8, mean=[0.5] * 3, std=[0.25] * 3), Machine(torch.device("cpu"), threads=1)
COURSE = Course(epochs=6, batch=8, learning_rate=0.02, seed=0)


class Pictures:
    """Stands for a PixelStore: 20 pictures a class, stripes across or down, 10 x 12 pixels."""

    def __init__(self):
        self.names = [f"{wnid}_{k}.JPEG" for wnid in SOURCES for k in range(20)]

    def pixels(self, name):
        rng = np.random.default_rng(self.names.index(name))
        stripes = np.tile(np.array((40, 200)), 6)[rng.integers(2) :][:10]
        striped = stripes[:, None] if name.startswith(SOURCES[0]) else stripes[None, [*range(10), 8, 9]]
        return (np.broadcast_to(striped, (10, 12))[..., None] + rng.integers(0, 40, (10, 12, 3))).astype(np.uint8)


STORE = cast(PixelStore, Pictures())
TRAIN, TEST = hold_out(Pictures().names, SOURCES, 5)


def network(*last: nn.Module) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = (nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return nn.Sequential(*layers, *last, nn.Linear(8, 2))


def weights(model: nn.Module) -> dict[str, np.ndarray]:
    return {name: value.numpy().copy() for name, value in model.state_dict().items()}


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(first[name], second[name]) for name in first)


def test_learns_two_easy_classes():
    model = network()
    before = accuracy(model, STORE, TEST, VIEW, MACHINE)
    rows = train_classifier(model, STORE, TRAIN, COURSE, VIEW, MACHINE)
    assert before <= 0.5
    assert accuracy(model, STORE, TEST, VIEW, MACHINE) == 1.0
    assert [row["epoch"] for row in rows] == [0, 1, 2, 3, 4, 5]
    assert rows[-1]["loss"] < 0.5 * rows[0]["loss"]
    assert rows[-1]["accuracy"] > 0.9
    assert rows[-1]["learning_rate"] < 0.01 * COURSE.learning_rate < rows[1]["learning_rate"] <= COURSE.learning_rate


@pytest.mark.parametrize("last", [(), (nn.Dropout(0.5),)], ids=["plain", "dropout"])
def test_the_same_seed_gives_the_same_bits_whatever_the_global_generator_did(last):
    models = [network(*last) for _ in range(3)]
    logs = []
    for model, seed in zip(models, (0, 0, 1), strict=True):
        logs.append(train_classifier(model, STORE, TRAIN, replace(COURSE, epochs=2, seed=seed), VIEW, MACHINE))
        torch.rand(3)
    first, again, other = map(weights, models)
    assert same(first, again) and logs[0] == logs[1]
    assert not same(first, other)


def test_leaves_the_global_generator_and_the_thread_count_as_they_were():
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    more = replace(MACHINE, threads=threads + 1)
    train_classifier(network(nn.Dropout(0.5)), STORE, TRAIN, replace(COURSE, epochs=1), VIEW, more)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_no_batch_is_left_with_a_single_picture():
    sizes = []
    model = network()
    model.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    some = Labelled(TRAIN.names[:17], TRAIN.labels[:17])
    train_classifier(model, STORE, some, replace(COURSE, epochs=1), VIEW, MACHINE)
    assert sizes == [6, 6, 5]  # 17 in batches of 8 would leave 1


def test_accuracy_counts_right_first_choices_of_central_crops():
    head = nn.Linear(3, 2)
    nn.init.zeros_(head.weight)
    head.bias.data = torch.tensor([1.0, 0.0])
    always_first = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
    pictures = Labelled([*TRAIN.names[:4], TEST.names[-1]], [0, 0, 0, 1, 1])
    assert accuracy(always_first, STORE, pictures, VIEW, MACHINE, batch=2) == 0.6


def test_names_without_labels_are_refused():
    for names, labels in ((TRAIN.names, [0]), ([], [])):
        with pytest.raises(ValueError, match=f"got {len(names)} pictures and {len(labels)} labels; expected as many"):
            Labelled(names, labels)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch": 0}, {"learning_rate": 0.0}])
def test_a_course_that_trains_nothing_is_refused_with_the_cure(wrong):
    with pytest.raises(ValueError, match="at least 1 epoch.* got .*; correct source.training"):
        replace(COURSE, **wrong)


def test_the_last_pictures_of_every_class_are_held_out():
    names = ["n00000002_0.JPEG", "n00000001_0.JPEG", "n00000001_1.JPEG", "n00000002_7.JPEG", "n00000001_2.JPEG"]
    train, test = hold_out(names, SOURCES, 1)
    assert train == Labelled(["n00000001_0.JPEG", "n00000001_1.JPEG", "n00000002_0.JPEG"], [0, 0, 1])
    assert test == Labelled(["n00000001_2.JPEG", "n00000002_7.JPEG"], [0, 1])


def test_a_class_with_nothing_left_to_train_on_is_named():
    names = ["n00000001_0.JPEG", "n00000001_1.JPEG", "n00000002_0.JPEG"]
    with pytest.raises(ValueError, match=r"more than 1 pictures of every source class, got fewer of n00000002 \(1\)"):
        hold_out(names, SOURCES, 1)


def test_pictures_of_another_class_are_named():
    with pytest.raises(ValueError, match="pictures of n00000003 belong to none of the 2 source classes"):
        class_indices(["n00000001_0.JPEG", "n00000003_0.JPEG"], SOURCES)


def test_saved_weights_are_the_models(tmp_path):
    model = network().to(memory_format=torch.channels_last)
    save_weights(model, tmp_path / "deep" / "weights.safetensors")
    loaded = load_file(tmp_path / "deep" / "weights.safetensors")
    assert same({name: value.numpy() for name, value in loaded.items()}, weights(model))
    assert set(loaded) == set(model.state_dict())
