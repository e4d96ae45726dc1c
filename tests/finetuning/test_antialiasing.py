"""Anti-aliasing on the source task: few images of each class, from the source head, and two crops compared."""

import numpy as np
import pytest
import torch
from noisy_pictures import write_noise
from test_backbones import Chain, build
from torch import nn
from toys import CLASSES, MACHINE, VIEW, labels_of, power_cut, same

from headstart.data.crops import crop_batch
from headstart.data.images import PixelStore, decode_folder
from headstart.finetuning.antialiasing import (
    HEAD,
    consistency,
    few_of_each,
    fine_tune_source,
    of_run,
    steadiness,
    whole,
)
from headstart.finetuning.batches import TrainingImages
from headstart.finetuning.settings import Task, Training
from headstart.jobs.checkpoints import Checkpoint
from headstart.networks.pretraining import Labelled, source_split


@pytest.fixture
def labelled(store):
    return Labelled(store.names, labels_of(store.names).tolist())


def test_few_of_each_class_are_a_subset_of_more_and_follow_the_seed(labelled):
    few, more, others = (few_of_each(labelled, count, seed) for count, seed in ((2, 1), (4, 1), (2, 2)))
    assert set(few.names) < set(more.names) and set(few.names) != set(others.names)
    assert sorted(few.labels) == [0, 0, 1, 1, 2, 2] and few.labels == labels_of(few.names).tolist()
    with pytest.raises(ValueError, match="expected 6 training pictures of every source class, found 5 of one; lower"):
        few_of_each(labelled, 6, 1)


def run(store, labelled, strategy_of, path, act=lambda: None):
    strategy = strategy_of("ktft", trained_from="features.0")
    network = strategy.cut(build(lambda: Chain(classes=3)), "features.1", 32)
    train = few_of_each(labelled, 3, 0)
    images = TrainingImages(store, train.names, np.array(train.labels), VIEW, seed=0, shots=3, batch=4)
    training = Training(steps=4, evaluate_at=[0], dropout=0.0)
    strategy.enter = lambda replica, step: act() if step == 3 else None
    checkpoint = Checkpoint(path, "digest", save_every=0)
    task = Task(CLASSES, images, evaluation={})
    return network, fine_tune_source(strategy, network, task, training, MACHINE, checkpoint)


def test_a_killed_run_ends_with_the_same_bytes(store, labelled, strategy_of, tmp_path):
    network, unbroken = run(store, labelled, strategy_of, tmp_path / "one.pt")
    with pytest.raises(RuntimeError, match="power cut"):
        run(store, labelled, strategy_of, tmp_path / "two.pt", power_cut)
    _, resumed = run(store, labelled, strategy_of, tmp_path / "two.pt")
    assert same(unbroken.state_dict(), resumed.state_dict())
    before = whole(network)
    assert not same(before.state_dict(), unbroken.state_dict())
    assert torch.equal(before[2].weight, build(lambda: Chain(classes=3)).classifier[1].weight)  # the source head's own


def test_a_network_is_put_together_with_the_weights_of_one_run(train, strategy_of):
    strategy = strategy_of("finetune")
    network = strategy.cut(build(Chain), "features.1")
    heads = {
        name: (np.full((3, 5), value, np.float32), np.zeros(3, np.float32)) for name, value in (("a", 1), ("b", 2))
    }
    _, weights = train(heads, strategy, network)
    model = whole(network, of_run(weights, "b"))
    assert model[2].out_features == 3 and torch.equal(model[2].weight, weights["b/classifier.1.weight"])
    assert torch.equal(model[1].state_dict()["features.1.0.weight"], weights["b/features.1.0.weight"])
    assert HEAD not in of_run(weights, "a")


class Bright(nn.Module):
    """Calls a picture by whether its first pixel is bright, so that a label hangs on the crop alone."""

    def forward(self, x):
        return torch.stack([x[:, 0, 0, 0], -x[:, 0, 0, 0]], 1)


class Constant(nn.Module):
    def forward(self, x):
        return torch.eye(3)[0].expand(len(x), 3)


def test_consistency_is_the_share_of_pictures_with_one_label_under_two_crops(store, labelled):
    assert consistency(Constant(), store, store.names, VIEW, MACHINE, 0) == 1
    first, second = (crop_batch(store, store.names, 32, 0, epoch)[:, 0, 0, 0] >= 127.5 for epoch in (0, 1))
    share = consistency(Bright(), store, store.names, VIEW, MACHINE, 0)
    assert share == pytest.approx((first == second).mean()) and 0 < share < 1
    found = steadiness(Constant(), store, labelled, VIEW, MACHINE, 0)
    assert found == {"accuracy": pytest.approx(1 / 3), "consistency": 1.0, "images": 15}


def test_pictures_that_test_are_held_out_or_lie_apart(store, pictures, tmp_path):
    train, test = source_split(store, CLASSES, 2)
    assert len(train.names) == 9 and len(test.names) == 6 and not set(train.names) & set(test.names)
    write_noise(tmp_path, ["n04"], [(36, 40)] * 2, noise=200)
    decode_folder(tmp_path, tmp_path / "apart.arrow", 36)
    both = PixelStore([pictures, tmp_path / "apart.arrow"])
    train, test = source_split(both, [*CLASSES, "n04"], 2, [tmp_path / "apart.arrow"])
    assert list(train.names) == store.names and test.labels == [3, 3]
