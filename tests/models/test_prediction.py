"""What is on the pictures of a folder: every file has its line, and a model sees what it saw in the pipeline."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from small_model import CLASSES, MACHINE, NAMES

from headstart.data.crops import centre_crop
from headstart.models.__main__ import main
from headstart.models.evaluation import list_images, show
from headstart.models.prediction import COLUMNS, predict_folder, read_crop


def test_the_crop_of_a_file_is_that_of_the_pipeline_pixel_for_pixel(pictures, store, model):
    for name in store.names:
        assert np.array_equal(read_crop(pictures / name, model), centre_crop(store.pixels(name), model.view.side))


def test_files_are_told_what_the_test_images_were_told(pictures, store, split, model):
    shown = show(model, store, split, "test", MACHINE)
    listed = list_images(model.classes, shown, model.probabilities(iter(_crops(store, shown, model)), MACHINE))
    table = predict_folder(model, pictures, MACHINE).set_index("file").loc[list(listed["name"])]
    for column in ("class", "probability", "second", "third_probability", "started_from"):
        assert list(table[column]) == list(listed[column]), column
    assert list(listed["true"]) == [NAMES[CLASSES.index(wnid)] for wnid in listed["wnid"]]


def _crops(store, shown, model):
    yield np.stack([centre_crop(store.pixels(name), model.view.side) for name in shown.images["name"]])


def test_probabilities_are_in_order_and_the_first_class_says_where_it_came_from(pictures, model):
    table = predict_folder(model, pictures, MACHINE)
    assert list(table.columns) == list(COLUMNS) and len(table) == 18 and (table["problem"] == "").all()
    assert (table["probability"] >= table["second_probability"]).all()
    total = table[["probability", "second_probability", "third_probability"]].sum(axis=1)
    assert total.to_numpy() == pytest.approx(1, abs=2e-4)
    origins = dict(zip(NAMES, ["robin (0.75); jay (0.25)", "", ""], strict=True))
    assert list(table["started_from"]) == [origins[name] for name in table["class"]]


@pytest.fixture
def mixed(tmp_path, pictures):
    """A folder of pictures of every kind and of other files."""
    (tmp_path / "below").mkdir()
    (tmp_path / "below/grün.PNG").write_bytes((pictures / "n01_0.png").read_bytes())
    Image.new("RGBA", (50, 40), (0, 200, 0, 128)).save(tmp_path / "clear.webp")
    Image.new("L", (1, 300_000)).save(tmp_path / "strip.png")
    (tmp_path / "cut.png").write_bytes((pictures / "n01_0.png").read_bytes()[:900])
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    return tmp_path


def test_what_cannot_be_read_is_listed_with_its_reason_and_stops_nothing(mixed, model):
    table = predict_folder(model, mixed, MACHINE).set_index("file")
    assert list(table.index) == ["below/grün.PNG", "clear.webp", "cut.png", "notes.txt", "strip.png"]
    problems = table["problem"]
    assert problems["notes.txt"] == "not an image" and "decoded" in problems["cut.png"]
    assert "strip, 1 x 300000 pixels" in problems["strip.png"] and " at 0x" not in "".join(problems)
    assert table["class"].isna().to_list() == [False, False, True, True, True]


def test_the_command_writes_the_table_and_says_what_it_left_out(folder, mixed, tmp_path, capsys):
    main([str(folder), str(mixed), "--table", str(tmp_path / "out/said.csv")])
    said = capsys.readouterr().out
    assert "2 pictures, 3 files that are none or cannot be read" in said and "notes.txt: not an image" in said
    table = pd.read_csv(tmp_path / "out/said.csv")
    assert list(table.columns) == list(COLUMNS) and len(table) == 5


@pytest.mark.parametrize(
    ("model_at", "images_at", "said"),
    [
        ("", "nowhere", "no folder .*nowhere; name one that holds pictures"),
        ("", "empty", "no file in .*empty"),
        ("nowhere", "empty", "holds no card.json"),
    ],
)
def test_the_command_ends_with_what_is_missing(folder, tmp_path, model_at, images_at, said):
    (tmp_path / "empty").mkdir()
    model = tmp_path / model_at if model_at else folder
    with pytest.raises(SystemExit, match=f"cannot predict: .*{said}"):
        main([str(model), str(tmp_path / images_at)])


def test_two_classes_have_no_third(model, pictures):
    from headstart.models.prediction import describe

    (row,) = describe(model.classes[:2], np.array([[0.25, 0.75]]))
    assert (row["class"], row["second"], row["probability"]) == (NAMES[1], NAMES[0], 0.75) and "third" not in row
