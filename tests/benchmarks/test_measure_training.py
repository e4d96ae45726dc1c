"""The script that measures a GPU runs on a CPU in small, where its two forms must agree in all bits."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from headstart.machine.computing import processor_of


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    return importlib.import_module("measure_training")


def test_a_cpu_is_measured_only_when_asked_and_both_forms_agree(script, capsys):
    assert list(script.forms_on(torch.device("cpu"))) == ["lockstep"]
    small = ["--network", "resnet18", "--side", "32", "--batch", "2", "--images", "2", "--initialisations", "2"]
    script.main(["--device", "cpu", "--threads", "1", *small])
    said = capsys.readouterr().out
    assert "plain and lockstep: weights at most 0 apart, F-scores at most 0" in said
    where = f"{processor_of(torch.device('cpu'))}, 1 CPU threads, torch {torch.__version__}"
    assert f"2 x resnet18, 32 pixels, batch 2; {where}" in said
    rows = re.findall(r"^\| float32 \| (.*) \| ([\d.,]+) \| ([\d.]+)% \| - \|$", said, flags=re.MULTILINE)
    assert [what for what, _, _ in rows] == [
        *("training, plain", "training, lockstep", "scoring, whole network", "scoring, cached trunk"),
    ]
    assert all(float(speed.replace(",", "")) > 0 for _, speed, _ in rows)


def test_without_a_gpu_the_script_says_so(script, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="no GPU here, so nothing is measured; --device cpu --images 64 measures"):
        script.main([])


def test_forms_that_disagree_on_a_cpu_are_an_error(script):
    weights, others = {"a/w": torch.ones(2)}, {"a/w": torch.zeros(2)}
    script.compare("form", weights, weights, 0.0, exact=True)
    for found, wrong in ((others, 0.0), (weights, 0.5)):
        with pytest.raises(AssertionError, match="same bits"):
            script.compare("form", weights, found, wrong, exact=True)
        script.compare("form", weights, found, wrong, exact=False)
    assert script.furthest({"a": np.array([1, np.nan])}, {"a": torch.tensor([3.0, 0.0])}) == 2


def test_every_form_of_a_gpu_runs_and_each_has_its_row(script, capsys, monkeypatch):
    monkeypatch.setattr(script, "forms_on", lambda device: script.FORMS)
    monkeypatch.setattr(script, "near", lambda parts, *_: {"test": (torch.from_numpy(np.array(parts["test"][0])), 0)})
    small = ["--network", "resnet18", "--side", "32", "--batch", "2", "--images", "2", "--initialisations", "1"]
    script.main(["--device", "cpu", "--threads", "1", *small])
    said = capsys.readouterr().out
    rows = re.findall(r"^\| float32 \| training, (.*) \| [\d.,]+ \| [\d.]+% \| - \|$", said, flags=re.MULTILINE)
    assert rows == ["plain", "lockstep", "several steps at once", "CUDA graph", "CUDA graph, compiled"]
    assert "several steps at once and CUDA graph: weights at most 0 apart" in said
    assert "| float32 | scoring, cached trunk on the GPU |" in said
