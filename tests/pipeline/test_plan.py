"""The plan of an experiment says what it needs before it is started, and its counts are those of the real pipeline."""

import copy
import re
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
import torch
import yaml

from headstart.data.splits import Wanted, split_class, split_lists
from headstart.finetuning.costs import Costs
from headstart.finetuning.settings import evaluation_steps
from pipeline.config.loading import load_config
from pipeline.plan import page as plan
from pipeline.plan.counts import IMAGES_OF_SYNSET, LISTED, Counts, by_lists, by_lot, count, images_shown
from pipeline.plan.estimates import Filters, machines_of, read_rates, rooms, stages
from pipeline.plan.supplies import count_members, needed_files, needed_tars

PROJECT = Path(__file__).parents[2]
PAPER90 = [line.split("\t")[0] for line in (PROJECT / "config/targets/paper90.tsv").read_text().splitlines()[1:]]
# ResNet-101 cut at layer4 with 90 classes, in FLOP (docs/performance.md).
RESNET101 = Costs(
    trunk=13_980_000_000,
    tail=1_618_000_000,
    head=0,
    training=4_446_000_000,
    outputs=200_704,
    features=2048,
    weights=15_171_684,
    parameters=15_149_146,
)


class OnH200(NamedTuple):
    """A whole run on an H200 with 16 cores, as measured: TF32, 90 classes of 220 pictures (docs/performance.md)."""

    seconds: float = 114  # from start to end
    jobs: int = 107
    images: int = 19_800  # decoded and embedded
    trainings: int = 2
    training_seconds: float = 26  # of each
    steps: int = 300  # of each, of 64 images
    steps_a_second: float = 15.5  # with the evaluations between them
    starts: int = 5
    evaluations: int = 5
    evaluated: int = 9_900


def given(name: str, **changes: Any) -> dict[str, Any]:
    """Read a shipped config with some of its values replaced, `section__key=value`."""
    config = yaml.safe_load((PROJECT / f"config/{name}.yaml").read_text())
    for key, value in changes.items():
        *way, last = key.split("__")
        place = config
        for part in way:
            place = place.setdefault(part, {})
        place[last] = copy.deepcopy(value)
    return config


def config_of(name: str, **changes: Any) -> dict[str, Any]:
    return load_config(given(name, **changes), PROJECT)


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A working directory with nothing in it, as on the first day."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_tar(path: Path, images: int, size: int = 600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = path.with_suffix(".JPEG")
    picture.write_bytes(bytes(size))
    with tarfile.open(path, "w") as archive:
        for number in range(images):
            archive.add(picture, f"{path.stem}_{number}.JPEG")
    picture.unlink()


