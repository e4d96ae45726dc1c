"""The work of a network is counted exactly, without passing an image through it."""

from collections import OrderedDict

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from headstart.finetuning.costs import measure_costs
from headstart.finetuning.replicas import Replica
from headstart.networks.backbones import cut, load_classifier

SMALL = {"layers": [1, 1, 1, 1], "channels": [8, 8, 8, 16], "stem_width": 8}


def chain() -> nn.Sequential:
    """Return a network whose work can be counted by hand."""
    blocks = {
        "stem": nn.Conv2d(3, 4, 3, padding=1, bias=False),
        "block": nn.Sequential(nn.Conv2d(4, 6, 1, bias=False), nn.Conv2d(6, 6, 3, padding=1, groups=6, bias=False)),
        "pool": nn.AdaptiveAvgPool2d(1),
        "flat": nn.Flatten(),
        "fc": nn.Linear(6, 9),
    }
    return nn.Sequential(OrderedDict(blocks))


@pytest.fixture(scope="module")
def resnet101():
    return measure_costs(cut(load_classifier("torchvision", "resnet101", 1000), "layer4"), classes=90, side=224)


def test_work_is_that_of_arithmetic_by_hand():
    costs = measure_costs(cut(chain(), "block"), classes=5, side=8)
    pixels = 8 * 8
    first, grouped, head = 2 * pixels * 4 * 6, 2 * pixels * 6 * 9, 2 * 6 * 5
    assert costs.trunk == 2 * pixels * 3 * 4 * 9
    assert (costs.tail, costs.head) == (first + grouped, head)
    # Forward, gradients of weights and of inputs, but none of the first layer's input, which is the trunk's output.
    assert costs.training == 3 * (first + grouped + head) - first
    assert (costs.outputs, costs.features) == (4 * pixels, 6)
    assert costs.parameters == costs.weights == 4 * 6 + 6 * 9 + 6 * 5 + 5


def test_papers_network_has_the_work_that_was_measured(resnet101):
    giga = {"trunk": 6.990, "tail": 0.809, "training": 2.223}
    for part, multiplications in giga.items():
        assert getattr(resnet101, part) / 2e9 == pytest.approx(multiplications, rel=0.01), part
    assert (resnet101.outputs, resnet101.features) == (1024 * 14 * 14, 2048)


def test_training_is_what_the_counter_says_of_a_real_backward_pass():
    network = cut(load_classifier("timm", "resnet18", 7, options=SMALL), "layer3")
    replica = Replica(network.tail, torch.zeros(4, network.head.in_features), torch.zeros(4))
    with torch.no_grad():
        outputs = network.trunk(torch.rand(2, 3, 64, 64))
    with FlopCounterMode(display=False) as counter:
        replica(outputs)[1].sum().backward()
    assert measure_costs(network, classes=4, side=64).training == counter.get_total_flops() // 2


def test_a_cut_at_the_last_layer_trains_the_head_alone():
    costs = measure_costs(cut(chain()), classes=5, side=8)
    assert (costs.tail, costs.head, costs.training) == (0, 2 * 6 * 5, 2 * 2 * 6 * 5)


def test_measuring_leaves_the_network_as_it_was():
    network = cut(load_classifier("timm", "resnet18", 7, options=SMALL), "layer4")
    parts = (network.trunk, network.tail, network.head)
    values = [value.clone() for part in parts for value in part.state_dict().values()]
    modes = [module.training for part in parts for module in part.modules()]
    measure_costs(network, classes=4, side=32)
    left = [value for part in parts for value in part.state_dict().values()]
    assert all(torch.equal(old, new) for old, new in zip(values, left, strict=True))
    assert modes == [module.training for part in parts for module in part.modules()]
