"""The folder is one model in every form; the examples of the page on how to load each are run as they stand."""

import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import onnx
import pytest
import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file
from small_model import CLASSES, MACHINE, NAMES, NETWORK, SHORT_SIDE, VIEW

from headstart.data.crops import crop_batch
from headstart.models.evaluation import Shown, check_onnx, show
from headstart.models.folder import Model, class_names, load_model
from headstart.models.forms import require_equal, run_onnx, write_config, write_onnx, write_weights
from headstart.models.prediction import read_crop
from headstart.networks.backbones import load_classifier
from headstart.networks.embedding import normalise

PROJECT = Path(__file__).parents[2]
EXAMPLES = dict(re.findall(r"## In (\w+)\n\n```python\n(.*?)```", (PROJECT / "docs/model.md").read_text(), re.DOTALL))


@pytest.fixture
def inputs(store):
    return normalise(crop_batch(store, store.names, VIEW.side), VIEW, torch.device("cpu")).contiguous()


@pytest.fixture
def logits(network, inputs):
    with torch.inference_mode():
        return network(inputs).numpy()


def test_timm_reads_the_folder_with_its_classes_and_its_view(folder, inputs, logits, pictures, store):
    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    with torch.inference_mode():
        assert np.abs(model(inputs).numpy() - logits).max() < 1e-5
    assert model.pretrained_cfg["label_names"] == NAMES and model.num_classes == 3
    assert model.pretrained_cfg.get("license") is None  # that of weights which are not these
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    for row, name in enumerate(store.names):
        shown = transform(Image.open(pictures / name).convert("RGB"))
        assert torch.allclose(shown, inputs[row], atol=1e-6), name


def test_the_state_is_the_networks_own_by_name_and_bit(folder, network):
    state = load_file(folder / "model.safetensors")
    assert set(state) == set(network.state_dict())
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in state.items())


def test_the_folder_read_back_is_the_model(folder, model, store, split):
    found = load_model(folder)
    assert (found.view, found.short_side, found.temperature) == (VIEW, SHORT_SIDE, 2.0)
    first, second = (show(one, store, split, "test", MACHINE) for one in (found, model))
    assert first.logits.tobytes() == second.logits.tobytes() and first.labels.tolist() == [0, 0, 1, 1, 2, 2]


def test_a_folder_without_a_card_is_no_model(tmp_path):
    with pytest.raises(ValueError, match=r"holds no card\.json, so it is no model; expected a folder that rule export"):
        load_model(tmp_path)


def test_onnx_gives_the_same_logits_for_any_number_of_images(folder, inputs, logits):
    found = run_onnx(folder / "model.onnx", inputs.numpy(), batch=5)
    assert require_equal(found, logits, "ONNX") < 1e-5 and found.shape == logits.shape


def test_onnx_is_the_same_bytes_again_and_names_no_place_of_this_machine(folder, network, tmp_path):
    write_onnx(network, tmp_path / "again.onnx", VIEW.side)
    written = (folder / "model.onnx").read_bytes()
    assert (tmp_path / "again.onnx").read_bytes() == written
    assert b".py" not in written and str(PROJECT).encode() not in written
    onnx.checker.check_model(str(folder / "model.onnx"), full_check=True)


def test_onnx_of_another_network_is_refused(folder, model, store, split):
    shown = show(model, store, split, "test", MACHINE)
    assert check_onnx(folder / "model.onnx", model, store, shown)["images"] == 6
    other = Shown(shown.images, shown.labels, shown.logits + np.float32([0, 0, 0.01]))
    with pytest.raises(ValueError, match=r"model\.onnx gives other logits than the network on 6 pictures"):
        check_onnx(folder / "model.onnx", model, store, other)


def test_a_tie_may_fall_either_way_and_nothing_else():
    tied, told = np.array([[1.0, 1.0 + 1e-5, 0.0]]), np.array([[1.0, 1.5, 0.0]])
    assert require_equal(tied[:, [1, 0, 2]], tied, "ONNX") < 1e-4
    with pytest.raises(ValueError, match="1 pictures are called otherwise"):
        require_equal(told[:, [1, 0, 2]], told, "ONNX")


def test_torchvision_takes_the_state_strictly(tmp_path, inputs):
    network = {"library": "torchvision", "name": "shufflenet_v2_x0_5", "options": {}}
    model = load_classifier(classes=len(CLASSES), seed=1, **network)
    write_weights(model, tmp_path / "model.safetensors")
    write_config(model, network, tmp_path / "config.json", NAMES, VIEW, SHORT_SIDE)
    config = json.loads((tmp_path / "config.json").read_text())
    fresh = torchvision.models.get_model(config["architecture"], num_classes=3, **config["model_args"])
    fresh.load_state_dict(load_file(tmp_path / "model.safetensors"), strict=True)
    with torch.inference_mode():
        assert torch.equal(fresh.eval()(inputs), model(inputs))
    assert config["label_names"] == NAMES


def test_names_of_classes_are_never_alike():
    import pandas as pd

    targets = pd.DataFrame({"wnid": ["n1", "n2", "n3"], "lemmas": ["crane", "iris", "crane"]})
    assert class_names(targets) == ["crane (n1)", "iris", "crane (n3)"]


@pytest.mark.parametrize("library", ["timm", "torchvision", "onnxruntime"])
def test_the_examples_of_the_page_give_the_class_that_predict_gives(library, folder, pictures, tmp_path, monkeypatch):
    place = tmp_path / "results/mine/model"
    place.parent.mkdir(parents=True)
    place.symlink_to(folder)
    network, model = NETWORK, load_model(folder)
    if library == "torchvision":
        place.unlink()
        network = {"library": "torchvision", "name": "shufflenet_v2_x0_5", "options": {}}
        other = load_classifier(classes=len(CLASSES), seed=1, **network)
        write_weights(other, place / "model.safetensors")
        write_config(other, network, place / "config.json", NAMES, VIEW, SHORT_SIDE)
        model = Model(other, VIEW, SHORT_SIDE, model.classes)
    monkeypatch.chdir(tmp_path)
    for name in ("n01_0.png", "n02_3.png", "n03_5.png"):
        Image.open(pictures / name).save("picture.jpg", quality=95)
        shares = model.probabilities(iter([read_crop(Path("picture.jpg"), model)[None]]), MACHINE)
        said = io.StringIO()
        with redirect_stdout(said):
            exec(EXAMPLES[library], {})
        assert said.getvalue().startswith(NAMES[shares.argmax()]), name
        if library == "onnxruntime":
            assert float(said.getvalue().split()[-1]) == pytest.approx(shares.max(), abs=1e-4)
