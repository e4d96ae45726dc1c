import argparse

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from headstart.networks.weights import fill, read_weights


def network():
    """Build a network of a few numbers, with the names of blocks in blocks."""
    layers = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))
    return nn.ModuleDict({"features": layers, "fc": nn.Linear(2, 4)})


STATE = {name: torch.full_like(value, 3) for name, value in network().state_dict().items()}


def below(*starts, state=STATE):
    return {f"{start}{name}": value for start in starts for name, value in state.items()}


def filled(tmp_path, saved, name="weights.pth"):
    """Save, read and fill; give the weights that the network has then."""
    if name.endswith(".safetensors"):
        save_file(saved, tmp_path / name)
    else:
        torch.save(saved, tmp_path / name)
    model = network()
    fill(model, read_weights(tmp_path / name), name)
    return model.state_dict()


@pytest.mark.parametrize(
    "saved",
    [
        *({"epoch": 3, entry: STATE} for entry in ("state_dict", "model", "net", "model_state_dict", "my_network")),
        {"state_dict": STATE, "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 0.1}]}},
        {"checkpoint": {"model": STATE}, "args": argparse.Namespace(lr=0.1), "best": torch.tensor(1.0)},
        {"state_dict": below(state={k: v * 0 for k, v in STATE.items()}), "state_dict_ema": STATE},
        {"state_dict": below("module.")},
    ],
    ids=lambda saved: "-".join(saved),
)
def test_weights_are_taken_out_of_what_a_script_saved_with_them(tmp_path, saved, capsys):
    found = filled(tmp_path, saved)
    assert all(torch.equal(found[name], value) for name, value in STATE.items())
    assert "the weights are those in its entry" in capsys.readouterr().out


@pytest.mark.parametrize(
    "start", ["module.", "_orig_mod.", "model.", "module._orig_mod.", "model.module.", "net.", "a.backbone."]
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_names_of_a_module_around_the_network_are_understood(tmp_path, start, suffix):
    found = filled(tmp_path, below(start), f"weights{suffix}")
    assert all(torch.equal(found[name], value) for name, value in STATE.items())


def test_names_of_a_module_around_a_part_are_understood_and_what_is_beside_the_network_is_told(tmp_path, capsys):
    renamed = {name.replace("features.", "features.module."): value for name, value in STATE.items()}
    found = filled(tmp_path, {**below("model.", state=renamed), "loss.weight": torch.ones(4)})
    assert all(torch.equal(found[name], value) for name, value in STATE.items())
    assert "1 tensors outside of 'model.' are left aside (loss.weight)" in capsys.readouterr().out


def test_two_networks_in_a_file_are_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=r"several times, below student\., teacher\.; save one alone"):
        filled(tmp_path, below("student.", "teacher."))
    with pytest.raises(ValueError, match=r"several sets of weights \(generator, critic\)"):
        filled(tmp_path, {"generator": STATE, "critic": STATE})


def test_shapes_and_names_are_checked_behind_every_wrapper(tmp_path):
    wrong = {**STATE, "fc.weight": torch.ones(5, 2)}
    with pytest.raises(ValueError, match=r"1 of another shape \(fc.weight: file \(5, 2\), network \(4, 2\)\)"):
        filled(tmp_path, {"state_dict": below("module.", state=wrong)})
    del wrong["fc.weight"]
    with pytest.raises(ValueError, match=r"fit the network: 1 missing in the file \(fc.weight\); check"):
        filled(tmp_path, {"state_dict": below("model.", state=wrong)})


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers_are_refused_with_the_names_of_the_tensors(tmp_path, number):
    bad = {**STATE, "fc.bias": torch.tensor([0, 1, number, 0]), "features.1.running_var": torch.tensor([number, 1])}
    said = r"weights w.pth hold NaN or infinity in 2 of 9 tensors \(features.1.running_var, fc.bias\)"
    with pytest.raises(ValueError, match=said):
        filled(tmp_path, bad, "w.pth")
    half = {name: value.bfloat16() if value.is_floating_point() else value for name, value in bad.items()}
    with pytest.raises(ValueError, match=said):
        filled(tmp_path, half, "w.pth")
