"""Folders, tars and tables of pictures, as people have them, and the classes that are found in them."""

import os
import re
import tarfile
import unicodedata
from pathlib import Path

import pytest

from pipeline.config.survey import KEY, key_of, survey
from pipeline.config.tables import ConfigError


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"picture")
    return folder


def found(place: Path) -> dict[str, dict[str, int]]:
    return {one.name: one.pictures for one in survey(str(place)).classes}


def members(place: Path) -> dict[str, list[str]]:
    return {one.name: list(one.files.values()) for one in survey(str(place)).classes}


def test_a_folder_for_each_class_whatever_it_is_called(tmp_path):
    fill(tmp_path, "screw M4/IMG 1.JPG", "screw M4/b.JpEg", "Ölfleck/ä.png", "Ölfleck/old/c.WEBP", "Ölfleck/notes.txt")
    assert found(tmp_path) == {"screw M4": {"": 2}, "Ölfleck": {"": 2}}
    assert members(tmp_path)["Ölfleck"] == ["notes.txt", "ä.png", "old/c.WEBP"]  # nothing is dropped unseen


def test_names_are_the_same_however_their_marks_are_composed(tmp_path):
    fill(tmp_path, unicodedata.normalize("NFD", "Ölfleck/a.jpg"), "b/b.jpg")
    assert list(found(tmp_path)) == ["b", unicodedata.normalize("NFC", "Ölfleck")]
    assert key_of(unicodedata.normalize("NFD", "Ölfleck")) == key_of(unicodedata.normalize("NFC", "Ölfleck"))


def test_litter_and_loose_files_are_no_classes(tmp_path):
    fill(tmp_path, "a/1.jpg", "b/1.jpg", ".cache/1.jpg", "__MACOSX/1.jpg", "a/.DS_Store", "b/Thumbs.db", "readme.txt")
    assert found(tmp_path) == {"a": {"": 1}, "b": {"": 1}}
    assert survey(str(tmp_path)).aside == (str(tmp_path / "readme.txt"),)


@pytest.mark.parametrize(("folders", "parts"), [
    (("train", "test"), {"train": 1, "test": 1}),
    (("Train", "val"), {"train": 1, "test": 1}),  # val/ is what tests, where nothing else does
    (("training", "valid", "Testing"), {"test": 1, "train": 1, "validation": 1}),
])  # fmt: skip
def test_folders_above_the_classes_say_what_pictures_are_for(tmp_path, folders, parts):
    fill(tmp_path, *(f"{folder}/{name}/0.jpg" for folder in folders for name in ("a", "b")))
    assert found(tmp_path) == {"a": parts, "b": parts}
    assert survey(str(tmp_path)).parted
    assert {Path(member).parts[0] for member in members(tmp_path)["a"]} == set(parts)


def test_classes_may_be_called_train_and_test(tmp_path):
    fill(tmp_path, "train/1.jpg", "test/1.jpg", "tram/1.jpg")
    assert list(found(tmp_path)) == ["test", "train", "tram"]
    assert not survey(str(tmp_path)).parted


def test_a_tar_for_each_class(tmp_path):
    fill(tmp_path, "1.jpg")
    for name in ("red bird.tar", "fish.TAR"):
        with tarfile.open(tmp_path / name, "w") as archive:
            archive.add(tmp_path / "1.jpg", "x/1.jpg")
    (tmp_path / "1.jpg").unlink()
    assert found(tmp_path) == {"fish": {"": 1}, "red bird": {"": 1}}
    (tmp_path / "cat.tar").write_bytes(b"no tar")
    survey.cache_clear()
    with pytest.raises(ConfigError, match=r"cat\.tar cannot be read as a plain tar"):
        survey(str(tmp_path))


def test_a_table_of_files(tmp_path):
    fill(tmp_path, "lists/x", "all/1.jpg", "all/2.JPG", "lists/all/1.jpg")
    table = tmp_path / "lists/mine.csv"
    table.write_text("file,class,note\n../all/1.jpg,ölfleck,\n../all/2.JPG,screw M4,\nall/1.jpg,ölfleck,\n")
    assert found(table) == {"screw M4": {"": 1}, "ölfleck": {"": 2}}
    assert members(table)["ölfleck"] == ["all/1.jpg", "further/all/1.jpg"]  # neither leads out, both are there
    table.write_text("file,class\ngone.jpg,a\n")
    survey.cache_clear()
    with pytest.raises(ConfigError, match=r"there is no file .*gone\.jpg; correct the table"):
        survey(str(table))
    table.write_text("path,label\n1.jpg,a\n")
    survey.cache_clear()
    with pytest.raises(ConfigError, match="has columns path, label; expected a folder .* or a table with columns"):
        survey(str(table))


def test_what_holds_no_classes_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="is not there; expected a folder with one sub-folder or tar"):
        survey(str(tmp_path / "gone"))
    fill(tmp_path, "flowers/rose/1.jpg", "flowers/iris/1.jpg")
    with pytest.raises(ConfigError, match=rf"one class only \(flowers\); did you mean {tmp_path}/flowers\?"):
        survey(str(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="holds no class; expected"):
        survey(str(tmp_path / "empty"))


def test_names_that_cannot_be_written_down_are_refused(tmp_path):
    fill(tmp_path, "a/1.jpg", "b/1.jpg")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/a/\xe4.jpg")).write_bytes(b"latin-1")
    with pytest.raises(ConfigError, match=r"\(braces, line breaks, another encoding than UTF-8\); rename it"):
        survey(str(tmp_path))
    fill(tmp_path / "more", "{a}/1.jpg", "b/1.jpg")
    with pytest.raises(ConfigError, match=r"/\{a\}/1\.jpg' has a name with signs"):
        survey(str(tmp_path / "more"))


def test_keys_tell_classes_apart_whose_letters_are_the_same():
    names = ["Rose", "rose", "rosé", "玫瑰", "牡丹", "a_b", "a b", "../x", "n02084071"]
    keys = [key_of(name) for name in names]
    assert len(set(keys)) == len(names)
    for key in keys:
        # Not like a wnid, nor with a sign that splits names of images.
        assert re.fullmatch(KEY, key)
