import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from test_backbones import Chain, build
from torch import nn

from headstart.data.crops import crop_batch
from headstart.data.images import PixelStore, decode_folder
from headstart.data.views import View
from headstart.machine.machines import Machine
from headstart.machine.memory import Sizes
from headstart.machine.prefetch import one_behind
from headstart.networks import embedding
from headstart.networks.backbones import cut, load_classifier
from headstart.networks.embedding import cache_trunk, embed, frozen_pass, normalise

CPU = torch.device("cpu")
VIEW = View(32, mean=[0.5, 0.4, 0.3], std=[0.5, 0.6, 0.7])
WORK = {"view": VIEW, "machine": Machine(CPU), "batch": 4}


@pytest.fixture
def store(tmp_path):
    generator = np.random.default_rng(0)
    (tmp_path / "pictures").mkdir()
    for number in range(6):
        pixels = generator.integers(0, 256, (36, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"pictures/n01_{number}.png")
    decode_folder(tmp_path / "pictures", tmp_path / "n01.arrow", 36)
    return PixelStore([tmp_path / "n01.arrow"])


@pytest.fixture
def network():
    return cut(build(Chain), "features.1", side=32)


def test_crops_become_what_torchvision_would_give():
    crops = np.random.default_rng(0).integers(0, 256, (2, 5, 5, 3), dtype=np.uint8)
    found = normalise(crops, VIEW, CPU)
    from torchvision.transforms import functional

    for image, tensor in zip(crops, found, strict=True):
        assert torch.equal(functional.normalize(functional.to_tensor(image), VIEW.mean, VIEW.std), tensor)
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_features_times_the_head_are_the_logits_of_the_whole_network(store, network):
    features = embed(network.trunk, network.tail, store, store.names, **WORK)
    assert features.shape == (6, 5) and features.dtype == np.float32
    logits = features @ network.head.weight.detach().numpy().T + network.head.bias.detach().numpy()
    inputs = normalise(crop_batch(store, store.names, 32), VIEW, CPU)
    with torch.inference_mode():
        whole = build(Chain)(inputs)
    np.testing.assert_allclose(logits, whole.numpy(), rtol=1e-4, atol=1e-6)


def test_features_follow_the_order_of_the_names(store, network):
    forward = embed(network.trunk, network.tail, store, store.names, **WORK)
    backward = embed(network.trunk, network.tail, store, store.names[::-1], **WORK)
    np.testing.assert_allclose(backward[::-1], forward, rtol=1e-5)
    assert not np.allclose(backward, forward, rtol=1e-3)


def test_a_pass_leaves_training_mode_and_statistics_out_of_it(store, network):
    network.trunk.train(), network.tail.train()
    before = {name: value.clone() for name, value in network.tail.state_dict().items()}
    embed(network.trunk, network.tail, store, store.names, **WORK)
    assert all(torch.equal(value, before[name]) for name, value in network.tail.state_dict().items())


def test_features_that_are_no_numbers_are_refused_by_image_name(store, network):
    bias = network.trunk[0][0][0].bias
    with torch.no_grad():
        bias[0] = float("nan")
    with pytest.raises(
        ValueError, match=r"NaN or infinite float32 values for 4 of 4 images, first n01_0.png, n01_1.png"
    ):
        embed(network.trunk, network.tail, store, store.names, **WORK)


def test_an_empty_list_of_images_is_refused(store, network):
    with pytest.raises(ValueError, match="no image names"):
        embed(network.trunk, network.tail, store, [], **WORK)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float16", 1e-3)])
def test_the_cached_trunk_is_the_trunk(store, network, tmp_path, dtype, tolerance):
    path = tmp_path / "deep/trunk.npy"
    cache_trunk(network.trunk, store, store.names, **WORK, path=path, dtype=dtype)
    cached = np.load(path, mmap_mode="r")
    assert cached.dtype == dtype and cached.shape == (6, 6, 16, 16)
    inputs = normalise(crop_batch(store, store.names, 32), VIEW, CPU)
    with torch.inference_mode():
        np.testing.assert_allclose(cached, network.trunk(inputs).numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("at_once", [None, 3])
def test_a_trunk_without_blocks_keeps_the_image_itself(store, tmp_path, dtype, at_once):
    machine, names = Machine(CPU, compile=True, at_once=at_once), store.names[:5]
    cache_trunk(nn.Sequential(), store, names, VIEW, machine, tmp_path / "images.npy", batch=4, dtype=dtype)
    cached, images = np.load(tmp_path / "images.npy"), normalise(crop_batch(store, names, 32), VIEW, CPU).numpy()
    assert cached.dtype == dtype and cached.shape == (5, 3, 32, 32)
    assert np.array_equal(cached, images.astype(dtype)) and len(np.unique(cached)) > 100


def test_a_pass_has_the_threads_of_its_machine(store, network, tmp_path):
    before, seen = torch.get_num_threads(), []
    network.trunk.register_forward_pre_hook(lambda _, inputs: seen.append(torch.get_num_threads()))
    for threads in (before + 1, None):
        work = WORK | {"machine": Machine(CPU, threads=threads), "batch": 6}
        embed(network.trunk, network.tail, store, store.names, **work)
        cache_trunk(network.trunk, store, store.names, **work, path=tmp_path / "trunk.npy")
    assert seen == [before + 1] * 2 + [before] * 2 and torch.get_num_threads() == before


def test_values_too_large_for_float16_are_refused_and_leave_no_file(store, network, tmp_path):
    with torch.no_grad():
        network.trunk[0][0][1].weight.mul_(1e7)
    with pytest.raises(ValueError, match="infinite float16 values"):
        cache_trunk(network.trunk, store, store.names, **WORK, path=tmp_path / "trunk.npy", dtype="float16")
    assert not list(tmp_path.glob("*trunk*"))
    with pytest.raises(ValueError, match="valid are float32, float16"):
        cache_trunk(network.trunk, store, store.names, **WORK, path=tmp_path / "trunk.npy", dtype="int8")


def test_the_real_network_knows_most_ilsvrc_photographs(tmp_path):
    data = Path(os.environ.get("HEADSTART_DATA", "../shared/data"))
    weights = data / "source/mobilenetv2_100_same_imagenet1k.safetensors"
    if not weights.is_file() or not (data / "ilsvrc_samples").is_dir():
        pytest.skip(f"no real network and photographs in {data}")
    files = sorted((data / "ilsvrc_samples").glob("*.JPEG"))
    for file in files[::25]:
        shutil.copy(file, tmp_path)
    names = decode_folder(tmp_path, tmp_path / "samples.arrow", 256)
    network = cut(load_classifier("timm", "mobilenetv2_100", 1000, weights, {"pad_type": "same"}), "blocks.6")
    store, view = PixelStore([tmp_path / "samples.arrow"]), View(224, [0.5] * 3, [0.5] * 3)
    features = embed(network.trunk, network.tail, store, names, view, Machine(CPU), batch=20)
    logits = features @ network.head.weight.detach().numpy().T + network.head.bias.detach().numpy()
    assert np.mean(logits.argmax(1) == np.arange(1000)[::25]) > 0.75  # 0.859 of all 1000


def test_passes_give_the_same_bits_whatever_goes_at_once(store, network, tmp_path):
    seen = []
    network.trunk.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    names = store.names[:5]

    def both(machine, path):
        cache_trunk(network.trunk, store, names, VIEW, machine, path, batch=5)
        return embed(network.trunk, network.tail, store, names, VIEW, machine, batch=5)

    whole = both(Machine(CPU), tmp_path / "whole.npy")
    assert seen == [5, 5]
    for at_once in (1, 2, 3, 4, 5):
        assert np.array_equal(both(Machine(CPU).holding(Sizes(at_once)), tmp_path / "parts.npy"), whole)
        assert (tmp_path / "parts.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()
    assert seen[2:] == [3, 2] * 8 + [5] * 2


def test_large_batches_go_through_a_cpu_in_pieces(network):
    seen = []
    network.trunk.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    inputs = torch.rand((10, 3, 448, 224), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        pieces, whole = frozen_pass(network.trunk, inputs), network.trunk(inputs)
    assert seen == [8, 2, 10]
    torch.testing.assert_close(pieces, whole)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_second_thread_writes_the_same_file_and_says_what_is_no_number(store, network, tmp_path, monkeypatch, dtype):
    paths, threads = [tmp_path / "one.npy", tmp_path / "two.npy"], []
    cache_trunk(network.trunk, store, store.names, **WORK, path=paths[0], dtype=dtype)

    def behind(use, items, second_thread):
        assert not second_thread
        one_behind(lambda item: threads.append(threading.current_thread()) or use(item), items)

    monkeypatch.setattr(embedding, "one_behind", behind)
    cache_trunk(network.trunk, store, store.names, **WORK, path=paths[1], dtype=dtype)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert threads and threading.current_thread() not in threads
    with torch.no_grad():
        network.trunk[0][0][0].bias[0] = float("nan")
    with pytest.raises(ValueError, match="NaN or infinite"):
        cache_trunk(network.trunk, store, store.names, **WORK, path=tmp_path / "three.npy", dtype=dtype)
