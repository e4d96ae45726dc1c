"""What benchmarks/ compares is equal on small input too; how fast it is, is no test."""

import numpy as np
import pytest
import yaml

import compare_decode
import compare_evaluation
import compare_grid
import compare_inference
import compare_rounding
import compare_sweep
import compare_training
import pictures
from comparison import Row
from headstart.heads.sweeps import SourceHead
from headstart.machine.machines import use_threads


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch, tmp_path):
    """Made pictures only, and no change of this process's threads and memory."""
    monkeypatch.setattr(pictures, "SAMPLES", tmp_path / "none")
    for module in (compare_training, compare_evaluation):
        monkeypatch.setattr(module, "pick_machine", lambda *_: None)


def shrink(monkeypatch, module, **sizes):
    for name, size in sizes.items():
        monkeypatch.setattr(module, name, size)


def test_pictures_read_from_the_store_are_those_decoded_each_time(monkeypatch, capsys):
    shrink(monkeypatch, compare_decode, COUNT=3)
    compare_decode.main()
    assert "3 pictures equal in all bits" in capsys.readouterr().out


def test_one_count_gives_sklearns_bits():
    assert compare_inference.compare(500).plain > 0


def test_running_sums_score_as_one_head_at_a_time(monkeypatch, capsys):
    shrink(monkeypatch, compare_sweep, TARGETS=7, SOURCES=40, FEATURES=24, IMAGES=150, NUMBERS=[*range(1, 12), 40])
    rng = np.random.default_rng(3)
    head = SourceHead(rng.normal(size=(40, 24)).astype(np.float32), rng.normal(size=40).astype(np.float32))
    compare_sweep.on_features(head, compare_sweep.draw_similarities(rng))
    assert f"{3 * 12 * 7} F-scores equal" in capsys.readouterr().out


def test_lockstep_trains_as_four_plain_runs(monkeypatch, capsys):
    small = {"NETWORK": "resnet18", "SHORT_SIDE": 36, "SIDE": 32, "TRAINED": 10, "TESTED": 6, "BATCH": 4}
    shrink(monkeypatch, compare_training, **small, CLASSES=3, THREADS=1)
    with use_threads(1):  # sums of gradients depend on it in the last bits
        compare_training.main()
    assert "36 F-scores equal in all bits" in capsys.readouterr().out


def test_the_cached_trunk_gives_the_whole_networks_logits(monkeypatch, capsys, tmp_path):
    shrink(monkeypatch, compare_evaluation, TIMED=6, SHORT_SIDE=36, CROP=32, CLASSES=3, BATCH=4)
    compare_evaluation.compare("resnet18", tmp_path)
    assert "18 logits equal in all bits" in capsys.readouterr().out


def test_first_choices_survive_a_rounded_cache_and_a_lost_one_fails(monkeypatch, capsys, tmp_path):
    shrink(monkeypatch, compare_rounding, KINDS=3, DRAWN=12, SIDE=32)
    assert compare_rounding.drawn(tmp_path)
    assert "first choice of 30 of 30 pictures unchanged" in capsys.readouterr().out
    monkeypatch.setattr(compare_rounding, "logits_of", lambda _, outputs: np.stack([outputs, outputs == 0], 1))
    assert not compare_rounding.kept("", None, np.array([0.0, 1e-9]), np.zeros(2), np.array([0, 1]))


def test_the_pipeline_scores_as_the_plain_script(capsys, tmp_path):
    config = yaml.safe_load((compare_grid.HERE / "grid.yaml").read_text())
    config["images"] |= {"short_side": 36, "crop": 32, "train": 2, "validation": 1, "test": 3, "test_min": 3}
    config["images"]["drawn"]["target"] = 6
    config["source"]["name"] = "resnet18"
    config["neighbours"] |= {"largest": 3, "shots": 2}
    config["groups"]["main"] = {"initialisations": ["random", "inference", "wordnet"], "shots": [2]}
    config["figures"]["shots"] = 2
    (tmp_path / "grid.yaml").write_text(yaml.safe_dump(config))
    compare_grid.compare(tmp_path / "grid.yaml")
    steps, parts = 3, 2
    assert f"{3 * 2 * steps * parts * 4} F-scores equal in all bits" in capsys.readouterr().out


def test_a_form_too_slow_or_too_far_above_its_floor_fails():
    assert Row("", plain=10, fast=1, asked=10).met() and not Row("", plain=9, fast=1, asked=10).met()
    assert Row("", 10, 1.2, 2, floor=1, within=1.25).met() and not Row("", 10, 1.3, 2, floor=1, within=1.25).met()
    assert Row("", 10, 9, 0, floor=1).met()
