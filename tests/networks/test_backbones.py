import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from headstart.networks.backbones import cut, load_classifier
from headstart.networks.weights import read_weights

LIBRARY = Path(__file__).parents[2] / "src"


class Chain(nn.Module):
    """Two blocks and a classifier with dropout, as torchvision builds them."""

    def __init__(self, classes=4):
        super().__init__()
        self.features = nn.Sequential(self.block(3, 6), self.block(6, 8), self.block(8, 5))
        self.classifier = nn.Sequential(nn.Dropout(0.5), nn.Linear(5, classes))

    @staticmethod
    def block(inputs, outputs):
        return nn.Sequential(nn.Conv2d(inputs, outputs, 3, 2, 1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))

    def forward(self, x):
        return self.classifier(nn.functional.adaptive_avg_pool2d(self.features(x), 1).flatten(1))


class Skip(Chain):
    """Not a chain: the first block's output is used twice."""

    def forward(self, x):
        first = self.features[0](x)
        last = self.features[2](self.features[1](first))
        return self.classifier(last.mean((2, 3)) + first.mean((1, 2, 3))[:, None])


def build(kind, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = kind()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):  # statistics that a wrong order of blocks would show in
            module.running_mean += 0.1
            module.running_var *= 2
    return model.eval()


def run(network, images):
    with torch.inference_mode():
        return network.head(network.tail(network.trunk(images)))


@pytest.mark.parametrize(
    ("library", "name", "options", "trained_from", "first"),
    [
        ("torchvision", "resnet18", {}, "layer4", "layer4.0.conv1.weight"),
        ("torchvision", "mobilenet_v2", {"width_mult": 0.25}, "features.14", "features.14.conv.0.0.weight"),
        ("torchvision", "densenet121", {}, "features.denseblock4", None),
        ("timm", "mobilenetv2_100", {"pad_type": "same"}, "blocks.5", "blocks.5.0.conv_pw.weight"),
        ("timm", "resnet10t", {}, "layer3", "layer3.0.conv1.weight"),
        ("timm", "convnext_atto", {"depths": [1, 1, 1, 1]}, "stages.3", None),
    ],
)
def test_the_parts_of_real_networks_make_up_the_whole(library, name, options, trained_from, first):
    model = load_classifier(library, name, 7, options=options)
    images = torch.rand((2, 3, 64, 64), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        whole = model(images)
    network = cut(model, trained_from, side=64)
    torch.testing.assert_close(run(network, images), whole)
    assert network.head.out_features == 7
    if first:
        assert next(iter(network.tail.state_dict())) == first
    weights = model.state_dict()
    names = [
        *network.trunk.state_dict(),
        *network.tail.state_dict(),
        *(f"{network.head_name}.{n}" for n in ("weight", "bias")),
    ]
    assert sorted(names) == sorted(weights)


@pytest.mark.parametrize(
    "trained_from", ["features", "features.0", "features.2", "features.1.1", "classifier", "classifier.1"]
)
def test_a_chain_can_be_cut_at_every_block(trained_from):
    model = build(Chain)
    images = torch.rand((3, 3, 32, 32), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        whole = model(images)
    network = cut(model, trained_from, side=32)
    assert torch.equal(run(network, images), whole)
    names = [name for name in model.state_dict() if not name.startswith("classifier")]
    first = next((place for place, name in enumerate(names) if name.startswith(trained_from)), len(names))
    assert list(network.trunk.state_dict()) == names[:first]
    assert list(network.tail.state_dict()) == names[first:]
    assert not any(parameter.requires_grad for parameter in network.trunk.parameters())


def test_a_tail_writes_nothing_over_the_trunks_output():
    network = cut(build(Chain), "features.0.2", side=32)  # begins with an activation in place
    outputs = torch.randn((2, 6, 16, 16), generator=torch.Generator().manual_seed(0))
    before = outputs.clone()
    network.tail(outputs)
    assert torch.equal(outputs, before)


def test_the_last_layer_alone_leaves_an_empty_tail():
    network = cut(build(Chain), "classifier.1", side=32)
    assert list(network.tail.parameters()) == []
    assert network.trunk(torch.rand(2, 3, 32, 32)).shape == (2, 5)


def test_an_unknown_block_is_refused_with_all_valid_names():
    with pytest.raises(ValueError, match="no block 'layer9'") as error:
        cut(build(Chain), "layer9", side=32)
    valid = str(error.value).partition("valid are ")[2].split(", ")
    assert valid[:5] == ["features", "features.0", "features.0.0", "features.0.1", "features.0.2"]
    assert valid[-2:] == ["classifier", "classifier.1"]
    for name in valid:
        assert cut(build(Chain), name, side=32)


def test_a_network_that_is_no_chain_is_refused():
    with pytest.raises(ValueError, match="Skip is no chain of its blocks"):
        cut(build(Skip), "features.1", side=32)


def test_a_network_without_a_linear_layer_is_refused():
    with pytest.raises(ValueError, match="no linear layer"):
        cut(nn.Sequential(nn.Conv2d(3, 2, 1)), "0")


def test_dropout_and_random_depth_are_taken_out_of_the_tail():
    network = cut(load_classifier("torchvision", "efficientnet_b0", 3), "features.7", side=64)
    assert not [module for module in network.tail.modules() if type(module).__name__ in ("Dropout", "StochasticDepth")]
    outputs = network.trunk(torch.rand(2, 3, 64, 64))
    network.tail.train()
    assert torch.equal(network.tail(outputs), network.tail(outputs))


def test_random_weights_depend_on_the_seed_alone_and_leave_the_global_generator():
    before = torch.get_rng_state()
    first, second, other = (load_classifier("timm", "resnet10t", 3, seed=seed).fc.weight for seed in (0, 0, 1))
    assert torch.equal(first, second) and not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_come_from_a_file(tmp_path, suffix):
    state = load_classifier("timm", "resnet10t", 3, seed=5).state_dict()
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save(state, path)
    else:
        save_file(state, path)
    loaded = load_classifier("timm", "resnet10t", 3, path, seed=6)
    assert not loaded.training
    assert all(torch.equal(state[name], value) for name, value in loaded.state_dict().items())


def test_weights_of_another_shape_or_name_are_refused_with_names_and_shapes(tmp_path):
    state = load_classifier("timm", "resnet10t", 5).state_dict()
    state["strange"] = torch.ones(1)
    del state["conv1.0.weight"]
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match="do not fit") as error:
        load_classifier("timm", "resnet10t", 3, tmp_path / "w.safetensors")
    for part in (
        "w.safetensors (for timm resnet10t with 3 classes)",
        "1 missing in the file (conv1.0.weight)",
        "1 unknown to the network (strange)",
        "2 of another shape (fc.weight: file (5, 512), network (3, 512), fc.bias: file (5,), network (3,))",
        "number of source classes",
    ):
        assert part in str(error.value)


def test_broken_files_are_refused_with_the_cure(tmp_path):
    good = tmp_path / "good.pth"
    torch.save({"a": torch.rand(1000)}, good)
    cases = {
        "page.pth": (b"<!DOCTYPE html><html>Not found</html>", "web page"),
        "page.safetensors": (b"<html>", "web page"),
        "pointer.pth": (b"version https://git-lfs.github.com/spec/v1\n", "pointer"),
        "half.pth": (good.read_bytes()[:2000], "cut short"),
        "half.safetensors": (b"\x40\x00\x00\x00\x00\x00\x00\x00{", "cut short"),
        "empty.pth": (b"", "cut short"),
    }
    for name, (content, cure) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name}.*{cure}"):
            read_weights(tmp_path / name)


