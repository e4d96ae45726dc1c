import pytest
import torch

from headstart.finetuning.costs import measure_costs
from headstart.finetuning.replicas import Replica
from headstart.networks.backbones import cut, load_classifier

VIT = {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 3, "num_heads": 2}
SWIN = {"img_size": 64, "embed_dim": 12, "depths": [1, 1, 2, 1], "num_heads": [1, 1, 2, 2], "window_size": 2}


@pytest.mark.parametrize(
    ("library", "name", "options", "trained_from", "side"),
    [
        ("timm", "vit_small_patch16_224", VIT, "blocks.2", 32),
        ("timm", "vit_small_patch16_224", VIT, "norm", 32),
        ("timm", "vit_small_patch16_224", VIT, None, 32),
        ("timm", "vit_small_patch16_224", VIT, "patch_embed", 32),
        ("timm", "vit_small_patch16_224", {**VIT, "global_pool": "avg", "class_token": False}, "blocks.2", 32),
        ("timm", "vit_small_patch16_224", {**VIT, "global_pool": "avg"}, "blocks.2", 32),
        ("timm", "vit_small_patch16_224", {**VIT, "reg_tokens": 4, "no_embed_class": True}, "blocks.2", 32),
        ("timm", "deit_tiny_patch16_224", VIT, "blocks.1", 32),
        ("timm", "deit3_small_patch16_224", VIT, "blocks.1", 32),
        ("timm", "swin_tiny_patch4_window7_224", SWIN, "layers.3", 64),
        ("timm", "swin_tiny_patch4_window7_224", SWIN, "layers.2", 64),
        ("timm", "swinv2_tiny_window8_256", SWIN, "layers.3", 64),
        ("torchvision", "vit_b_32", {"image_size": 64}, "encoder.layers.encoder_layer_11", 64),
        ("torchvision", "vit_b_32", {"image_size": 64}, None, 64),
        ("torchvision", "swin_t", {}, "features.7", 64),
    ],
)
def test_transformers_are_cut_at_their_blocks_at_their_own_side(library, name, options, trained_from, side):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model = load_classifier(library, name, 7, options=options)
    with torch.no_grad():
        for parameter in model.parameters():  # tokens and positions that a wrong place would show in
            parameter += 0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(parameter)))
    images = torch.rand((2, 3, side, side), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        whole = model(images)
    network = cut(model, trained_from, side)
    with torch.inference_mode():
        outputs = network.trunk(images)
        torch.testing.assert_close(network.head(network.tail(outputs)), whole)
    outputs = network.trunk(images)
    replica = Replica(network.tail, torch.zeros(3, network.head.in_features), torch.zeros(3))
    first, second = (replica(outputs.clone())[0] for _ in range(2))
    assert torch.equal(first, second)  # nothing is random in training
    if trained_from:
        first.sum().backward()
        assert all(parameter.grad is not None for parameter in replica.tail.parameters())
    assert measure_costs(network, 3, side).head == 2 * 3 * network.head.in_features
    torch.set_num_threads(threads)


def test_a_side_that_the_network_does_not_take_is_told_with_the_cure():
    model = load_classifier("timm", "vit_small_patch16_224", 3, options=VIT)
    with pytest.raises(ValueError, match=r"no images of 96 x 96 pixels \(.*32.*\); set images.crop .*img_size: 96"):
        cut(model, "blocks.2")


def test_a_transformer_that_is_no_chain_is_refused_with_those_that_are():
    model = load_classifier("timm", "deit_tiny_distilled_patch16_224", 3, options=VIT)
    with pytest.raises(ValueError, match=r"is no chain of its blocks .*choose a network such as .*Swin or ViT"):
        cut(model, "blocks.2", 32)
