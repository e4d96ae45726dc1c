"""The script that checks a GPU runs on a CPU in small, where every way to train gives the same bits."""

import re

import pytest
import torch

import gpu_check


def test_each_way_to_train_is_compared_and_on_a_cpu_they_are_the_same(capsys):
    assert gpu_check.main(["--device", "cpu", "--small", "--precisions", "float32"])
    said = capsys.readouterr().out
    compared = re.findall(r"^\| float32 \| (.*) \| 0 \| 0 \|$", said, flags=re.MULTILINE)
    assert compared == [
        *("one by one, graph", "graph, the same again", "graph, broken off and resumed", "graph, compiled"),
    ]
    assert f"resumed at step {gpu_check.SMALL.broken - 1}" in said


def test_without_a_gpu_the_script_says_so(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="no GPU here, so nothing is checked; --device cpu --small shows"):
        gpu_check.main([])


def test_a_rate_is_read_from_a_log_in_either_unit():
    log = "fine-tune: 50%|# | 3/6 [00:05<00:05, 1.00step/s]\nfine-tune: 100%|##| 6/6 [00:11<00:00,  {}, a=1.0]\n"
    assert gpu_check.seconds_in(log.format("2.00step/s")) == 3 and gpu_check.seconds_in(log.format("2.00s/step")) == 12
