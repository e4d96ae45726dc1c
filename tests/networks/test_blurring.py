"""Every map keeps its size and its grid, weights are loaded as they are, and only what should is blurred."""

from copy import deepcopy

import pytest
import timm
import torch
import torchvision
from torch import nn

from headstart.networks.backbones import cut
from headstart.networks.blurring import Blur, blur

SIDE = 64
TINY = {"layers": [1, 1, 1, 1], "channels": [8, 8, 8, 16], "stem_width": 8}
NETWORKS = {
    "torchvision resnet18": lambda: torchvision.models.resnet18(),
    "torchvision shufflenet": lambda: torchvision.models.shufflenet_v2_x0_5(),
    "bottlenecks": lambda: torchvision.models.ResNet(
        torchvision.models.resnet.Bottleneck, [1, 1, 1, 1], width_per_group=8
    ),
    "timm resnet10t": lambda: timm.create_model("resnet10t", channels=[16, 32, 64, 128], stem_width=16),
    "timm resnet18, minimal": lambda: timm.create_model("resnet18", **TINY),
    "timm mobilenetv2, TensorFlow's padding": lambda: timm.create_model("mobilenetv2_050", pad_type="same"),
    "timm regnet": lambda: timm.create_model("regnety_002"),
}
LEFT = {"torchvision resnet18": "conv1", "timm mobilenetv2, TensorFlow's padding": "conv_stem"}
every_network = pytest.mark.parametrize("name", NETWORKS)


def images(side=SIDE):
    return torch.rand((2, 3, side, side), generator=torch.Generator().manual_seed(0))


def lively(name):
    """A network with random weights whose outputs are of a size, as BatchNorm's statistics are those of images."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = NETWORKS[name]()
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 1.0
    with torch.no_grad():
        model.train()(images())
    return model.eval()


def outputs(model, side=SIDE):
    with torch.no_grad():
        return model(images(side))


def sizes(model):
    """The size of every map that a block with weights gives."""
    found = {}
    hooks = [
        part.register_forward_hook(lambda _, given, made, name=name: found.update({name: made.shape}))
        for name, part in model.named_modules()
        if list(part.children()) and not isinstance(part, Blur | nn.BatchNorm2d | nn.ReLU)
    ]
    outputs(model)
    for hook in hooks:
        hook.remove()
    return {name: size for name, size in found.items() if "blur" not in name}


@every_network
def test_nothing_but_the_blur_changes(name):
    model = lively(name)
    blurred = deepcopy(model)
    found = blur(blurred, images(), 3)
    assert len(found) >= 3 and LEFT.get(name) not in found
    assert list(blurred.state_dict()) == list(model.state_dict())
    assert [key for key, _ in blurred.named_parameters()] == [key for key, _ in model.named_parameters()]
    assert all(map(torch.equal, blurred.state_dict().values(), model.state_dict().values()))
    assert sizes(model).items() <= sizes(blurred).items()
    plain = outputs(model)
    assert (outputs(blurred) - plain).abs().max() > 0.05 * plain.abs().max()
    for part in blurred.modules():  # a filter of a single pixel in place of the blur
        if isinstance(part, Blur):
            part.filt.zero_()[:, :, part.padding[0], part.padding[0]] = 1
    torch.testing.assert_close(outputs(blurred), plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [2, 4, 7])
def test_filters_of_any_size_keep_the_maps(size):
    model = lively("timm resnet18, minimal")
    blurred = deepcopy(model)
    blur(blurred, images(), size)
    assert sizes(model).items() <= sizes(blurred).items()
    assert all(abs(part.filt.sum() / len(part.filt) - 1) < 1e-6 for part in blurred.modules() if isinstance(part, Blur))


def test_odd_sides_keep_the_maps_under_tensorflows_padding():
    model = lively("timm mobilenetv2, TensorFlow's padding")
    blurred = deepcopy(model)
    blur(blurred, images(75), 4)
    assert outputs(blurred, 75).shape == outputs(model, 75).shape


def test_a_mobilenet_is_that_which_timm_builds_for_anti_aliasing():
    """timm puts the same filters at the same places; elsewhere it leaves shortcuts aliased."""
    model = timm.create_model("mobilenetv2_050").eval()
    timms = timm.create_model("mobilenetv2_050", aa_layer="blur").eval()
    timms.load_state_dict(model.state_dict())
    blur(model, images(), 3)
    torch.testing.assert_close(outputs(model), outputs(timms), rtol=1e-5, atol=0)


class Strided(nn.Module):
    """A shortcut without an activation beside a layer with one that is used twice."""

    def __init__(self):
        super().__init__()
        self.long, self.short = nn.Conv2d(1, 1, 3, 2, 1, bias=False), nn.Conv2d(1, 1, 1, 2, bias=False)
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.relu(self.long(x)) + self.short(x))


def test_the_blur_comes_behind_the_activation_and_before_a_shortcut():
    """Against arithmetic: a row of pixels that alternate, which a filter of (1 2 1) / 4 makes even."""
    model = Strided().eval()
    with torch.no_grad():
        model.long.weight.zero_()[0, 0, 1, 1] = 1
        model.short.weight.fill_(10)
    rows = torch.tensor([[-4.0, 8.0] * 4]).expand(8, 8)[None, None]
    assert model(rows)[0, 0, 0].tolist() == [0.0] * 4
    assert blur(model, rows, 3) == ["long", "short"]
    # Behind the activation (0 and 8) the mean is 4, before it it would be 2; of the shortcut's inputs it is 2.
    assert model(rows)[0, 0, 1].tolist() == [4 + 20] * 4
    assert model.short.stride == (1, 1)


def test_a_blurred_network_can_be_cut_and_one_without_strides_is_refused():
    model = lively("timm resnet18, minimal")
    blur(model, images(), 3)
    network = cut(model, "layer4", SIDE)
    torch.testing.assert_close(network.head(network.tail(network.trunk(images()))), outputs(model))
    vit = timm.create_model("vit_tiny_patch16_224", img_size=32, depth=1)
    with pytest.raises(ValueError, match="nothing can be blurred in VisionTransformer: .* such as a ResNet"):
        blur(vit, images(32), 3)
    assert blur(vit, images(32), 1) == []
