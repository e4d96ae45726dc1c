"""Loose pictures packed into tars, and split as their folders say."""

import tarfile

import pandas as pd
import pytest
from PIL import Image

from headstart.data.audit import audit_classes, kept_images
from headstart.data.images import decode_tar
from headstart.data.packing import pack
from headstart.data.splits import Wanted, some_of_each, split_images

KEY = "olfleck-6d685b4a"


def write(folder, *names):
    paths = {}
    for number, name in enumerate(names):
        path = folder / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), (number * 7 % 256, number, 90)).save(path, "PNG")
        paths[name] = path
    return paths


def test_the_same_files_give_the_same_bytes_in_any_order(tmp_path):
    paths = write(tmp_path, "ä b.PNG", "alt/{1}.jpg", "'#'.jpeg")
    pack(paths, tmp_path / "one.tar")
    next(iter(paths.values())).touch()
    pack(dict(reversed(paths.items())), tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    table = decode_tar(tmp_path / "one.tar", tmp_path / "s.arrow", tmp_path / "a.csv", short_side=8, min_side=4)
    assert list(table["member"]) == sorted(paths) and set(table["status"]) == {"kept"}


def test_a_class_that_is_a_tar_already_is_copied(tmp_path):
    pack(write(tmp_path, "1.png"), tmp_path / "Red Bird.TAR")
    pack({"Red Bird.TAR": tmp_path / "Red Bird.TAR"}, tmp_path / "red-bird-1.tar")
    with tarfile.open(tmp_path / "red-bird-1.tar") as archive:
        assert archive.getnames() == ["1.png"]


def test_folders_decide_what_tests_from_the_tar_to_the_split(tmp_path):
    names = [f"{part}/{n}.png" for part, count in (("train", 6), ("test", 3)) for n in range(count)]
    pack(write(tmp_path, *names), tmp_path / f"{KEY}.tar")
    audit = decode_tar(tmp_path / f"{KEY}.tar", tmp_path / "s.arrow", tmp_path / "a.csv", short_side=8, min_side=4)
    wanted = Wanted(4, 2, test=3, test_min=2, parted=True)
    counts = audit_classes([KEY], {KEY: audit}, None, wanted, "stop")
    assert counts.loc[0, ["train", "validation", "test"]].tolist() == [6, 0, 3]
    images = kept_images(counts, {KEY: audit})
    splits = [split_images(images, seed, wanted) for seed in (0, 1)]
    for split in splits:
        parts = split.groupby("part")["name"].apply(set)
        assert parts["test"] == {f"{KEY}_test_{n}.png" for n in range(3)}
        assert len(parts["validation"]) == 2 and len(parts["train"]) == 4
    assert list(splits[0]["name"]) != list(splits[1]["name"])  # the seed orders the training images
    glanced = some_of_each(list(images["name"]), {"Ölfleck": KEY}, train=3, parted=True)["Ölfleck"]
    assert len(glanced) == 3 and all("_train_" in name for name in glanced)


def test_a_class_with_too_few_in_one_folder_has_too_few(tmp_path):
    pack(write(tmp_path, *(f"train/{n}.png" for n in range(9)), "test/0.png"), tmp_path / f"{KEY}.tar")
    audit = decode_tar(tmp_path / f"{KEY}.tar", tmp_path / "s.arrow", tmp_path / "a.csv", short_side=8, min_side=4)
    with pytest.raises(ValueError, match="too few images in 1 classes"):
        audit_classes([KEY], {KEY: audit}, None, Wanted(4, 0, test=3, test_min=2, parted=True), "stop")


def test_a_glance_never_falls_on_a_test_image():
    names = [f"{KEY}_{n}.png" for n in range(20)]
    wanted = Wanted(12, 3, test=100, test_min=2, test_share=0.25)
    images = pd.DataFrame({"wnid": KEY, "name": names})
    tests = set(split_images(images, 0, wanted).query("part != 'train'")["name"])
    glanced = some_of_each(names, {"x": KEY}, train=12, parted=False)["x"]
    assert len(glanced) == 12 and not tests & set(glanced)
