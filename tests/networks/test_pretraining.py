from typing import Any, cast

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from headstart.data.images import PixelStore
from headstart.networks.pretraining import accuracy, class_indices, hold_out, save_weights, train_classifier

SOURCES = ["n00000001", "n00000002"]
LOOK: dict[str, Any] = {"crop": 8, "mean": [0.5] * 3, "std": [0.25] * 3, "threads": 1}
PLAN: dict[str, Any] = {"epochs": 6, "batch": 8, "learning_rate": 0.02, "seed": 0, **LOOK}


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
    before = accuracy(model, STORE, *TEST, **LOOK)
    rows = train_classifier(model, STORE, *TRAIN, **PLAN)
    assert before <= 0.5
    assert accuracy(model, STORE, *TEST, **LOOK) == 1.0
    assert [row["epoch"] for row in rows] == [0, 1, 2, 3, 4, 5]
    assert rows[-1]["loss"] < 0.5 * rows[0]["loss"]
    assert rows[-1]["accuracy"] > 0.9
    assert rows[-1]["learning_rate"] < 0.01 * PLAN["learning_rate"] < rows[1]["learning_rate"] <= PLAN["learning_rate"]


@pytest.mark.parametrize("last", [(), (nn.Dropout(0.5),)], ids=["plain", "dropout"])
def test_the_same_seed_gives_the_same_bits_whatever_the_global_generator_did(last):
    models = [network(*last) for _ in range(3)]
    logs = []
    for model, seed in zip(models, (0, 0, 1), strict=True):
        logs.append(train_classifier(model, STORE, *TRAIN, **{**PLAN, "epochs": 2, "seed": seed}))
        torch.rand(3)
    first, again, other = map(weights, models)
    assert same(first, again) and logs[0] == logs[1]
    assert not same(first, other)


def test_leaves_the_global_generator_and_the_thread_count_as_they_were():
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    train_classifier(network(nn.Dropout(0.5)), STORE, *TRAIN, **{**PLAN, "epochs": 1, "threads": threads + 1})
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_no_batch_is_left_with_a_single_picture():
    sizes = []
    model = network()
    model.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    train_classifier(model, STORE, TRAIN[0][:17], TRAIN[1][:17], **{**PLAN, "epochs": 1})
    assert sizes == [6, 6, 5]  # 17 in batches of 8 would leave 1


def test_accuracy_counts_right_first_choices_of_central_crops():
    head = nn.Linear(3, 2)
    nn.init.zeros_(head.weight)
    head.bias.data = torch.tensor([1.0, 0.0])
    always_first = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
    names, labels = TRAIN[0][:4] + TEST[0][-1:], [0, 0, 0, 1, 1]
    assert accuracy(always_first, STORE, names, labels, batch=2, **LOOK) == 0.6


def test_names_without_labels_are_refused():
    for names, labels in ((TRAIN[0], [0]), ([], [])):
        with pytest.raises(ValueError, match=f"got {len(names)} pictures and {len(labels)} labels; expected as many"):
            train_classifier(network(), STORE, names, labels, **PLAN)


def test_the_last_pictures_of_every_class_are_held_out():
    names = ["n00000002_0.JPEG", "n00000001_0.JPEG", "n00000001_1.JPEG", "n00000002_7.JPEG", "n00000001_2.JPEG"]
    train, test = hold_out(names, SOURCES, 1)
    assert train == (["n00000001_0.JPEG", "n00000001_1.JPEG", "n00000002_0.JPEG"], [0, 0, 1])
    assert test == (["n00000001_2.JPEG", "n00000002_7.JPEG"], [0, 1])


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
