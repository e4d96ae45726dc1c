from dataclasses import replace
from itertools import pairwise

import pandas as pd
import pytest

from headstart.data.lists import compare_lists, read_lists
from headstart.data.splits import TooFewImages, Wanted, shots, split_class, split_images, split_lists, too_few

NAMES = [f"n1_{number}.JPEG" for number in range(30)]
WANTED = Wanted(train=12, validation=4, test=6, test_min=3)


def part(split, name):
    rows = split[split["part"] == name]
    assert rows["rank"].tolist() == list(range(len(rows)))
    return rows["name"].tolist()


def sizes(split):
    return [len(part(split, name)) for name in ("train", "validation", "test")]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (15, [12, 0, 3]),  # 12 train, test_min 3
        (17, [12, 0, 5]),  # still fewer than 6 test images
        (18, [12, 0, 6]),  # test is full
        (20, [12, 2, 6]),  # then validation
        (22, [12, 4, 6]),  # validation is full
        (30, [20, 4, 6]),  # the rest trains
    ],
)
def test_test_is_served_before_validation_and_the_rest_trains(found, expected):
    split = split_class(NAMES[:found], "n1", seed=0, wanted=WANTED)
    assert sizes(split) == expected


def test_the_parts_are_disjoint_and_cover_all_images():
    split = split_class(NAMES, "n1", seed=3, wanted=WANTED)
    assert sorted(split["name"]) == sorted(NAMES)
    assert split.columns.tolist() == ["name", "part", "rank"]


def test_test_and_validation_are_the_same_for_all_seeds_and_training_order_differs():
    splits = [split_class(NAMES, "n1", seed=seed, wanted=WANTED) for seed in range(5)]
    for first, second in pairwise(splits):
        assert part(first, "test") == part(second, "test")
        assert part(first, "validation") == part(second, "validation")
        assert part(first, "train") != part(second, "train")
        assert sorted(part(first, "train")) == sorted(part(second, "train"))


def test_fewer_shots_are_a_subset_of_more():
    split = split_class(NAMES, "n1", seed=1, wanted=WANTED)
    subsets = [shots(split, n)["name"].tolist() for n in (1, 2, 5, 10, 20)]
    assert [len(subset) for subset in subsets] == [1, 2, 5, 10, 20]
    for few, more in pairwise(subsets):
        assert set(few) < set(more)
    assert not set(subsets[-1]) & set(part(split, "test") + part(split, "validation"))


def test_the_split_does_not_depend_on_the_order_of_the_names():
    split = split_class(NAMES, "n1", seed=1, wanted=WANTED)
    pd.testing.assert_frame_equal(split_class(NAMES[::-1], "n1", seed=1, wanted=WANTED), split)


def test_the_first_training_image_is_uniform_over_the_seeds():
    # 2,000 seeds over 20 images: 100 each, standard deviation sqrt(2000 * .05 * .95) = 9.7
    first = [part(split_class(NAMES, "n1", seed, WANTED), "train")[0] for seed in range(2000)]
    counts = pd.Series(first).value_counts()
    assert len(counts) == 20
    assert counts.between(100 - 5 * 9.7, 100 + 5 * 9.7).all()


def test_the_split_of_a_known_class_is_the_same_on_every_machine():
    split = split_class([f"n7_{k}.JPEG" for k in range(5)], "n7", 0, Wanted(train=2, validation=1, test=2, test_min=1))
    # by hand: sort the names by blake2b("n7/<name>"); 2 test, 1 validation, the rest again by blake2b("0/n7/<name>")
    assert split.values.tolist() == [
        ["n7_4.JPEG", "train", 0],
        ["n7_0.JPEG", "train", 1],
        ["n7_2.JPEG", "validation", 0],
        ["n7_3.JPEG", "test", 0],
        ["n7_1.JPEG", "test", 1],
    ]


