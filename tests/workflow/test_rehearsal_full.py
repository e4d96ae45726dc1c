"""`make rehearsal SIZE=full`: the paper's rules and size; without a GPU a refusal at once; pictures that are drawn."""

import io
import os
import subprocess
import sys
import tarfile

import numpy as np
import rehearsal
import yaml
from PIL import Image

from headstart.data.images import PixelStore, decode_tar
from pipeline.config.loading import load_config
from pipeline.plan.counts import count
from running import PROJECT

FULL, PAPER = (yaml.safe_load((PROJECT / f"config/{name}.yaml").read_text()) for name in ("rehearsal_full", "paper"))
FEW = rehearsal.SIZES["full"]._replace(train=3, test=2, unlisted=1)
SMALL = rehearsal.SIZES["small"]


def test_without_a_gpu_it_is_refused_before_anything_starts(tmp_path):
    started = tmp_path / "started"
    command = [sys.executable, str(PROJECT / "tests/rehearsal.py"), "full", "touch", str(started)]
    run = subprocess.run(command, env=os.environ | {"CUDA_VISIBLE_DEVICES": ""}, text=True, capture_output=True)
    assert run.returncode == 1 and run.stdout == "" and not started.exists()
    for said in (
        "SIZE=full",
        "needs a CUDA GPU",
        "Nothing was started",
        "`make rehearsal` runs the same rules in small",
    ):
        assert said in run.stderr


def test_an_unknown_size_is_refused_with_the_known_ones():
    run = subprocess.run(
        ["make", "-o", ".venv/ready", "rehearsal", "SIZE=ful", "CORES=1"], cwd=PROJECT, text=True, capture_output=True
    )
    assert run.returncode != 0 and "'ful'" in run.stderr and "small" in run.stderr and "full" in run.stderr


def test_make_runs_each_size_with_its_config():
    for size, config in {"": "config/rehearsal.yaml", "SIZE=full": "config/rehearsal_full.yaml"}.items():
        wanted = ["make", "--dry-run", "-o", ".venv/ready", "rehearsal", "CORES=3", *size.split()]
        said = subprocess.run(wanted, cwd=PROJECT, text=True, capture_output=True).stdout
        served = size.removeprefix("SIZE=") or "small"
        assert f"python tests/rehearsal.py {served} snakemake --cores 3 --configfile {config}\n" in said


def test_it_is_the_papers_experiment_with_less_to_train():
    paper, full = (load_config(config, PROJECT) for config in (PAPER, FULL))
    shorter = {"steps": 300, "evaluations": 5}
    assert full["training"] == paper["training"] | shorter
    same = ("short_side", "crop", "min_side", "test", "test_min", "on_missing")
    assert {key: full["images"][key] for key in same} == {key: paper["images"][key] for key in same}
    assert all(full[part] == paper[part] for part in ("classes", "neighbours", "heads", "inference"))
    assert {**full["source"], "weights": ""} == {**paper["source"], "weights": ""}
    assert full["groups"]["main"]["initialisations"] == paper["groups"]["main"]["initialisations"]
    counts = {name: count(config, lambda steps: 5).jobs for name, config in (("paper", paper), ("full", full))}
    assert set(counts["full"]) == set(counts["paper"]) and counts["full"]["fine_tune"] == 2


def test_pictures_of_the_real_size_are_drawn_packed_and_decoded(tmp_path):
    wnid = rehearsal.targets()[5]
    tar = tmp_path / f"{wnid}.tar"
    tar.write_bytes(rehearsal.synset(wnid, FEW))
    with tarfile.open(tar) as archive:
        names = archive.getnames()
        assert names == rehearsal.names(wnid, 0, 6)
        first, second = (Image.open(io.BytesIO(archive.extractfile(name).read())) for name in names[:2])
    assert first.size == (400, 300) and not np.array_equal(first, second)
    decode_tar(tar, tmp_path / "store.arrow", tmp_path / "audit.csv", short_side=256, min_side=16)
    assert PixelStore([tmp_path / "store.arrow"]).pixels(names[0]).shape == (256, 341, 3)


def test_the_server_lists_what_the_tars_hold_and_draws_the_same_again():
    wnid = rehearsal.targets()[5]
    listed = [rehearsal.content(FEW, f"{part}.txt").decode().split() for part in ("train", "test")]
    ours = [name for names in listed for name in names if name.startswith(wnid)]
    with tarfile.open(fileobj=io.BytesIO(rehearsal.content(FEW, f"synsets/{wnid}.tar"))) as archive:
        assert archive.getnames()[: len(ours)] == ours and len(ours) == 5
    assert rehearsal.synset(wnid, FEW) == rehearsal.content(FEW, f"synsets/{wnid}.tar")  # after it was forgotten
    gone = rehearsal.NOT_OFFERED[0]
    assert rehearsal.content(FEW, f"synsets/{gone}.tar") is None


def test_each_size_has_as_many_pictures_as_its_config_wants():
    small = yaml.safe_load((PROJECT / "config/rehearsal.yaml").read_text())
    for size, config in ((rehearsal.SIZES["full"], FULL), (SMALL, small)):
        images = config["images"]
        assert size.train > images["train"] + images["validation"] and size.test == images["test"]
        assert min(size.height, size.width) >= images["short_side"]
    assert sum(rehearsal.SIZES["full"][:3]) == 220
