"""Histories hold the runs of several groups; a table reads those that its groups name."""

import pandas as pd

from headstart.report.palette import in_order
from headstart.report.results import read_history
from headstart.report.scores import lay_out_table2, table2


def history(folder, strategy, starts, shots=5):
    rows = [
        (start, step, part, wnid, 0.1 * number + 0.01 * step)
        for number, start in enumerate(starts)
        for step in (0, 3)
        for part in ("test", "validation")
        for wnid in ("n1", "n2")
    ]
    frame = pd.DataFrame(rows, columns=["initialisation", "step", "part", "wnid", "f1"])
    path = folder / f"{strategy}-{shots}.parquet"
    frame.assign(strategy=strategy, shots=shots, seed=0).to_parquet(path)
    return str(path)


def test_only_the_runs_that_are_shown_are_read(tmp_path):
    paths = [history(tmp_path, "finetune", ["random", "wordnet", "wordnet-k1"]), history(tmp_path, "l2sp", ["random"])]
    found = read_history(paths, {"finetune": ["random", "wordnet-k1"]})
    assert set(found["initialisation"]) == {"random", "wordnet-k1"}
    both = read_history(paths, {"finetune": ["random"], "l2sp": ["random", "wordnet"]})
    assert in_order(both["initialisation"]) == ["random", "random+l2sp"]
    assert read_history([], {}).empty


def test_several_strategies_stand_in_one_table_with_a_column_for_the_strategy(tmp_path):
    paths = [
        history(tmp_path, "finetune", ["random", "wordnet"]),
        history(tmp_path, "finetune", ["random", "wordnet"], shots=1),
        history(tmp_path, "l2sp,alpha=1", ["random"]),
    ]
    shown = read_history(paths, {"finetune": ["random", "wordnet"], "l2sp,alpha=1": ["random"]})
    tidy = table2(shown)
    assert tidy[["start", "strategy", "shots"]].values.tolist() == [
        ["random", "finetune", 5],
        ["random", "finetune", 1],
        ["random", "l2sp,alpha=1", 5],
        ["wordnet", "finetune", 5],
        ["wordnet", "finetune", 1],
    ]
    laid = lay_out_table2(tidy).cells
    assert laid[("", "Images per class")].tolist() == ["5", "5", "1", "1"]
    assert laid[("", "Strategy")].tolist() == ["Fine-tuning", "L2-SP (alpha = 1)"] * 2
    assert laid[("WordNet", "First")].tolist() == ["0.100", "–", "0.100", "–"]
    assert laid[("Random", "Best")].tolist() == ["0.030", "0.030", "0.030", "–"]


def test_the_papers_strategy_alone_needs_no_column(tmp_path):
    tidy = table2(read_history([history(tmp_path, "finetune", ["random"])], {"finetune": ["random"]}))
    assert "strategy" not in tidy and ("", "Strategy") not in lay_out_table2(tidy).cells


def test_a_single_other_strategy_is_named(tmp_path):
    tidy = table2(read_history([history(tmp_path, "linear", ["random"])], {"linear": ["random"]}))
    assert lay_out_table2(tidy).cells[("", "Strategy")].tolist() == ["Linear probe"]