def test_another_class_does_not_change_a_class():
    other = [f"n2_{number}.JPEG" for number in range(40)]
    images = pd.DataFrame({"wnid": ["n2"] * 40 + ["n1"] * 30, "name": other + NAMES})
    both = split_images(images, seed=4, wanted=WANTED)
    assert both.columns.tolist() == ["wnid", "name", "part", "rank"]
    assert both["wnid"].unique().tolist() == ["n2", "n1"]
    alone = split_class(NAMES, "n1", seed=4, wanted=WANTED)
    rows = both[both["wnid"] == "n1"].drop(columns="wnid").reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, alone)


def test_two_classes_with_the_same_numbers_are_shuffled_differently():
    orders = []
    for wnid in ("n1", "n2"):
        split = split_class([f"{wnid}_{number}.JPEG" for number in range(30)], wnid, seed=0, wanted=WANTED)
        orders.append([name.split("_")[1] for name in split["name"]])
    assert orders[0] != orders[1]


def test_too_few_lists_every_small_class():
    table = too_few({"n1": 24, "n2": 25, "n3": 0}, train=20, test_min=5)
    assert table.columns.tolist() == ["wnid", "wanted", "found"]
    assert table.values.tolist() == [["n1", 25, 24], ["n3", 25, 0]]


def test_too_few_is_empty_when_all_is_well():
    assert too_few({"n1": 25}, train=20, test_min=5).empty


def test_all_small_classes_are_named_with_the_cure():
    images = pd.DataFrame({"wnid": ["n1"] * 30 + ["n2"] * 14 + ["n3"] * 2, "name": [f"x_{k}" for k in range(46)]})
    with pytest.raises(TooFewImages) as caught:
        split_images(images, seed=0, wanted=WANTED)
    assert caught.value.table.values.tolist() == [["n2", 15, 14], ["n3", 15, 2]]
    message = str(caught.value)
    for word in ("n2", "14", "n3", "images.train", "images.test_min", "images.on_missing: drop"):
        assert word in message
    assert "n1" not in message


def test_one_image_less_than_needed_is_refused_and_none_less_is_not():
    assert sizes(split_class(NAMES[:15], "n1", seed=0, wanted=WANTED)) == [12, 0, 3]
    with pytest.raises(TooFewImages, match="15 +14"):
        split_class(NAMES[:14], "n1", seed=0, wanted=WANTED)


def test_a_repeated_name_is_refused():
    with pytest.raises(ValueError, match=r"1 names come twice, first n1_4\.JPEG"):
        split_class([*NAMES, "n1_4.JPEG"], "n1", seed=0, wanted=WANTED)


def test_a_test_size_below_its_minimum_is_refused():
    with pytest.raises(ValueError, match=r"images\.test is 2, less than images\.test_min 3; raise it"):
        replace(WANTED, test=2)


@pytest.mark.parametrize("wrong", [{"train": 0}, {"validation": -1}, {"test_min": 0}])
def test_numbers_of_images_that_nobody_can_want_are_refused_with_the_cure(wrong):
    with pytest.raises(ValueError, match=r"expected at least 1 training.*raise images\.train, images\.validation or"):
        replace(WANTED, **wrong)


TRAIN = ["n1_5.JPEG", "n1_3.JPEG", "n2_1.JPEG", "n1_9.JPEG", "n1_1.JPEG", "n1_7.JPEG", "n1_2.JPEG"]
TEST = ["n2_8.JPEG", "n1_8.JPEG", "n1_6.JPEG"]
FOUND = [f"n1_{number}.JPEG" for number in (1, 2, 3, 5, 6, 7, 8, 11)]  # 9 is missing, 11 is in no list


def test_seed_0_keeps_the_order_of_the_list_and_the_last_names_validate():
    split = split_lists(FOUND, TRAIN, TEST, "n1", seed=0, validation=2)
    assert part(split, "train") == ["n1_5.JPEG", "n1_3.JPEG", "n1_1.JPEG"]
    assert part(split, "validation") == ["n1_7.JPEG", "n1_2.JPEG"]
    assert part(split, "test") == ["n1_8.JPEG", "n1_6.JPEG"]