def test_a_pickle_with_more_than_tensors_is_refused(tmp_path):
    torch.save(build(Chain), tmp_path / "model.pth")
    with pytest.raises(ValueError, match=r"more than plain tensors.*state_dict"):
        read_weights(tmp_path / "model.pth")
    torch.save({"epoch": 3, "model": {"a": 1}}, tmp_path / "run.pth")
    with pytest.raises(ValueError, match="entries epoch, model that are none"):
        read_weights(tmp_path / "run.pth")


def test_a_missing_file_and_unknown_names_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no weights at"):
        read_weights(tmp_path / "absent.pth")
    with pytest.raises(ValueError, match="valid are timm, torchvision"):
        load_classifier("keras", "resnet18", 3)
    with pytest.raises(ValueError, match=r"no network 'resnet19'.*resnet18"):
        load_classifier("torchvision", "resnet19", 3)


def test_neither_torchvision_nor_timm_is_imported_before_it_is_asked_for():
    code = "import sys, headstart.finetuning.training; print([m for m in ('torchvision', 'timm') if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(LIBRARY)}, capture_output=True, text=True
    )
    assert found.stdout.strip() == "[]", found.stderr


@pytest.mark.parametrize(
    "name",
    ["resnet10t.c3_in1k", "timm/resnet10t.c3_in1k", "hf-hub:timm/resnet10t.c3_in1k", "hf_hub:timm/resnet10t.c3_in1k"],
)
def test_a_timm_network_may_carry_the_tag_of_its_weights(name):
    tagged, plain = (load_classifier("timm", name, 3) for name in (name, "resnet10t"))
    assert all(torch.equal(value, tagged.state_dict()[key]) for key, value in plain.state_dict().items())


def test_an_unknown_tag_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"resnet10t has no weights tagged 'c4'; its tags are .*c3_in1k.*: resnet10t$"):
        load_classifier("timm", "resnet10t.c4", 3)
    with pytest.raises(ValueError, match=r"timm has no network 'resnet11t' among its \d+; close are .*resnet1.t"):
        load_classifier("timm", "resnet11t.c3_in1k", 3)
