"""Images are counted with the reasons why some are dropped; classes with too few stop the run or are dropped."""

import pandas as pd
import pytest

from headstart.data.audit import audit_classes, kept_images, kept_names, require_two, say_listed
from headstart.data.splits import TooFewImages, Wanted

WANTED = Wanted(train=3, validation=0, test=2, test_min=2)


def audit(kept: int, dropped: tuple[str, ...] = (), wnid: str = "n1") -> pd.DataFrame:
    rows = [(f"{wnid}_{k}.JPEG", "kept", "") for k in range(kept)]
    rows += [(f"{wnid}_{100 + k}.JPEG", "dropped", reason) for k, reason in enumerate(dropped)]
    return pd.DataFrame(rows, columns=["member", "status", "reason"])


def test_every_member_is_counted_once():
    table = audit_classes(["n1"], {"n1": audit(5, ("tiny", "tiny", "duplicate"))}, None, WANTED, "stop")
    assert table.loc[0, ["members", "found", "tiny", "duplicate", "unreadable", "other"]].tolist() == [8, 5, 2, 1, 0, 0]
    assert table.loc[0, ["wanted", "kept"]].tolist() == [5, True]


def test_an_unknown_reason_is_counted_as_other():
    assert audit_classes(["n1"], {"n1": audit(5, ("odd",))}, None, WANTED, "stop").loc[0, "other"] == 1


def test_stop_lists_every_class_with_too_few_images_and_those_without_a_tar():
    audits = {"n1": audit(5), "n2": audit(4, wnid="n2")}
    with pytest.raises(TooFewImages) as stopped:
        audit_classes(["n1", "n2", "n3"], audits, None, WANTED, on_missing="stop")
    assert stopped.value.table.values.tolist() == [["n2", 5, 4], ["n3", 5, 0]]
    assert "on_missing" in str(stopped.value)


def test_drop_goes_on_without_them():
    audits = {"n1": audit(5), "n2": audit(4, wnid="n2")}
    table = audit_classes(["n1", "n2", "n3"], audits, None, WANTED, on_missing="drop")
    assert table["kept"].tolist() == [True, False, False]
    assert kept_images(table, audits)["name"].tolist() == kept_names(audits["n1"], "n1")


def test_drop_does_not_go_on_with_no_class_at_all():
    with pytest.raises(TooFewImages):
        audit_classes(["n1"], {"n1": audit(4)}, None, WANTED, on_missing="drop")


def test_one_class_alone_is_refused_with_those_that_were_dropped():
    audits = {"n1": audit(5), "n2": audit(4, wnid="n2"), "n3": audit(5, wnid="n3")}
    require_two(audit_classes(["n1", "n2", "n3"], audits, None, WANTED, on_missing="drop"))
    with pytest.raises(ValueError, match=r"only 1 of 2 classes has enough images \(n1\)[^\n]*\n.*\n +n2 +5 +4$"):
        require_two(audit_classes(["n1", "n2"], audits, None, WANTED, on_missing="drop"))


def test_published_lists_count_training_and_test_images_apart():
    names = kept_names(audit(6), "n1")
    audits = {"n1": audit(6)}
    table = audit_classes(["n1"], audits, (names[:3] + ["n1_999.JPEG"], names[3:5]), WANTED, "stop")
    assert table.loc[0, ["train", "train_missing", "test", "test_missing"]].tolist() == [3, 1, 2, 0]
    assert kept_images(table, audits, (names[:3], names[3:5]))["name"].tolist() == names[:5]
    with pytest.raises(TooFewImages):  # six images, but one of training is missing
        audit_classes(["n1"], audits, (names[:2], names[3:]), WANTED, "stop")
    with pytest.raises(TooFewImages):  # three of training, but one of them has to validate
        audit_classes(["n1"], audits, (names[:3], names[3:5]), Wanted(3, 1, 2, 2), "stop")


def test_images_found_of_those_listed_are_counted_and_said_per_class():
    names = [f"{wnid}_{k}.JPEG" for wnid in ("n1", "n2", "n3") for k in range(5)]
    lists = ([name for name in names if name[-6] in "012"], [name for name in names if name[-6] in "34"])
    audits = {"n1": audit(7), "n2": audit(4, wnid="n2")}
    table = audit_classes(["n1", "n2", "n3"], audits, lists, Wanted(3, 0, 1, 1), "drop")
    assert table["listed"].tolist() == [5, 5, 5]
    assert table["listed_found"].tolist() == [5, 4, 0]
    assert say_listed(table) == [
        "n2: 4 of 5 listed images found",
        "n3: 0 of 5 listed images found",
        "9 of 15 listed images found",
    ]
    assert say_listed(audit_classes(["n1"], audits, None, Wanted(3, 0, 1, 1), "drop")) == []


def test_a_class_that_a_table_shows_cannot_be_dropped():
    audits = {"n1": audit(5), "n2": audit(4, wnid="n2")}
    with pytest.raises(ValueError, match="n2 has too few images and is dropped, but tables.examples"):
        audit_classes(["n1", "n2"], audits, None, WANTED, "drop", shown=["n1", "n2"])
