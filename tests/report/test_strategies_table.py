"""Strategies stand beside plain fine-tuning, pair by pair, are ranked, and say what they cost."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import friedmanchisquare
from test_tables import history_of

from headstart.report.ranks import critical_difference, rank_strategies, ranks_figure
from headstart.report.rendering import to_markdown
from headstart.report.results import Results
from headstart.report.strategies import (
    caption_strategies,
    lay_out_costs,
    lay_out_strategies,
    read_costs,
    table_costs,
    table_strategies,
)
from headstart.report.tabulation import tabulate

RUNS = {
    "random": {0: [0.0, 0.2], 1: [0.0, 0.4]},
    "inference": {0: [0.5, 0.4], 1: [0.3, 0.5]},
    "random+cotuning": {0: [0.0, 0.3], 1: [0.0, 0.6]},
    "inference+cotuning": {0: [0.5, 0.6], 1: [0.3, 0.6]},
    "inference+cotuning,estimator=reverse": {0: [0.5, 0.1], 1: [0.3, 0.2]},
}
T1 = 12.7062  # quantile of Student's t, one degree of freedom


def test_differences_to_plain_fine_tuning_are_taken_seed_by_seed():
    tidy = table_strategies(history_of(RUNS)).set_index(["strategy", "start"])
    # Clean best of plain fine-tuning: 0.2 and 0.4 from random; 0.5 (step 0) and 0.5 from inference.
    row = tidy.loc[("cotuning", "inference")]
    assert row[["first", "best", "final", "clean_best"]].tolist() == pytest.approx([0.4, 0.6, 0.6, 0.6])
    assert row["over_random"] == pytest.approx(0.3) and row["over_same"] == pytest.approx(0.1)
    assert row["over_random_half_width"] == pytest.approx(T1 * 0.1, rel=1e-4)
    assert row["over_same_half_width"] == pytest.approx(0, abs=1e-9)
    assert tidy.loc[("cotuning", "random"), "over_same"] == pytest.approx(0.15)
    assert tidy.loc[("finetune", "inference"), "over_random"] == pytest.approx(0.2)
    for start, word in (("random", "random"), ("random", "same"), ("inference", "same")):
        assert math.isnan(tidy.loc[("finetune", start), f"over_{word}"])


def test_without_plain_fine_tuning_there_is_nothing_to_differ_from():
    tidy = table_strategies(history_of({name: RUNS[name] for name in RUNS if "+" in name}))
    assert tidy[["over_random", "over_same"]].isna().all(axis=None)
    assert set(lay_out_strategies(tidy).cells["− plain, same start"]) == {"–"}


def test_without_validation_images_best_is_compared():
    tidy = table_strategies(history_of(RUNS, validation=False)).set_index(["strategy", "start"])
    assert tidy.loc[("cotuning", "random"), "over_random"] == pytest.approx(0.15)
    assert "Best, picked on the test images, taken seed by seed" in caption_strategies(tidy.reset_index())


def test_rows_go_by_number_of_images_strategy_and_start_with_the_highest_in_bold():
    table, text = tabulate("strategies", Results(classes=pd.DataFrame(), history=history_of(RUNS, shots=(1, 5))))
    assert table.cells["Images per class"].tolist() == ["5"] * 5 + ["1"] * 5
    assert table.cells["Strategy"].tolist()[:5] == [
        *("Fine-tuning", "Fine-tuning", "Co-Tuning", "Co-Tuning", "Co-Tuning (estimator = reverse)"),
    ]
    assert table.cells["Start"].tolist()[:2] == ["Random", "Visual (inference)"]
    assert table.bold["Clean best"].tolist()[:5] == [False, False, False, True, False]
    assert table.cells["− plain, random"].tolist()[3] == f"+0.300 ± {T1 * 0.1:.3f}"
    assert table.cells["− plain, same start"].tolist()[4] == f"−0.100 ± {T1 * 0.1:.3f}"
    assert "to fine-tuning from a random head, and from the same start" in text
    assert "| 5 | Co-Tuning | Random |" in to_markdown(table, text)


THREE = {
    f"{start}{strategy}": {seed: [0.0, value + 0.1 * seed] for seed in range(4)}
    for start, base in (("random", 0.1), ("inference", 0.3))
    for strategy, value in (("", base), ("+linear", base + 0.05), ("+cotuning", base + 0.02))
}


def test_ranks_are_means_over_what_all_strategies_have():
    runs = THREE | {"wordnet": {0: [0.0, 0.9]}}  # by one strategy alone
    tidy = rank_strategies(history_of(runs, shots=(1, 5)))
    both = tidy[tidy["shots"] == 0].set_index("strategy")
    assert both["rank"].to_dict() == {"finetune": 3.0, "linear": 1.0, "cotuning": 2.0}
    assert set(both["blocks"]) == {16} and set(tidy.loc[tidy["shots"] == 5, "blocks"]) == {8}
    scores = [[start + 0.1 * seed + more for start in (0.1, 0.3) for seed in range(4)] for more in (0, 0.05, 0.02)]
    p = tidy.loc[tidy["shots"] == 1, "p"].iloc[0]
    assert p == pytest.approx(friedmanchisquare(*scores).pvalue)


def test_two_strategies_have_ranks_without_a_test_of_friedman():
    tidy = rank_strategies(history_of({name: THREE[name] for name in THREE if "linear" not in name}))
    assert tidy["shots"].unique().tolist() == [1] and tidy["p"].isna().all()
    assert tidy.set_index("strategy")["rank"].to_dict() == {"finetune": 2.0, "cotuning": 1.0}


def test_strategies_that_share_no_run_cannot_be_ranked():
    with pytest.raises(ValueError, match="no start, number of images and seed that all strategies have"):
        rank_strategies(history_of({"random": {0: [0.0, 0.1]}, "wordnet+linear": {0: [0.0, 0.1]}}))


@pytest.mark.parametrize(("strategies", "q"), [(2, 1.960), (3, 2.343), (5, 2.728), (10, 3.164)])
def test_critical_differences_are_those_of_published_tables(strategies, q):
    """Values of q at 0.05 from Table 5 of Demsar (2006)."""
    expected = q * np.sqrt(strategies * (strategies + 1) / (6 * 27))
    assert critical_difference(strategies, 27) == pytest.approx(expected, rel=1e-3)


def test_the_figure_shows_the_ranks_with_half_the_critical_difference_to_either_side():
    tidy = rank_strategies(history_of(THREE, shots=(1, 5)))
    figure, plotted = ranks_figure(tidy, "clean_best")
    assert plotted is tidy and len(figure.axes) == 3
    points, _, (bars,) = figure.axes[0].containers[0]
    assert points.get_xdata().tolist() == tidy.loc[tidy["shots"] == 0, "rank"].tolist()
    lengths = [segment[1, 0] - segment[0, 0] for segment in bars.get_segments()]
    assert lengths == pytest.approx([tidy["critical"].iloc[0]] * 3)
    assert "Clean best" in figure.get_suptitle()


def test_costs_are_those_that_were_noted_and_a_job_without_a_note_is_left_out(tmp_path):
    folder, paths = tmp_path / "benchmarks", []
    for strategy, seconds in (("finetune", 10.0), ("cotuning", 20.0), ("linear", None)):
        for seed in (0, 1):
            rows = [(strategy, 5, seed, start, step) for start in ("random", "inference") for step in (0, 50)]
            frame = pd.DataFrame(rows, columns=["strategy", "shots", "seed", "initialisation", "step"])
            paths.append(str(tmp_path / f"{strategy}-{seed}.parquet"))
            frame.to_parquet(paths[-1])
            if seconds:
                note = folder / "fine_tune" / strategy / f"5-{seed}.tsv"
                note.parent.mkdir(parents=True, exist_ok=True)
                note.write_text(f"s\tmax_rss\tmean_load\n{seconds}\t{100 * (seed + 1)}\t-\n")
    tidy = table_costs(read_costs(paths, folder)).set_index("strategy")
    assert tidy["steps_per_second"].to_dict() == {"finetune": 10.0, "cotuning": 5.0}  # 2 jobs of 2 starts, 50 steps
    assert tidy.loc["cotuning", ["relative", "megabytes", "jobs"]].tolist() == [0.5, 200.0, 2]
    cells = lay_out_costs(tidy.reset_index()).cells
    assert cells.loc[1].tolist() == ["Co-Tuning", "5.00", "0.50", "200", "2"]
    assert table_costs(read_costs(paths[-1:], folder)).empty
