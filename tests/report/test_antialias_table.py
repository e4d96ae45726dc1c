"""Four networks side by side, and differences that are taken seed by seed."""

import math

import pandas as pd
import pytest
from test_tables import history_of

from headstart.report.antialiasing import (
    BLURRED,
    CONTROL,
    PRETRAINED,
    TRANSFERRED,
    TUNED,
    caption_antialias,
    lay_out_antialias,
    table_antialias,
)
from headstart.report.consistency import caption_consistency, lay_out_consistency, table_consistency
from headstart.report.results import read_pupils


def runs(**changes):
    """Three ways, before and after training, of two seeds; top-1 rises by .01 with the second."""
    ways = [(1, 0, 0, 0.9, 0.91), (3, 0, 0, 0.5, 0.8), (3, 1, 1, 0.5, 0.88)]
    rows = [
        {
            **{"size": size, "pixel": pixel, "global": overall, "blocks": None, "seed": seed, "trained": trained},
            **{"accuracy": top1 + 0.01 * seed * trained, "consistency": top1, "images": 10, "classes": 4},
            **{"train": 25, "steps": 7},
        }
        for size, pixel, overall, before, after in ways
        for trained, top1 in ((False, before), (True, after))
        for seed in (0, 1)
    ]
    return pd.DataFrame(rows).assign(**changes)


def test_each_network_has_one_row_in_the_order_of_the_question():
    tidy = table_antialias(runs())
    assert list(tidy["kind"]) == [PRETRAINED, CONTROL, BLURRED, TUNED, TRANSFERRED]
    assert list(tidy["seeds"]) == [2] * 5
    rows = tidy.set_index("kind")
    assert rows.loc[TRANSFERRED, "accuracy"] == pytest.approx(0.885)
    # (a) is the same for both seeds, so a difference to it varies as much as the row itself.
    assert rows.loc[TRANSFERRED, "accuracy_over_pretrained"] == pytest.approx(0.885 - 0.9)
    assert rows.loc[TRANSFERRED, "accuracy_over_pretrained_half_width"] == pytest.approx(12.706 * 0.005, rel=1e-3)
    assert rows.loc[TRANSFERRED, "accuracy_over_tuned"] == pytest.approx(0.08)
    assert rows.loc[TRANSFERRED, "accuracy_over_tuned_half_width"] == pytest.approx(0, abs=1e-9)
    assert math.isnan(rows.loc[PRETRAINED, "accuracy_over_pretrained"])
    assert math.isnan(rows.loc[TUNED, "consistency_over_tuned"])
    assert math.isnan(rows.loc[PRETRAINED, "accuracy_over_tuned"])  # (c) has another size of filter


def test_the_cells_name_weights_and_the_caption_numbers():
    tidy = table_antialias(runs())
    cells = lay_out_antialias(tidy).cells
    assert cells.iloc[-1, 0] == "(d) blurred, knowledge transfer, 3 x 3, pixel 1, global 1"
    assert cells.iloc[0].tolist() == ["(a) pretrained", "0.900 ± 0.000", "–", "–", "0.900 ± 0.000", "–", "–"]
    assert cells.iloc[-1, 2].startswith("−0.015 ± ")
    text = caption_antialias(tidy)
    assert "10 test images of its 4 classes" in text and "25 images of each class, 7 steps" in text
    assert "over 2 seeds" in text


def test_the_seed_is_read_off_the_name_of_the_file(tmp_path):
    for seed in (3, 4):
        folder = tmp_path / "ktft"
        folder.mkdir(exist_ok=True)
        pd.DataFrame({"size": [3]}).to_csv(folder / f"{seed}.csv", index=False)
    assert read_pupils([str(tmp_path / "ktft" / f"{seed}.csv") for seed in (3, 4)])["seed"].tolist() == [3, 4]
    assert read_pupils([]).empty


def test_consistency_stands_beside_the_last_f_and_plain_fine_tuning():
    seeds = {0: [0.1, 0.4], 1: [0.1, 0.3]}
    history = history_of(
        {"random": seeds, "random+ktft": {seed: [0.1, f + 0.1] for seed, (_, f) in seeds.items()}}, (5,)
    )
    shares = {"random": 0.7, "random+ktft": 0.9}
    rows = [
        {"initialisation": name, "shots": 5, "seed": seed, "images": 12, "consistency": share}
        for name, share in shares.items()
        for seed in seeds
    ]
    tidy = table_consistency(history, pd.DataFrame(rows))
    plain, blurred = (row for _, row in tidy.iterrows())
    assert [plain["initialisation"], blurred["initialisation"]] == ["random", "random+ktft"]
    assert blurred["consistency_over_plain"] == pytest.approx(0.2)
    assert blurred["final_over_plain"] == pytest.approx(0.1) == blurred["final"] - plain["final"]
    assert math.isnan(plain["consistency_over_plain"])
    cells = lay_out_consistency(tidy).cells
    assert cells.iloc[1].tolist()[1:5] == ["KTFT (our reading)", "Random", "0.450 ± 0.635", "+0.100 ± 0.000"]
    assert "12 test images" in caption_consistency(tidy)
