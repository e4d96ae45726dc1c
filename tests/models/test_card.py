"""The card says what the model is, and what is known of the weights it began with."""

import numpy as np
import pandas as pd

from headstart.heads.starts import Head
from headstart.models.card import describe_classes, draw_confusion, licence, write_page
from headstart.models.scoring import say_scores, score_model

TARGETS = pd.DataFrame({"wnid": ["n1", "n2", "n3"], "lemmas": ["iris", "a | b", "lark"]})
SOURCES = pd.DataFrame({"wnid": ["n7", "n8", "n9"], "lemmas": ["daisy", "robin", "jay"]})
SPLIT = pd.DataFrame(
    {"wnid": ["n1"] * 4 + ["n2"] * 3, "part": ["train", "train", "validation", "test", "train", "train", "test"]}
)
HEAD = Head(
    np.zeros((3, 4)), np.zeros(3), np.array([[1, 2], [0, 1], [-1, -1]]), np.array([[0.25, 0.75], [1.0, -0.5], [0, 0]])
)
SCORES = score_model(np.array([0, 1, 1]), np.array([0, 1, 0]), 3)


def described():
    return describe_classes(TARGETS, SPLIT, 2, SCORES, HEAD, SOURCES)


def test_a_class_has_its_counts_its_f_and_its_sources_the_largest_first():
    iris, other, lark = described()
    assert [iris[part] for part in ("train", "validation", "test")] == [2, 1, 1]
    assert [other[part] for part in ("train", "validation", "test")] == [2, 0, 1]
    assert [(one["name"], one["share"]) for one in iris["started_from"]] == [("jay", 0.75), ("robin", 0.25)]
    assert [one["name"] for one in other["started_from"]] == ["daisy"]  # a row may also be told apart from a source
    assert iris["f1"] == 0.6667 and iris["low"] <= iris["f1"] <= iris["high"]
    assert lark["f1"] is None and lark["started_from"] == []


def test_the_page_says_all_of_it(tmp_path):
    card = {
        "experiment": "garden",
        "network": {"library": "timm", "name": "resnet18", "options": {}},
        "preprocessing": {"short_side": 256, "side": 224, "mean": [0.5], "std": [0.5], "interpolation": "bilinear"},
        "chosen": {
            **{"label": "Imprinted", "step": 0, "of_steps": 9, "seed": 1, "seeds": 2, "shots": 2, "candidates": 5},
            **{"validation": 0.7, "test": 0.6},
        },
        "scores": say_scores(SCORES),
        "calibration": {"temperature": 1.5, "images": 4, "bins": 15, "error": 0.1, "error_before": 0.2},
        "weights": {"file": "net.pth", "licence": "BSD"},
        "origin": {"commit": "abc", "config_digest": "123"},
        "classes": described(),
    }
    write_page(card, tmp_path / "README.md")
    text = (tmp_path / "README.md").read_text()
    for said in (
        "Imprinted, not trained at all, seed 1",
        "Licence: BSD",
        "`net.pth`",
        "commit `abc`",
        "confusion.svg",
    ):
        assert said in text
    assert "divided by 1.5000" in text and "0.100, without the temperature 0.200" in text
    assert "| a \\| b | 2 | 0 | 1 | 0.667 |" in text and "| jay (0.75); robin (0.25) |" in text
    assert f"macro F is **{SCORES.macro[0]:.3f}**" in text
    card["calibration"]["images"], card["chosen"]["step"] = 0, 4
    write_page(card, tmp_path / "README.md")
    text = (tmp_path / "README.md").read_text()
    assert "no validation images" in text and "trained for 4 of 9 steps" in text


def test_a_licence_is_what_is_stated_or_not_known():
    assert licence({"library": "timm", "name": "resnet18"}, "CC0, says its maker") == "CC0, says its maker"
    assert licence({"library": "timm", "name": "resnet18.a1_in1k"}, "").startswith("apache-2.0, as timm says")
    for network in ({"library": "timm", "name": "resnet18"}, {"library": "torchvision", "name": "resnet18"}):
        assert licence(network, "").startswith("not known: ask")


def test_the_picture_is_the_same_bytes_again(tmp_path):
    for name in ("one.svg", "two.svg"):
        draw_confusion(SCORES.counts, ["iris", "a | b", "lark"], tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
