import pandas as pd
import pytest

from headstart.heads.neighbours import choose, neighbours_per_class


def swept():
    rows = [
        # On the test images 3 and 9 are equally good, on the training images 1 is best.
        ("inference", "disjoint", 9, "test", 0.7), ("inference", "disjoint", 9, "train", 0.5),
        ("inference", "disjoint", 3, "test", 0.7), ("inference", "disjoint", 3, "train", 0.6),
        ("inference", "disjoint", 1, "test", 0.2), ("inference", "disjoint", 1, "train", 0.8),
        ("wordnet", "disjoint", 1, "test", 0.1), ("wordnet", "disjoint", 1, "train", 0.1),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["measure", "type", "K", "images", "f1"])


def test_smallest_of_the_best_numbers_is_chosen_by_each_rule():
    chosen = choose(swept())
    assert list(chosen.columns) == ["measure", "type", "rule", "K", "f1"]
    assert chosen.values.tolist() == [
        ["inference", "disjoint", "paper", 3, 0.7], ["inference", "disjoint", "clean", 1, 0.8],
        ["wordnet", "disjoint", "paper", 1, 0.1], ["wordnet", "disjoint", "clean", 1, 0.1],
    ]  # fmt: skip


def test_choice_without_its_images_is_refused():
    with pytest.raises(ValueError, match="no F-score of inference, disjoint classes, on train images"):
        choose(swept()[lambda table: table["images"] == "test"])


def test_neighbours_of_each_class_follow_its_type(tmp_path):
    table = pd.concat([choose(swept()), choose(swept().assign(type="included", f1=1.0))])
    table.to_csv(tmp_path / "neighbours.csv", index=False)
    types = ["disjoint", "included", "disjoint"]
    found = neighbours_per_class("inference", types, tmp_path / "neighbours.csv", rule="paper")
    assert found is not None and found.tolist() == [3, 1, 3]
    fixed = neighbours_per_class("inference-k7", types)
    assert fixed is not None and fixed.tolist() == [7, 7, 7]
    assert neighbours_per_class("random", types, tmp_path / "neighbours.csv") is None
    with pytest.raises(ValueError, match="has no K of inference by rule 'paper' for inclusive classes"):
        neighbours_per_class("inference", ["inclusive"], tmp_path / "neighbours.csv")
