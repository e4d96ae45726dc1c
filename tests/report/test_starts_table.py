"""Every start before training, beside what a practitioner would use instead."""

import math

import numpy as np
import pandas as pd
import pytest
from test_tables import history_of

from headstart.report.results import read_starts
from headstart.report.starts import (
    caption_measures,
    caption_starts,
    lay_out_measures,
    lay_out_starts,
    table_measures,
    table_starts,
)
from headstart.report.starts_figure import starts_curves


def starts_of(values, seeds=3, classes=4):
    """F per class: start -> shots -> macro F of seed 0, rising by .01 with each seed."""
    rows = [
        {"initialisation": name, "shots": n, "seed": seed, "wnid": f"n{number}", "f1": value + 0.01 * seed}
        for name, by_shots in values.items()
        for n, value in by_shots.items()
        for seed in range(seeds)
        for number in range(classes)
    ]
    return pd.DataFrame(rows)


VALUES = {
    "random": {1: 0.0, 5: 0.0},
    "imprinted": {1: 0.5, 5: 0.8},
    "probe": {1: 0.6, 5: 0.8},
    "prior": {1: 0.7, 5: 0.82},
}


def test_differences_are_taken_seed_by_seed():
    tidy = table_starts(starts_of(VALUES), pd.DataFrame()).set_index(["initialisation", "shots"])
    row = tidy.loc[("prior", 1)]
    assert row["first"] == pytest.approx(0.71) and row["seeds"] == 3 and row["classes"] == 4
    assert row["first_half_width"] == pytest.approx(4.3027 * 0.01 / math.sqrt(3), rel=1e-4)
    assert row["over_imprinted"] == pytest.approx(0.2) and row["over_imprinted_half_width"] == pytest.approx(
        0, abs=1e-12
    )
    assert row["over_probe"] == pytest.approx(0.1)
    assert math.isnan(tidy.loc[("probe", 1), "over_probe"])
    assert list(dict.fromkeys(tidy.reset_index()["initialisation"])) == ["random", "imprinted", "probe", "prior"]


def test_a_reference_that_is_not_compared_has_no_column():
    tidy = table_starts(starts_of({"random": {1: 0.0}, "probe": {1: 0.5}}), pd.DataFrame())
    assert "over_probe" in tidy and "over_imprinted" not in tidy
    assert "− Imprinted" not in set(lay_out_starts(tidy).cells["Measured"])


def test_what_training_makes_of_a_start_stands_below_it():
    runs = history_of({"prior": {0: [0.6, 0.65], 1: [0.6, 0.65]}}, shots=(1,))
    tidy = table_starts(starts_of(VALUES), runs)
    row = tidy.set_index(["initialisation", "shots"]).loc[("prior", 1)]
    assert row["best"] == pytest.approx(0.65) and row["trained_seeds"] == 2
    cells = lay_out_starts(tidy).cells
    assert cells["Start"].tolist().count("Prior probe") == 1
    below = cells.iloc[cells["Start"].tolist().index("Prior probe") :]
    assert below["Measured"].tolist() == [
        *("F before training", "− Imprinted", "− Probe", "Best after training", "Clean best after training"),
    ]
    assert below["n = 1"].tolist()[3].startswith("0.650") and below["n = 5"].tolist()[3] == "–"
    said = caption_starts(tidy)
    assert "over 3 seeds" in said and "over 2 seeds" in said


def test_the_best_start_at_each_number_of_images_is_bold_and_differences_never_are():
    laid = lay_out_starts(table_starts(starts_of(VALUES), pd.DataFrame()))
    marked = [(laid.cells["Start"][row], column) for row, column in zip(*np.nonzero(laid.bold.to_numpy()), strict=True)]
    assert marked == [("Prior probe", 2), ("Prior probe", 3)]
    assert laid.cells.loc[laid.cells["Start"] == "Prior probe", "n = 1"].tolist() == ["0.710 ± 0.025"]


def test_scores_are_read_by_shots_and_seed_and_only_of_the_starts_shown(tmp_path):
    for shots, seed in ((1, 0), (10, 3)):
        frame = pd.DataFrame({"initialisation": ["random", "wordnet"], "wnid": "n1", "f1": [0.1, 0.2]})
        frame.to_csv(tmp_path / f"{shots}-{seed}.csv", index=False)
    paths = [str(tmp_path / "1-0.csv"), str(tmp_path / "10-3.csv")]
    found = read_starts(paths, ["wordnet"])
    assert found[["shots", "seed", "f1"]].values.tolist() == [[1, 0, 0.2], [10, 3, 0.2]]
    assert read_starts([], ["wordnet"]).empty


def test_measures_are_compared_over_all_classes_at_once():
    rows = [
        {
            "measure": measure,
            "seed": seed,
            "type": kind,
            "K": K,
            "images": images,
            "f1": f1 + 0.1 * (K == 3),
            "classes": n,
        }
        for measure, base in (("inference", 0.4), ("wordnet", 0.2))
        for seed in (0, 1)
        for kind, n, f1 in (("included", 1, base), ("disjoint", 3, base / 2))
        for K in (1, 3)
        for images in ("test", "train")
    ]
    tidy = table_measures(pd.DataFrame(rows)).set_index("measure")
    assert tidy.loc["inference", "nearest"] == pytest.approx((0.4 + 3 * 0.2) / 4)
    assert tidy.loc["inference", "best"] == pytest.approx((0.4 + 3 * 0.2) / 4 + 0.1) and tidy.loc["inference", "K"] == 3
    laid = lay_out_measures(tidy.reset_index())
    assert laid.cells["Measure"].tolist() == ["Visual (inference)", "WordNet"]
    assert laid.bold["F at K = 1"].tolist() == [True, False]
    assert "saw 20 of each" in caption_measures(tidy.reset_index(), 20)


def test_the_figure_shows_the_numbers_of_the_table():
    tidy = table_starts(starts_of(VALUES), pd.DataFrame())
    figure, plotted = starts_curves(tidy)
    assert plotted["mean"].tolist() == tidy["first"].tolist()
    assert len(figure.axes[0].lines) >= len(VALUES)
