"""An experiment with a section `model` gives a folder that works alone, and reruns nothing that was there before."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from safetensors.numpy import load_file

from headstart.data.images import PixelStore
from headstart.measures.metrics import confusion, f_scores, macro_f1
from headstart.models.__main__ import main
from pipeline.layout import MODEL_FILES
from running import RESULTS, jobs, snakemake

MODEL = RESULTS / "model"
TARGETS = f"{MODEL}/card.json", f"{RESULTS}/explore.html"


@pytest.fixture(scope="module")
def made(finished, tmp_path_factory):
    """A copy of the finished project that also gives the model of one start."""
    folder = tmp_path_factory.mktemp("model") / "project"
    shutil.copytree(finished, folder, symlinks=True)
    path = folder / "config/minimal.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"model": {"start": "imprinted"}}))
    wanted = jobs(folder)
    run = snakemake(folder, *TARGETS)
    assert run.returncode == 0, run.stdout[-6000:]
    return folder, wanted


def test_only_the_model_and_what_shows_it_is_made(made):
    _, wanted = made
    new = ("choose_model", "export_model", "describe_model", "show_mistakes")
    # The page without the wrong pictures moves to another place.
    assert wanted == {**dict.fromkeys(new, 1), "build_explorer": 1, "record_provenance": 1}


def test_the_folder_is_whole_and_the_rest_is_as_before(made, finished):
    folder, _ = made
    assert {path.name for path in (folder / MODEL).iterdir()} == {*MODEL_FILES, "candidates.csv"}
    for place in ("runs", "heads", "tables", "figures"):
        for path in (finished / RESULTS / place).rglob("*.*"):
            assert (folder / path.relative_to(finished)).read_bytes() == path.read_bytes(), path
    plain, page = ((folder / place).read_text() for place in ("work/minimal/explore.html", RESULTS / "explore.html"))
    assert plain == (finished / RESULTS / "explore.html").read_text()
    assert "Pictures the model gets wrong" in page and "Pictures the model gets wrong" not in plain


def test_the_card_states_what_the_run_scored_and_what_predict_finds(made, tmp_path, monkeypatch):
    folder, _ = made
    card = json.loads((folder / MODEL / "card.json").read_text())
    chosen, classes = card["chosen"], {one["name"]: place for place, one in enumerate(card["classes"])}
    assert chosen["initialisation"] == "imprinted" and chosen["shots"] == 4
    assert card["scores"]["f1"] == pytest.approx(chosen["test"], abs=1e-6)  # of the history, when it was trained
    tests = pd.read_csv(folder / MODEL / "test.csv")
    store = PixelStore(sorted((folder / RESULTS / "images").glob("n*.arrow")))
    (tmp_path / "pictures").mkdir()
    for name in tests["name"]:
        Image.fromarray(store.pixels(name)).save(tmp_path / "pictures" / f"{name}.png")
    alone = shutil.copytree(folder / MODEL, tmp_path / "taken/home")
    monkeypatch.chdir(tmp_path)
    main([str(alone), "pictures", "--table", "said.csv"])
    said = pd.read_csv("said.csv").set_index("file").loc[[f"{name}.png" for name in tests["name"]]]
    counts = confusion(tests["true"].map(classes), said["class"].map(classes).to_numpy(), len(classes))
    assert macro_f1(f_scores(counts)) == pytest.approx(card["scores"]["f1"], abs=1e-6)
    assert list(said["probability"]) == list(tests["probability"])


def test_the_weights_are_those_of_the_run_at_its_last_step_where_that_is_chosen(made):
    folder, _ = made
    chosen = json.loads((folder / MODEL / "card.json").read_text())["chosen"]
    state = load_file(folder / MODEL / "model.safetensors")
    if chosen["step"] == 0:
        heads = load_file(folder / RESULTS / f"heads/4-{chosen['seed']}.safetensors")
        assert np.array_equal(state["fc.weight"], heads["imprinted/weight"])
    source = load_file(folder / RESULTS / "source/weights.safetensors")
    assert np.array_equal(state["layer1.0.conv1.weight"], source["layer1.0.conv1.weight"])


def test_a_second_run_does_nothing(made):
    folder, _ = made
    assert jobs(folder, *TARGETS) == {}