def test_without_validation_the_whole_list_trains():
    split = split_lists(FOUND, TRAIN, TEST, "n1", seed=0, validation=0)
    assert part(split, "train") == ["n1_5.JPEG", "n1_3.JPEG", "n1_1.JPEG", "n1_7.JPEG", "n1_2.JPEG"]
    assert part(split, "validation") == []


def test_other_seeds_permute_the_list_and_keep_test_and_validation():
    names = [f"n1_{number}.JPEG" for number in range(60)]
    splits = [split_lists(names, names[:50], names[50:], "n1", seed, validation=5) for seed in range(4)]
    assert part(splits[0], "train") == names[:45]
    for split in splits[1:]:
        assert sorted(part(split, "train")) == sorted(names[:45])
        assert part(split, "validation") == names[45:50]
        assert part(split, "test") == names[50:]
    assert len({tuple(part(split, "train")) for split in splits}) == 4


def test_names_missing_from_the_images_and_from_the_lists_are_counted():
    counts = compare_lists(FOUND, TRAIN, TEST, "n1")
    assert counts == {"train": 5, "train_missing": 1, "test": 2, "test_missing": 0}


def test_a_class_whose_name_begins_another_is_kept_apart():
    counts = compare_lists(["n1_1.JPEG"], ["n1_1.JPEG", "n11_1.JPEG"], ["n11_2.JPEG"], "n1")
    assert counts == {"train": 1, "train_missing": 0, "test": 0, "test_missing": 0}


def test_lists_that_name_no_image_of_the_class_are_refused():
    with pytest.raises(ValueError, match=r"n3: of its 1 usable images, 0 are in the training list and 0"):
        split_lists(["n3_1.JPEG"], TRAIN, TEST, "n3", seed=0, validation=0)


def test_validation_that_leaves_no_training_image_is_refused():
    with pytest.raises(ValueError, match=r"5 are in the training list.*more than 5 \(images\.validation\)"):
        split_lists(FOUND, TRAIN, TEST, "n1", seed=0, validation=5)


def test_an_image_in_both_lists_is_refused():
    with pytest.raises(ValueError, match=r"two lists for n1 together.*first n1_5\.JPEG"):
        split_lists(FOUND, TRAIN, [*TEST, "n1_5.JPEG"], "n1", seed=0, validation=0)


def test_split_images_follows_the_lists(tmp_path):
    (tmp_path / "train.txt").write_text("\n".join(TRAIN) + "\n")
    (tmp_path / "test.txt").write_text("\n".join(TEST) + "\n")
    lists = read_lists([tmp_path / "train.txt", tmp_path / "test.txt"])
    assert lists == (TRAIN, TEST)
    images = pd.DataFrame({"wnid": "n1", "name": FOUND})
    split = split_images(images, 0, Wanted(train=900, validation=2, test=100, test_min=1), lists)
    assert part(split, "train") == ["n1_5.JPEG", "n1_3.JPEG", "n1_1.JPEG"]


def test_no_paths_are_no_lists_and_one_path_is_an_error(tmp_path):
    assert read_lists([]) is None
    with pytest.raises(ValueError, match="got 1"):
        read_lists([tmp_path / "train.txt"])


def test_shots_of_several_classes_are_taken_from_each():
    split = pd.DataFrame(
        [("n1", "a", "train", 0), ("n1", "b", "train", 1), ("n2", "c", "train", 0), ("n2", "d", "test", 0)],
        columns=["wnid", "name", "part", "rank"],
    )
    assert shots(split, 1)["name"].tolist() == ["a", "c"]
    with pytest.raises(ValueError, match=r"expected 2 training images in every class, but n2 has 1; lower"):
        shots(split, 2)


def test_a_class_without_any_training_image_is_named():
    split = pd.DataFrame([("n1", "a", "train", 0), ("n2", "d", "test", 0)], columns=["wnid", "name", "part", "rank"])
    with pytest.raises(ValueError, match="n2 has 0"):
        shots(split, 1)


def test_zero_shots_are_refused():
    with pytest.raises(ValueError, match="at least 1 shot, got 0"):
        shots(split_class(NAMES, "n1", seed=0, wanted=WANTED), 0)
