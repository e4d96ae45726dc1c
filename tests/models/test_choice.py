"""The model is chosen on validation images alone, and no training is a candidate like any other."""

import itertools

import numpy as np
import pandas as pd
import pytest

from headstart.heads.starts import Head, save_heads
from headstart.models.choice import candidates, of_seed, read_choice, read_runs, say_chosen, untrained_runs


def history(scores):
    """Runs by (strategy, start): of each seed the F on validation images at steps 0, 1 and 9; 1 - F in testing."""
    rows = []
    for (strategy, start), by_seed in scores.items():
        for (seed, curve), part in itertools.product(enumerate(by_seed), ("validation", "test")):
            for step, f1 in zip((0, 1, 9), curve, strict=True):
                value = f1 if part == "validation" else 1 - f1
                rows += [(strategy, start, seed, step, part, wnid, value) for wnid in ("n1", "n2")]
    return pd.DataFrame(rows, columns=["strategy", "initialisation", "seed", "step", "part", "wnid", "f1"])


def chosen(table):
    row = table[table["chosen"]].iloc[0]
    return row["strategy"], row["initialisation"], row["step"], row["seed"]


def test_the_mean_over_seeds_on_validation_images_decides_and_the_test_images_do_not():
    table = candidates(
        history(
            {
                ("finetune", "random"): [(0.1, 0.2, 0.9), (0.1, 0.2, 0.3)],
                ("l2sp", "inference"): [(0.4, 0.6, 0.5), (0.4, 0.7, 0.5)],
            }
        )
    )
    assert chosen(table) == ("l2sp", "inference", 1, 1)
    first = table.iloc[0]
    assert first["validation"] == pytest.approx(0.65) and first["validation_of_seed"] == pytest.approx(0.7)
    assert first["test"] == pytest.approx(0.35) and first["test_of_seed"] == pytest.approx(0.3)
    assert len(table) == 6 and table["chosen"].sum() == 1 and list(table["seeds"]) == [2] * 6


def test_no_training_wins_where_training_does_not_help():
    table = candidates(history({("finetune", "imprinted"): [(0.8, 0.8, 0.7)]}))
    assert chosen(table) == ("finetune", "imprinted", 0, 0)


def test_of_equals_the_earlier_start_and_the_plain_strategy_win():
    same = {(s, i): [(0.5, 0.5, 0.5)] for s in ("l2sp", "finetune") for i in ("imprinted", "wordnet")}
    assert chosen(candidates(history(same), ["wordnet", "imprinted"])) == ("finetune", "wordnet", 0, 0)
    assert chosen(candidates(history(same), ["imprinted", "wordnet"])) == ("finetune", "imprinted", 0, 0)


def test_a_class_without_validation_images_is_left_out_of_the_mean():
    found = history({("finetune", "random"): [(0.5, 0.6, 0.7)]})
    found.loc[(found["wnid"] == "n2") & (found["part"] == "validation"), "f1"] = np.nan
    assert candidates(found)["validation"].iloc[0] == pytest.approx(0.7)


def test_without_validation_images_the_error_says_what_to_do():
    found = history({("finetune", "random"): [(0.5, 0.6, 0.7)]}).query("part == 'test'")
    with pytest.raises(ValueError, match=r"no class has any; lower images\.train or images\.test"):
        candidates(found)


def test_only_candidates_are_read_and_the_choice_comes_back_from_its_file(tmp_path):
    found = history({("finetune", "random"): [(0.5, 0.6, 0.9)], ("finetune", "wordnet"): [(0.1, 0.2, 0.3)]})
    found.to_parquet(tmp_path / "4-0.parquet")
    kept = read_runs([tmp_path / "4-0.parquet"], {"finetune": ["wordnet"], "l2sp": ["random"]})
    assert set(kept["initialisation"]) == {"wordnet"}
    candidates(kept).to_csv(tmp_path / "candidates.csv", index=False)
    choice = read_choice(tmp_path / "candidates.csv")
    assert choice[:4] == ("finetune", "wordnet", 9, 0) and choice.validation == pytest.approx(0.3)
    said = say_chosen(choice, tmp_path / "candidates.csv", 9, 4, {"wordnet": {"name": "WordNet"}})
    assert (said["label"], said["candidates"], said["of_steps"]) == ("WordNet", 3, 9)


def test_starts_that_nobody_trains_are_scored_as_they_are(tmp_path):
    eye, none = np.eye(2, dtype=np.float32), np.zeros((2, 1))
    right, wrong = (Head(rows, np.zeros(2, np.float32), none.astype(int) - 1, none) for rows in (eye, eye[::-1]))
    save_heads({"probe": right, "prior": wrong, "random": wrong}, tmp_path / "4-0.safetensors")
    images = {part: (eye, np.array([0, 1])) for part in ("validation", "test")}
    runs = untrained_runs({0: tmp_path / "4-0.safetensors"}, ["probe", "prior"], images, ["n1", "n2"])
    assert chosen(candidates(runs)) == ("finetune", "probe", 0, 0)
    assert set(runs["initialisation"]) == {"probe", "prior"}
    assert untrained_runs({0: "nowhere"}, [], images, ["n1", "n2"]).empty


def test_files_of_a_seed_are_told_by_their_whole_number():
    assert of_seed(["heads/5-10.safetensors", "heads/5-0.safetensors"], 0) == "heads/5-0.safetensors"
