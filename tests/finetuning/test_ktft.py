"""KTFT: a blurred pupil beside its unblurred teacher."""

import pytest
import torch
from test_backbones import Chain, build
from torch import nn
from toys import CLASSES, CPU, MACHINE, STEPS, VIEW, head, part, same

from headstart.finetuning.batches import draw_step
from headstart.finetuning.evaluation import own_evaluation
from headstart.finetuning.settings import Training
from headstart.finetuning.strategies.finetune import FineTune
from headstart.finetuning.strategies.ktft import changed_blocks, chosen_blocks, distance
from headstart.networks.blurring import Blur, blur

HEADS = {"random": head(0), "wordnet": head(1)}
NEITHER = {"pixel": 0, "global": 0}


class Blurred(FineTune):
    """Plain fine-tuning of a blurred network."""

    def cut(self, model, trained_from, side=96):
        network = super().cut(model, trained_from, side)
        blur(network.tail, network.trunk(torch.rand(1, 3, side, side)), 3)
        return network


def test_without_blur_and_transfer_it_is_plain_fine_tuning_bit_for_bit(train, strategy_of):
    history, weights = train(HEADS, strategy_of("ktft", size=1, **NEITHER))
    expected_history, expected = train(HEADS)
    assert same(weights, expected) and history.equals(expected_history)


def test_without_transfer_it_is_plain_fine_tuning_of_the_blurred_network_bit_for_bit(train, strategy_of):
    history, weights = train(HEADS, strategy_of("ktft", **NEITHER))
    expected_history, expected = train(HEADS, Blurred({}))
    assert same(weights, expected) and history.equals(expected_history)
    assert not same(weights, train(HEADS)[1])


@pytest.mark.parametrize("word", ["pixel", "global"])
def test_either_distance_changes_the_run(word, train, strategy_of):
    without = train({"a": head(0)}, strategy_of("ktft", **NEITHER))[1]
    assert not same(train({"a": head(0)}, strategy_of("ktft", **(NEITHER | {word: 1})))[1], without)


def test_another_size_of_filter_changes_the_run(train, strategy_of):
    three, five = (train({"a": head(0)}, strategy_of("ktft", size=size))[1] for size in (3, 5))
    assert not same(three, five)


def test_distances_against_numbers_by_hand():
    teacher = torch.tensor([[[[3.0, 1.0]]]])
    pupil = torch.tensor([[[[1.0, 3.0]]]])
    assert distance(pupil, teacher).item() == pytest.approx(((2**2 + 2**2) / 2) / ((9 + 1) / 2))
    assert distance(pupil.mean((2, 3)), teacher.mean((2, 3))).item() == 0  # the mean does not see where
    assert distance(torch.zeros_like(teacher), teacher).item() == 1
    assert torch.isfinite(distance(pupil, torch.zeros_like(teacher)))


class One(nn.Module):
    """A block that strides over two pixels and sums them up, as a classifier would have it."""

    def __init__(self):
        super().__init__()
        self.before = nn.Conv2d(3, 1, 1, bias=False)
        self.block = nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1, bias=False), nn.ReLU())
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.fc = nn.Linear(1, 2)
        with torch.no_grad():
            self.before.weight.fill_(1)
            self.block[0].weight.zero_()[0, 0, 1, 1] = 1

    def forward(self, x):
        return self.fc(self.pool(self.block(self.before(x))))


def test_the_loss_of_a_step_against_numbers_by_hand(images, strategy_of):
    """Rows of 0 and 4: the teacher sees only the zeros' neighbours or the fours, its pupil their mean of 2."""
    strategy = strategy_of("ktft", pixel=3.0, **{"global": 5.0})
    network = strategy.cut(One().eval(), "block", 8)
    assert strategy.blocks == ["block"]
    strategy.begin(network, MACHINE, Training(steps=1, evaluate_at=[0], dropout=0.0), images)
    replica = strategy.replica(torch.zeros(2, 1), torch.zeros(2))
    rows = torch.tensor([4.0, 0.0] * 4).expand(2, 3, 8, 8).contiguous() / 3
    step = strategy.share(1, (rows, torch.tensor([0, 1]), None))
    assert step.further["block"].unique().tolist() == [4.0]
    # Inside the rows 2 for 4; at the reflected edge too. Both distances are (2 / 4) squared; the head is undecided.
    assert strategy.loss(replica, step).item() == pytest.approx(torch.log(torch.tensor(2.0)).item() + (3 + 5) * 0.25)


def test_the_teacher_is_the_network_as_it_was_and_sees_the_batch_of_the_step(train, images, strategy_of):
    strategy = strategy_of("ktft", trained_from="features.0", blocks="features.1+features.2")
    network = strategy.cut(build(Chain), "features.1", 32)
    assert list(network.trunk) == [] and any(isinstance(one, Blur) for one in network.tail.modules())
    strategy.begin(network, MACHINE, Training(steps=STEPS, evaluate_at=[0]), images)
    inputs, labels, mask = draw_step(images, 5, 0.75, CPU, 1)
    step = strategy.share(1, (inputs, labels, mask))
    plain = build(Chain)
    with torch.no_grad():
        first = plain.features[1](plain.features[0](inputs))
        second = plain.features[2](first)
    assert list(step.further) == ["features.1", "features.2"]
    torch.testing.assert_close(step.further["features.1"], first)
    torch.testing.assert_close(step.further["features.2"], second)
    assert not any(value.requires_grad for value in step.further.values())


def test_a_run_from_an_earlier_block_is_scored_on_a_trunk_of_its_own(train, files, tmp_path, strategy_of):
    strategy = strategy_of("ktft", trained_from="features.0")
    network = strategy.cut(build(Chain), "features.1", 32)
    evaluation = own_evaluation(network.trunk, files, CLASSES, VIEW, MACHINE, tmp_path / "scratch.npy")
    _, weights = train({"a": head(0)}, strategy, network, evaluation=evaluation)
    assert set(part(weights, "a")) == set(build(Chain).state_dict())


def test_blocks_are_the_last_of_each_size_that_the_blur_changes(strategy_of):
    strategy = strategy_of("ktft")
    network = strategy.cut(build(Chain), "features.0", 32)
    found = changed_blocks(strategy.teacher, network.tail, torch.rand(2, 3, 32, 32))
    assert {name: tuple(size) for name, size in found.items() if name.count(".") == 1} == {
        "features.1": (8, 8),
        "features.2": (4, 4),
    }
    # The first reads the images, and stays as it is; of blocks with one output the outermost is named.
    assert strategy.blocks == ["features.1", "features"]
    with pytest.raises(ValueError, match="no block layer1 that the blur changes; expected some of .*features.2"):
        chosen_blocks("layer1+features.2", found)


def test_what_cannot_be_blurred_is_refused(strategy_of):
    class Unstrided(Chain):
        @staticmethod
        def block(inputs, outputs):
            return nn.Sequential(nn.Conv2d(inputs, outputs, 3, 1, 1), nn.BatchNorm2d(outputs), nn.ReLU())

    with pytest.raises(ValueError, match="nothing can be blurred"):
        strategy_of("ktft").cut(build(Unstrided), "features.1", 32)
