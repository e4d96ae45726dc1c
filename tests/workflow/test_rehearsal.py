"""The paper's experiment in small: every rule of it runs, on files fetched from a server that breaks and lacks some."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import rehearsal
import yaml
from test_workflow import copy_project, jobs, snakemake

from headstart.fetching.downloads import read_lock

RESULTS = Path("results/rehearsal")
CONFIG = "config/rehearsal.yaml"
# `make rehearsal` has two seeds and all shot counts of the paper; these add minutes here, and no rule.
FEW = rehearsal.SIZES["small"]._replace(train=8)


def fewer(written: str) -> str:
    """Return the rehearsal's config with one seed, two shot counts, and as few training images as these need."""
    config = yaml.safe_load(written)
    config["seeds"], config["images"]["train"] = [0], 5
    config["groups"]["main"]["shots"], config["groups"]["curves"]["shots"] = [1, 5], [5]
    config["neighbours"]["shots"] = config["figures"]["shots"] = 5
    return yaml.safe_dump(config, sort_keys=False)


@pytest.fixture(scope="module")
def rehearsed(wordnet_folder, tmp_path_factory):
    """A copy of the project in which the rehearsal has run, what Snakemake said, and what was asked of the server."""
    folder = copy_project(tmp_path_factory.mktemp("rehearsal"))
    (folder / CONFIG).write_text(fewer((folder / CONFIG).read_text()))
    with rehearsal.server(FEW, port=0) as server:
        for name in (CONFIG, "config/rehearsal/downloads.tsv"):
            path = folder / name
            path.write_text(path.read_text().replace("http://127.0.0.1:8790", server.url))
        run = snakemake(folder, config=CONFIG)
    assert run.returncode == 0, run.stdout[-6000:]
    yield folder, run.stdout, server.requests
    shutil.rmtree(folder)  # a gigabyte of trained weights


def test_every_rule_of_the_papers_experiment_has_run(rehearsed):
    folder, said, _ = rehearsed
    ran = set(re.findall(r"^(\w+) +\d+$", said, flags=re.MULTILINE)) - {"total"}
    assert set(jobs(folder, config="config/paper.yaml")) == ran - {"all"}
    assert jobs(folder, config=CONFIG) == {}


def test_classes_that_are_not_offered_are_left_out_and_named_and_no_figure_stands_beside_the_papers_unmarked(rehearsed):
    folder, said, _ = rehearsed
    assert said.count("NOT OFFERED") == 2
    audit = pd.read_csv(folder / RESULTS / "audit.csv").set_index("wnid")
    assert list(audit.index[~audit["kept"]]) == list(rehearsal.NOT_OFFERED)
    assert audit.loc[rehearsal.LACKING, ["train", "train_missing"]].tolist() == [FEW.train - 1, 1]
    assert (audit.loc[audit["kept"], "unlisted"] >= FEW.unlisted).all()
    table = (folder / RESULTS / "tables/table2.md").read_text()
    assert "88 target classes" in table and "military officer" in table and "pitcher" in table
    assert pd.read_csv(folder / RESULTS / "tables/table2.csv")["classes"].unique().tolist() == [88]


def test_broken_lines_were_resumed_and_every_file_is_recorded_once(rehearsed):
    folder, _, requests = rehearsed
    resumed = {path for path, part in requests if part}
    assert resumed == {f"synsets/{wnid}.tar" for wnid in rehearsal.targets()[:6]} | {"resnet101-63fe2227.pth"}
    lock = read_lock(folder / "downloads/rehearsal/lock.tsv")
    assert len(lock) == 88 + 4 and not list((folder / "downloads").rglob("*.part"))


def test_a_lost_link_is_mended_without_asking_the_server(rehearsed):
    folder, _, _ = rehearsed
    link = folder / "resources/rehearsal/n04459362.tar"
    link.unlink()
    run = snakemake(folder, "resources/rehearsal/n04459362.tar", config=CONFIG)  # the server is gone by now
    assert run.returncode == 0 and link.exists(), run.stdout


def test_tars_put_there_by_hand_need_no_server(rehearsed, tmp_path):
    folder, _, _ = rehearsed
    alone = copy_project(tmp_path)
    wnid = "n04459362"
    (alone / "downloads/rehearsal/synsets").mkdir(parents=True)
    shutil.copy(folder / f"downloads/rehearsal/synsets/{wnid}.tar", alone / "downloads/rehearsal/synsets")
    shutil.copy(folder / "downloads/rehearsal/train.txt", alone / "downloads/rehearsal")
    shutil.copy(folder / "downloads/rehearsal/test.txt", alone / "downloads/rehearsal")
    target = str(RESULTS / f"images/{wnid}.arrow")
    assert snakemake(alone, target, config=CONFIG).returncode == 0
    (alone / f"downloads/rehearsal/synsets/{wnid}.tar").write_bytes(b"another file")
    run = snakemake(alone, "--force", f"resources/rehearsal/{wnid}.tar", config=CONFIG)
    assert run.returncode != 0 and "as the first time" in run.stdout