def dry_run(config: dict[str, Any], folder: Path) -> dict[str, int]:
    """What Snakemake would do from nothing: rule -> number of jobs."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    options = ["--dry-run", "--cores", "1", "--snakefile", str(PROJECT / "Snakefile"), "--configfile", str(path)]
    run = subprocess.run([sys.executable, "-m", "snakemake", *options], cwd=folder, text=True, capture_output=True)
    assert run.returncode == 0, run.stdout + run.stderr
    table = re.search(r"^job +count\n[- ]+\n(.*?)\n\n", run.stdout + run.stderr, flags=re.MULTILINE | re.DOTALL)
    assert table is not None
    counts = {name: int(number) for name, number in (line.split() for line in table[1].splitlines())}
    assert counts.pop("total") == sum(counts.values())
    return counts


ODD = {  # no seed 0, no WordNet, inference in one group alone, shots that groups share
    "seeds": [3, 5],
    "groups": {
        "main": {"initialisations": ["random", "word2vec-k2", "imprinted"], "shots": [1, 2]},
        "curves": {"initialisations": ["random", "inference"], "shots": [2, 4]},
    },
    "figures__shots": 4,
}


# Starts compared before training, over more seeds and other shots than are trained, by a measure that no group names.
STARTS = {
    "starts": {
        "initialisations": ["random", "inference", "meaning-k2", "prior", "probe"],
        "shots": [1, 2],
        "seeds": [0, 1, 2, 5],
    }
}
# The same where no K is to be chosen for them.
FIXED = {"starts": STARTS["starts"] | {"initialisations": ["imprinted", "lin-k3"]}}


# Drawn images beside a network from elsewhere, whose top-1 nothing measures; a dry run opens no weights.
PRETRAINED = {"source__weights": "config/minimal.yaml"}


# Source images that look like the target's, in files of two lengths.
JOINT = {
    "groups": {
        "main": {"initialisations": ["random", "inference"], "shots": [1, 4]},
        "joint": {"strategy": "joint", "initialisations": ["random"], "shots": [1, 4]},
        "few": {"strategy": "joint", "options": {"rounds": 1}, "initialisations": ["random"], "shots": [4]},
        "any": {"strategy": "joint", "options": {"pool": "all"}, "initialisations": ["random"], "shots": [4]},
    },
    "figures": {"group": "main", "shots": 4},
    "tables__group": "main",
}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("minimal", {}),
        ("minimal", JOINT),
        ("minimal", ODD),
        ("minimal", PRETRAINED),
        ("minimal", STARTS),
        ("minimal", FIXED),
        ("paper", {}),
        ("rehearsal_full", {}),
    ],
)
def test_jobs_are_those_that_snakemake_would_run(name, changes, empty):
    counts = count(config_of(name, **changes), evaluations=lambda steps: 3)
    assert counts.jobs == dry_run(given(name, **changes, experiment="planned"), empty)


def test_papers_counts_are_those_of_arithmetic_by_hand(empty):
    counts = count(config_of("paper"), evaluations=lambda steps: 23)
    assert (counts.targets, counts.sources) == (90, 1000)
    assert counts.decoded == counts.embedded == 90 * 1000 and "assumed: 900 + 100 a class" in counts.source
    assert counts.evaluated == 90 * (100 + 20)
    assert counts.jobs["fine_tune"] == (7 + 1) * 3 and counts.steps == 24 * 4230
    heads = 7 * 5 + 4
    assert counts.replicas == heads * 3 and counts.optimiser_steps == heads * 3 * 4230
    assert counts.scored == 23 * counts.evaluated * counts.replicas
    # 90 images fill one batch of 64 and one of 26; 180 make three batches; from 25 shots on little is lost.
    assert counts.trunk == 3 * sum(images_shown(4230, 90 * shots, 64) for shots in (1, 2, 5, 10, 25, 50, 100, 500))
    assert images_shown(4230, 90, 64) == 4230 // 2 * 90 and images_shown(4230, 180, 64) == 4230 // 3 * 180


def test_work_is_that_of_the_formulas_for_the_papers_grid(empty):
    # 28 runs of 4230 steps of 64 images and 30 evaluations of 9000: 36.3 peta multiplications in lockstep. Batches of
    # 30 fill every epoch, so as many images are shown.
    group = {"initialisations": ["random", "inference", "wordnet", "word2vec"], "shots": [1, 2, 5, 10, 25, 50, 100]}
    grid = {"groups": {"main": group}, "figures__group": "main", "figures__shots": 100, "neighbours__shots": 100}
    config = config_of("paper", **grid, seeds=[0], training__batch=30, training__steps=4230 * 64 // 30)
    config["images"]["validation"] = 0
    counts = count(config, evaluations=lambda steps: 30)
    assert (counts.trunk, counts.tails, counts.scored) == (7 * 4230 * 64, 28 * 4230 * 64, 30 * 28 * 9000)
    wanted = ("trunk of evaluation images", "trunk of training images", "tails, forward and backward")
    work = {stage.name: stage.amount for stage in stages(counts, RESNET101)}
    total = sum(work[name] for name in (*wanted, "tails, evaluations"))
    assert total / 2e15 == pytest.approx(36.3, rel=0.002)


def test_selecting_source_images_is_counted_by_hand(empty):
    counts = count(config_of("minimal", **JOINT), evaluations=lambda steps: 3)
    targets, sources = 4, 6
    assert (counts.described, counts.among) == (targets * (8 - 3 - 1), sources * 8)
    assert counts.jobs["select_source_images"] == 2 and counts.jobs["describe_filters"] == 1
    filters = Filters(numbers=1000, work=7)
    work = {stage.name: stage.amount for stage in stages(counts, RESNET101, filters)}
    assert work["describe by filters"] == 7 * (3 * 16 + 48)
    assert work["select source images"] == 2 * 4 * 1000 * 16 * 48
    room = [one for one in rooms(config_of("minimal", **JOINT), counts, RESNET101, filters) if "filters" in one.place]
    assert [one.bytes for one in room] == [2 * 1000 * (16 + 48), 4 * 16 * 48, 4 * 16 * 20]
    plain = count(config_of("minimal"), evaluations=lambda steps: 3)
    assert plain.described == plain.among == 0 and "describe_filters" not in plain.jobs


def test_source_images_in_tars_are_counted_there_or_assumed(empty):
    samples = "tars/{wnid}.tar"
    for wnid in ("n01440764", "n01443537"):
        write_tar(empty / samples.format(wnid=wnid), 3)
    config = config_of("paper", source__samples=samples)
    counts, plain = count(config, evaluations=lambda steps: 2), count(config_of("paper"), evaluations=lambda steps: 2)
    assert counts.decoded - plain.decoded == 2 * 3 + 998 * IMAGES_OF_SYNSET
    assert counts.checked == 0 and counts.jobs["decode_images"] == 1000 + plain.jobs["decode_images"]


def test_images_shown_are_those_of_the_batches():
    for steps, images, batch in [(7, 10, 4), (6, 9, 3), (5, 3, 8), (1, 100, 64)]:
        epoch = [min(batch, images - start) for start in range(0, images, batch)]
        assert images_shown(steps, images, batch) == sum((epoch * steps)[:steps])


@pytest.mark.parametrize("found", [24, 25, 27, 38, 45, 90])
def test_a_class_is_split_as_the_pipeline_splits_it(found):
    images = {"train": 20, "validation": 5, "test": 15, "test_min": 5}
    part = by_lot(found, images)
    assert part.kept == (found >= 25)
    if part.kept:
        names = [f"n00000001_{number}.JPEG" for number in range(found)]
        sizes = split_class(names, "n00000001", 0, Wanted(**images))["part"].value_counts()
        assert (part.validation, part.test) == (sizes.get("validation", 0), sizes["test"])


def test_a_listed_class_is_split_as_the_pipeline_splits_it():
    train, test = ([f"n00000001_{part}{number}.JPEG" for number in range(30)] for part in "ab")
    sizes = split_lists(train + test, train, test, "n00000001", 0, validation=4)["part"].value_counts()
    part = by_lists(30, 30, {"train": 26, "validation": 4, "test_min": 5})
    assert part.kept and (part.validation, part.test) == (sizes["validation"], sizes["test"])
    assert not by_lists(29, 30, {"train": 26, "validation": 4, "test_min": 5}).kept


def test_images_are_counted_in_lists_that_are_there(empty):
    (empty / "downloads").mkdir()
    lists = {"train": 600, "test": 60}
    for name, number in lists.items():
        # The last class is too short of training images.
        names = [f"{wnid}_{i}.JPEG" for wnid in PAPER90 for i in range(number if wnid != PAPER90[-1] else 50)]
        (empty / f"downloads/{name}.txt").write_text("\n".join(names))
    counts = count(config_of("paper"), evaluations=lambda steps: 2)
    assert counts.source == "as listed" and counts.targets == 89
    assert counts.embedded == 89 * 660 and counts.decoded == counts.embedded + 100
    assert counts.evaluated == 89 * (60 + 20)


def test_a_class_that_is_not_offered_is_counted_out(empty):
    (empty / "downloads/synsets").mkdir(parents=True)
    (empty / f"downloads/synsets/{PAPER90[0]}.tar.not-offered").touch()
    config = config_of("paper")
    counts = count(config, evaluations=lambda steps: 2)
    assert counts.targets == 89 and counts.embedded == 89 * sum(LISTED.values())
    assert [tar.state() for tar in needed_tars(config, PAPER90)] == ["not offered"] + 89 * ["missing"]


def test_images_are_counted_in_tars_of_ones_own(empty):
    for number, wnid in enumerate(PAPER90[:3]):
        write_tar(empty / f"tars/{wnid}.tar", 8 + number)
    images = {"train": 4, "validation": 1, "test": 3, "test_min": 2, "on_missing": "drop"}
    changes: dict[str, Any] = {f"images__{key}": value for key, value in images.items()}
    groups = {"main": {"initialisations": ["wordnet"], "shots": [4]}}
    changes |= {"groups": groups, "figures__group": "main", "figures__shots": 4, "neighbours__shots": 4}
    config = config_of("paper", images__lists=None, images__tars=f"{empty}/tars/{{wnid}}.tar", **changes)
    counts = count(config, evaluations=lambda steps: 2)
    assert counts.source == "counted in 3 of 3 tars" and counts.targets == 3
    assert counts.decoded == 8 + 9 + 10 and counts.evaluated == 3 * (3 + 1)
    assert counts.jobs["decode_images"] == 3 and "fetch_synset" not in counts.jobs


def test_tars_beyond_a_limit_are_counted_by_their_size(tmp_path):
    tars = {wnid: tmp_path / f"{wnid}.tar" for wnid in ("n00000001", "n00000002", "n00000003")}
    write_tar(tars["n00000001"], 100)
    write_tar(tars["n00000002"], 50)
    tars["n00000003"].write_bytes(b"no tar at all" * 100)
    assert count_members(tars) == {"n00000001": 100, "n00000002": 50}
    by_size = count_members(tars, limit=1)
    assert by_size["n00000001"] == 100 and by_size["n00000002"] == pytest.approx(50, abs=7)


def test_images_of_tars_that_are_not_there_are_assumed(empty):
    counts = count(config_of("paper", images__lists=None), evaluations=lambda steps: 2)
    assert counts.source == f"counted in 0 of 90 tars, {IMAGES_OF_SYNSET} assumed in the others"
    assert counts.embedded == 90 * IMAGES_OF_SYNSET


def test_the_state_of_every_file_is_told(empty):
    (empty / "downloads").mkdir()
    (empty / "downloads/train.txt").write_bytes(bytes(1645362))
    (empty / "downloads/test.txt").write_bytes(b"cut short")
    handed = empty / "resources/paper/downloads/flickr4m.word2vec.tar.gz"
    handed.parent.mkdir(parents=True)
    handed.write_bytes(bytes(77))
    files = {file.name: file for file in needed_files(config_of("paper"), wordnet=False)}
    states = {name: file.state() for name, file in files.items()}
    assert states == {
        "train.txt": "here",
        "test.txt": "wrong size",
        "resnet101-63fe2227.pth": "missing",
        "flickr4m.word2vec.tar.gz": "here",
        "wordnet.zip": "missing",
    }
    assert files["flickr4m.word2vec.tar.gz"].bytes() == 77
    assert "wordnet.zip" not in {file.name for file in needed_files(config_of("paper"), wordnet=True)}


def test_word_vectors_are_not_fetched_where_nothing_starts_from_them(empty):
    groups = {"main": {"initialisations": ["random", "wordnet"], "shots": [100]}}
    config = config_of("paper", groups=groups, figures__group="main", figures__shots=100)
    assert "flickr4m.word2vec.tar.gz" not in {file.name for file in needed_files(config, wordnet=True)}
    assert "unpack_wordvectors" not in count(config, evaluations=lambda steps: 2).jobs


def test_disk_is_that_of_shapes_and_types(empty):
    counts = count(config_of("paper"), evaluations=lambda steps: 23)
    sizes = {room.name: room.bytes for room in rooms(config_of("paper"), counts, RESNET101)}
    assert sizes["trunk's output"] == 10_800 * 1024 * 14 * 14 * 4
    assert sizes["decoded pixels"] == pytest.approx(90_000 * 269e3)
    assert sizes["features"] == 90_000 * 2048 * 4
    assert sizes["trained networks"] == 117 * 15_171_684 * 4
    halved = config_of("paper", training__cache="float16", images__short_side=512)
    smaller = {room.name: room.bytes for room in rooms(halved, counts, RESNET101)}
    assert smaller["trunk's output"] * 2 == sizes["trunk's output"]
    assert smaller["decoded pixels"] == pytest.approx(4 * sizes["decoded pixels"])


def test_throughputs_are_named_and_give_the_rates_they_were_measured_at():
    rates = read_rates(PROJECT / "config/throughputs.tsv")
    machines = machines_of(rates)
    assert list(machines) == ["2 CPU cores", "workstation GPU", "H200"]
    for machine in machines.values():
        assert set(machine) == {"forward", "training", "decode", "start"}
    assert all(rate.measured and rate.source for rate in rates)
    assert all(rate.assumed for rate in rates if rate.factor != 1)
    # An image through ResNet-101 took 101 ms on two cores; the RTX 3090 reaches 35 TFLOP/s in training and in passing.
    assert RESNET101.trunk + RESNET101.tail == pytest.approx(
        machines["2 CPU cores"]["forward"].speed() / 9.92, rel=0.01
    )
    graphics = machines["workstation GPU"]
    assert graphics["forward"].speed() == pytest.approx(17.5e12, rel=0.01)
    assert graphics["training"].speed() == pytest.approx(17.5e12, rel=0.01)
    assert machines["H200"]["forward"].speed() == pytest.approx(4159 * (RESNET101.trunk + RESNET101.tail), rel=0.01)
    assert not machines["H200"]["forward"].assumed and not machines["H200"]["training"].assumed


def seconds_on_h200(counts: Counts) -> dict[str, float]:
    machine = machines_of(read_rates(PROJECT / "config/throughputs.tsv"))["H200"]
    return {stage.name: stage.seconds(machine) for stage in stages(counts, RESNET101)}


def test_the_run_measured_on_an_h200_is_planned_as_it_was(empty):
    run = OnH200()
    shown = run.trainings * run.steps * 64
    counts = replace(
        count(config_of("paper"), evaluations=lambda steps: run.evaluations),
        **dict.fromkeys(("decoded", "embedded"), run.images),
        evaluated=run.evaluated,
        trunk=shown,
        tails=shown * run.starts,
        scored=run.trainings * run.starts * run.evaluations * run.evaluated,
        jobs={"all": run.jobs},
    )
    planned = seconds_on_h200(counts)
    loop = ("trunk of training images", "tails, forward and backward", "tails, evaluations")
    assert sum(planned[name] for name in loop) == pytest.approx(2 * run.steps / run.steps_a_second, rel=0.03)
    assert run.seconds / 1.5 < sum(planned.values()) < run.seconds * 1.5


def test_the_papers_hours_on_an_h200_are_those_of_the_measured_run_within_half_as_much_again(empty):
    run, paper = OnH200(), config_of("paper")
    counts = count(paper, lambda steps: len(evaluation_steps(steps, paper["training"]["evaluations"])))
    beside = run.seconds - run.trainings * run.training_seconds  # all that does not train
    start = run.training_seconds - run.steps / run.steps_a_second
    extrapolated = (
        counts.optimiser_steps / run.starts / run.steps_a_second
        + start * counts.jobs["fine_tune"]
        + beside * counts.decoded / run.images
    )
    planned = sum(seconds_on_h200(counts).values())
    assert extrapolated / 1.5 < planned < extrapolated * 1.5
    assert 1.0 < planned / 3600 < extrapolated / 3600 < 2.0


def test_the_page_of_the_paper_says_it_all_on_one_screen(empty, capsys, monkeypatch):
    monkeypatch.setattr(plan, "wordnet_place", lambda config: None)
    (empty / "downloads/synsets").mkdir(parents=True)
    (empty / "downloads/train.txt").write_bytes(bytes(1645362))
    write_tar(empty / f"downloads/synsets/{PAPER90[0]}.tar", 5)
    assert plan.main([str(PROJECT / "config/paper.yaml")]) == 0
    page = capsys.readouterr().out
    lines = page.splitlines()
    assert len(lines) <= 65 and max(map(len, lines[1:])) <= 100 + len(str(PROJECT))
    assert re.search(r"train\.txt +1\.6 MB  here", page) and re.search(r"test\.txt +183 KB  missing", page)
    assert re.search(r"flickr4m\.word2vec\.tar\.gz +unknown  missing", page)
    assert re.search(r"left to fetch: at least 12\.5 GB, and flickr4m\.word2vec\.tar\.gz of unknown size", page)
    assert re.search(r"synsets/<wnid>\.tar, 90 +~12\.3 GB  1 here +terms of image-net\.org", page)
    assert "wordnet.zip" in page and "1281 images (as in ILSVRC2012) of 108 KB (its mean) assumed" in page
    assert re.search(r"Snakemake jobs +286$", page, flags=re.MULTILINE)
    assert re.search(r"in all, about +22 days +4\.3 h +85 min", page)
    assert "x 0.5 assumed [1]" in page and "RTX 3090" in page


def test_every_file_is_listed_with_its_address(empty, capsys):
    assert plan.main([str(PROJECT / "config/paper.yaml"), "--files"]) == 0
    table = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    rows = pd.DataFrame(table[1:], columns=table[0]).set_index("file")
    tar = f"downloads/synsets/{PAPER90[7]}.tar"
    assert rows.loc[tar, "url"] == f"https://image-net.org/data/winter21_whole/{PAPER90[7]}.tar"
    assert rows.loc[tar, "bytes"] == "unknown" and rows.loc["downloads/train.txt", "bytes"] == "1645362"
    assert sum(name.startswith("downloads/synsets/") for name in rows.index) == 90


def test_a_drawn_experiment_fetches_nothing(empty, capsys):
    assert plan.main([str(PROJECT / "config/minimal.yaml")]) == 0
    page = capsys.readouterr().out
    assert "nothing is fetched" in page and "target images drawn" in page
    assert re.search(r"images decoded +80 ", page) and re.search(r"Snakemake jobs +59$", page, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("experiment: mine\nsedes: [1]\n", "the config cannot be run:\n  - sedes: unknown key; did you mean 'seeds'?"),
        ("experiment: [", "while parsing"),
        (None, "No such file"),
    ],
)
def test_a_config_that_cannot_be_run_is_refused_as_before_a_run(text, said, tmp_path, capsys):
    path = tmp_path / "config.yaml"
    if text is not None:
        path.write_text(text)
    assert plan.main([str(path)]) == 1
    printed = capsys.readouterr()
    assert said in printed.err and printed.out == ""


def test_an_unknown_block_is_refused_with_the_valid_ones(empty, capsys):
    config = given("minimal", experiment="planned", training__trained_from="layer9")
    (empty / "config.yaml").write_text(yaml.safe_dump(config))
    assert plan.main(["config.yaml"]) == 1
    assert "has no block 'layer9' to train from; valid are" in capsys.readouterr().err


def test_weights_that_do_not_fit_are_told_before_a_run(empty, capsys):
    torch.save({"state_dict": {"module.fc.weight": torch.ones(2, 3)}}, "mine.pth")
    config = given("minimal", experiment="planned", source__weights="mine.pth")
    (empty / "config.yaml").write_text(yaml.safe_dump(config))
    assert plan.main(["config.yaml"]) == 1
    assert "weights mine.pth (for " in (said := capsys.readouterr().err) and "missing in the file" in said


@pytest.mark.parametrize(("img_size", "said"), [(64, ""), (48, r"takes no images of 64 x 64 pixels .*images\.crop")])
def test_a_transformer_is_counted_at_the_side_of_the_config(img_size, said, empty, capsys):
    small = {"img_size": img_size, "patch_size": 16, "embed_dim": 24, "depth": 2, "num_heads": 2}
    network = {"source__name": "vit_tiny_patch16_224", "source__options": small, "training__trained_from": "blocks.1"}
    config = given("minimal", experiment="planned", images__crop=64, images__short_side=64, **network)
    (empty / "config.yaml").write_text(yaml.safe_dump(config))
    assert plan.main(["config.yaml"]) == bool(said)
    assert re.search(said, capsys.readouterr().err)


def test_counting_needs_no_torch():
    code = "from pipeline.plan import counts, estimates, supplies; import sys; "
    code += "assert not {'torch', 'nltk', 'pandas'} & set(sys.modules)"
    paths = f"import sys; sys.path[:0] = [{str(PROJECT / 'src')!r}, {str(PROJECT / 'workflow')!r}]; "
    run = subprocess.run([sys.executable, "-c", paths + code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
