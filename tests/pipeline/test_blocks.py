"""The blocks that a network's name tells are those it has."""

import re

import pytest
import timm
import torch
import torchvision

from headstart.networks.backbones import _block_names, _last_linear, load_classifier
from pipeline.config.blocks import BLOCKS, blocks_of, unknown_block

# The modules of timm that build the networks of each pattern, in its order.
MODULES = ["resnet", "efficientnet", "mobilenetv3", "convnext", "vgg", "densenet", "regnet"]
SMALL = {
    "torchvision": {
        *("resnet18", "wide_resnet50_2", "resnext50_32x4d", "alexnet", "convnext_tiny", "efficientnet_b0", "vgg11_bn"),
        *("mobilenet_v3_small", "densenet121", "mobilenet_v2", "mnasnet0_5", "shufflenet_v2_x0_5"),
    },
    "timm": {
        *("resnet10t", "wide_resnet50_2", "resnext50d_32x4d", "resnetblur18", "mobilenetv2_035", "efficientnet_b0"),
        *("tf_efficientnet_lite0", "tinynet_e", "mixnet_s", "mnasnet_small", "efficientnet_es", "lcnet_035"),
        *("tf_mobilenetv3_small_minimal_100", "convnext_atto", "convnextv2_atto", "vgg11", "densenet121"),
        *("regnetx_002", "regnety_002", "regnetz_005", "regnetv_040"),
    },
}


def known(library: str) -> list[str]:
    return timm.list_models() if library == "timm" else torchvision.models.list_models(module=torchvision.models)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("library", "name"), [(library, name) for library in SMALL for name in sorted(SMALL[library])])
def test_blocks_are_those_of_the_network(library, name):
    with torch.device("meta"):
        model = load_classifier(library, name, classes=3)
    names = _block_names(model, _last_linear(model)[0])
    assert list(dict.fromkeys(block.partition(".")[0] for block in names)) == blocks_of(library, name)
    assert not any(unknown_block(library, name, block) for block in names)
    assert "no block 'layer5' to train from; valid are" in (unknown_block(library, name, "layer5") or "")


def test_a_pattern_fits_networks_of_one_kind_only():
    for library, patterns in BLOCKS.items():
        fitting = [{name for name in known(library) if re.fullmatch(pattern, name)} for pattern in patterns]
        assert all(fitting) and len(set().union(*fitting)) == sum(map(len, fitting))
        assert all(found & SMALL[library] for found in fitting)
        if library == "timm":
            for module, found in zip(MODULES, fitting, strict=True):
                assert found <= set(timm.list_models(module=module))


def test_of_other_networks_nothing_is_said():
    for name in (
        "resnetv2_50",
        "resnet50_clip",
        "resnest14d",
        "resnet32ts",
        "vit_tiny_patch16_224",
        "mobilenetv5_300m",
    ):
        assert unknown_block("timm", name, "layer5") is None
    assert "valid are conv1, " in unknown_block("timm", "resnet18.a1_in1k", "layer5")
