"""Folders of pictures with human names, none of them a synset, from the first command to a table."""

import io
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import timm
import yaml
from PIL import Image
from safetensors.torch import save_file

from running import copy_project, jobs, snakemake

CONFIG = "config/mine.yaml"
NAMES = {"screw M4": ".JPG", "Ölfleck": ".png", "x_don't #2": ".Jpeg"}
TABLE = "results/mine/tables/table2.md"
TINY = {"layers": [1, 1, 1, 1], "channels": [8, 8, 8, 16], "stem_width": 8}


def picture(path: Path, seed: int) -> None:
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    data = io.BytesIO()
    Image.fromarray(small).resize((40, 40)).save(data, "PNG")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.getvalue())


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with three folders of six pictures, a network of a few weights, and no WordNet."""
    folder = copy_project(tmp_path_factory.mktemp("own"))
    for at, (name, suffix) in enumerate(NAMES.items()):
        for number in range(6):
            picture(folder / f"own images/{name}/Bild {number} [n]{suffix}", seed=10 * at + number)
    # The same picture in two classes.
    shutil.copy(folder / "own images/screw M4/Bild 0 [n].JPG", folder / "own images/Ölfleck/twice.png")
    save_file(timm.create_model("resnet18", num_classes=6, **TINY).state_dict(), folder / "net.safetensors")
    config = yaml.safe_load((folder / "config/own.yaml").read_text())
    config |= {
        "experiment": "mine",
        "seeds": [0],
        "classes": {"sources": "config/sources/minimal.tsv", "taxonomy": None},
        "source": {"library": "timm", "name": "resnet18", "options": TINY, "weights": "net.safetensors"},
        "wordvectors": {"path": None},
        "neighbours": {"largest": 2, "further": [], "folds": 2},
        "training": {"steps": 2, "evaluations": 2},
        "groups": {"main": {"initialisations": ["inference", "wordnet"], "shots": [2]}},
    }
    config["figures"] = {"group": "main", "shots": 2}
    config["neighbours"]["shots"] = 2
    (folder / CONFIG).write_text(yaml.safe_dump(config))
    return folder


def test_nonsense_classes_get_their_table_and_one_more_picture_redoes_its_class(project):
    images = ("--config", "images={folder: own images, short_side: 36, crop: 32}")
    run = snakemake(project, TABLE, "results/mine/doubles.csv", *images, config=CONFIG)
    assert run.returncode == 0, run.stdout
    text = (project / TABLE).read_text()
    assert "WordNet First" not in text and "Visual (inference) First" in text
    assert "No class has a synset of WordNet, so there is no start by a measure that needs one." in text
    rows = (project / "results/mine/classes.tsv").read_text().splitlines()
    assert rows[0] == "class\twnid\tgloss\twhy"
    assert {row.split("\t")[0] for row in rows[1:]} == set(NAMES)
    assert all(row.endswith("\t\t\tWordNet is not installed") for row in rows[1:])
    audit = (project / "results/mine/audit.csv").read_text()
    assert re.search(r"^olfleck-\w+,7,7,.*,True,1$", audit, flags=re.MULTILINE)
    log = (project / "results/mine/logs/audit_images.log").read_text()
    assert "WARNING: the same picture in several classes" in log
    assert (project / "results/mine/doubles.csv").read_text().splitlines()[1].startswith("same,")

    assert jobs(project, TABLE, *images, config=CONFIG) == {}
    picture(project / "own images/Ölfleck/one more.PNG", seed=99)
    planned = jobs(project, TABLE, *images, config=CONFIG)
    assert (planned["pack_images"], planned["decode_images"]) == (1, 1) and planned["embed_images"] == 1
    assert not {"choose_synsets", "name_classes", "prepare_wordnet"} & set(planned)
