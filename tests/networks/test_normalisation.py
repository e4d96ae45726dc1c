import pytest

from headstart.data.views import View
from headstart.networks.normalisation import published_views, warn_of_others

IMAGENET = View(96, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
HALF = View(96, mean=[0.5] * 3, std=[0.5] * 3)


@pytest.mark.parametrize(
    ("library", "name", "own"),
    [
        ("timm", "resnet18", IMAGENET),
        ("timm", "resnet18.a1_in1k", IMAGENET),
        ("timm", "timm/mobilenetv2_100", IMAGENET),
        ("timm", "vit_small_patch16_224", HALF),
        ("timm", "tf_efficientnet_b0.in1k", IMAGENET),
        ("timm", "tf_efficientnet_b0.ns_jft_in1k", IMAGENET),
        ("timm", "tf_efficientnetv2_b0", IMAGENET),
        ("torchvision", "resnet18", IMAGENET),
        ("torchvision", "swin_t", IMAGENET),
    ],
)
def test_the_librarys_own_mean_and_std_are_held_against_the_configs(library, name, own, capsys):
    other = HALF if own is IMAGENET else IMAGENET
    assert published_views(library, name, own) == []
    (found,) = published_views(library, name, other)
    assert (list(found.mean), list(found.std), found.side) == (own.mean, own.std, 96)
    warn_of_others(library, name, own)
    warn_of_others(library, name, other, pretrained=False)
    assert capsys.readouterr().out == ""
    warn_of_others(library, name, other)
    said = capsys.readouterr().out
    assert f"WARNING: source.mean {other.mean} and source.std {other.std} are not {library}'s own" in said
    assert f"of {name}, mean {own.mean} and std {own.std}" in said


def test_nothing_is_said_of_a_network_without_weights_in_its_library():
    assert published_views("timm", "efficientnet_b8", HALF) == []
