"""Pictures that come twice: in two classes, and in training and test; from the tar to the page."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance

from headstart.data.doubles import count_shared, digest_pictures, find_doubles, look_of, read_digests, say_shared
from headstart.data.images import PixelStore, decode_tar
from headstart.explorer.doubles import SHOWN, doubles_section
from headstart.jobs.files import write_table


def scene(seed: int) -> Image.Image:
    """A picture of a few soft blots, as unlike those of other seeds as photographs are."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    return small.resize((90, 90), Image.Resampling.BICUBIC)


def saved(image: Image.Image, form: str = "PNG", **options) -> bytes:
    data = io.BytesIO()
    image.save(data, form, **options)
    return data.getvalue()


def decode(folder: Path, wnid: str, *pictures: bytes) -> pd.DataFrame:
    with tarfile.open(folder / f"{wnid}.tar", "w") as archive:
        for number, data in enumerate(pictures):
            entry = tarfile.TarInfo(f"{number}.png")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    tar, store, audit = (folder / f"{wnid}{suffix}" for suffix in (".tar", ".arrow", ".audit.csv"))
    decode_tar(tar, store, audit, short_side=64, min_side=8)
    write_table(digest_pictures(PixelStore([store])), folder / f"{wnid}.digests.csv")
    return read_digests([str(folder / f"{wnid}.digests.csv")])[wnid]


@pytest.fixture
def made(tmp_path):
    """Two classes that share a picture, and one with a brighter copy of its own first picture."""
    first = [saved(scene(seed)) for seed in range(3)]
    second = [
        saved(scene(1)),
        saved(scene(3)),
        saved(ImageEnhance.Brightness(scene(0)).enhance(1.05), "JPEG", quality=70),
    ]
    return {"a-1": decode(tmp_path, "a-1", *first), "b-2": decode(tmp_path, "b-2", *second)}


def split(made, tests):
    rows = [
        (wnid, name, "test" if name in tests else "train") for wnid, table in made.items() for name in table["name"]
    ]
    return pd.DataFrame(rows, columns=["wnid", "name", "part"])


def test_looks_survive_what_is_done_to_photographs_and_tell_scenes_apart():
    looks = [int(look_of(scene(seed)), 16) for seed in range(30)]
    apart = [(a ^ b).bit_count() for at, a in enumerate(looks) for b in looks[:at]]
    assert min(apart) > 4
    for at, look in enumerate(looks):
        copy = Image.open(io.BytesIO(saved(ImageEnhance.Brightness(scene(at)).enhance(0.95), "JPEG", quality=60)))
        assert (look ^ int(look_of(copy.resize((70, 70))), 16)).bit_count() <= 4


def test_every_stored_picture_has_its_line(tmp_path, made):
    assert list(made["a-1"]["name"]) == PixelStore([tmp_path / "a-1.arrow"]).names
    assert made["a-1"]["pixels"].is_unique and (made["a-1"]["look"].str.len() == 16).all()


def test_a_picture_in_two_classes_is_counted_and_warned_of(made):
    audit = pd.DataFrame({"wnid": ["a-1", "b-2", "c-3"], "found": [3, 3, 0]})
    assert count_shared(audit, made)["shared"].tolist() == [1, 1, 0]
    assert say_shared(made, {"a-1": "anchor", "b-2": "bird"}) == [
        "WARNING: the same picture in several classes: a-1_1.png (anchor) and b-2_0.png (bird); "
        "leave it in the right one"
    ]
    alone = {"a-1": made["a-1"]}
    assert count_shared(audit, alone) is audit and say_shared(alone, {}) == []  # as it was before anybody looked
    assert count_shared(audit, {}) is audit


def test_doubles_across_training_and_test_are_found(made):
    found = find_doubles(made, split(made, {"b-2_2.png"}))
    assert found[["kind", "name", "twin"]].values.tolist() == [
        ["same", "a-1_1.png", "b-2_0.png"], ["near", "b-2_2.png", "a-1_0.png"],
    ]  # fmt: skip
    assert found.loc[1, ["part", "twin_part", "wnid", "twin_wnid"]].tolist() == ["test", "train", "b-2", "a-1"]
    # Both in training: neither score nor label is wrong by it. A pair is named once, as what it is.
    assert find_doubles(made, split(made, set()))["kind"].tolist() == ["same"]
    assert find_doubles(made, split(made, {"a-1_1.png"}))["kind"].tolist() == ["same"]
    # Classes that were dropped have no part in it.
    assert find_doubles(made, split(made, {"b-2_2.png"}).query("wnid == 'b-2'")).empty


def test_the_page_shows_them_and_nothing_where_there_are_none(tmp_path, made):
    store = PixelStore([tmp_path / "a-1.arrow", tmp_path / "b-2.arrow"])
    found = find_doubles(made, split(made, {"b-2_2.png"}))
    section = doubles_section(found, {"a-1": "<anchor>", "b-2": "bird"}, store)
    assert "the same picture in two classes: 1; nearly the same picture in training and test: 1." in section
    assert section.count('<img class="picture" src="data:image/webp') == 4
    assert "&lt;anchor&gt; (train)" in section and "<anchor>" not in section and "bird (test)" in section
    assert section.index("b-2_0.png") < section.index("b-2_2.png")  # what makes labels wrong comes first
    assert doubles_section(found.iloc[:0], {}, store) == ""
    many = pd.concat([found] * SHOWN)
    assert doubles_section(many, {}, store).count("<tr><td>") == SHOWN
    assert "doubles.csv has all" in doubles_section(many, {}, store)
