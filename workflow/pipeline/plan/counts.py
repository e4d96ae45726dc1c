"""Count what an experiment will do, from its config alone: images, passes of the network and steps.

All is counted from nothing, as if no result were there yet.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from headstart.vocabulary import STRATEGIES, code_of
from pipeline.config.budget import steps_of
from pipeline.config.contradictions import is_url, read_wnids, target_wnids
from pipeline.config.pictures import in_tars, source_tars
from pipeline.config.runs import cells, heads, most_nearest, pupils, variants
from pipeline.config.survey import survey
from pipeline.layout import Layout
from pipeline.plan.jobs import count_jobs
from pipeline.plan.supplies import count_members, needed_tars, tars_there

# What nobody can know before the files are there.
LISTED = {"train": 900, "test": 100}  # per class; the authors' lists have 81,000 and 9,000 names of 90 classes
IMAGES_OF_SYNSET = 1281  # mean of ILSVRC2012's training classes: 1,281,167 images of 1000 synsets


class Part(NamedTuple):
    """The images of one target class."""

    images: int
    validation: int
    test: int
    kept: bool  # whether the class has enough of them


class Runs(NamedTuple):
    """The runs of one job of fine-tuning."""

    strategy: str  # with its options
    shots: int
    starts: int  # how many
    steps: int  # of each


@dataclass(frozen=True)
class Counts:
    """What an experiment will do. An image shown to several networks at once is several passes."""

    sources: int
    targets: int  # classes with enough images
    source: str  # how the number of images is known
    decoded: int  # images
    embedded: int  # passes through the whole network
    evaluated: int  # test and validation images, each once through the trunk
    pretrained: int  # passes forward and backward that train the source network
    checked: int  # passes that measure its top-1
    trunk: int  # training images through the trunk, once for all starts of a job
    batches: int  # training images whose output is kept, so that it is made once for all strategies
    tails: int  # the same through the tails, forward and backward, once for each start
    held: int  # the same through tails that are held, forward only
    scored: int  # evaluation images through the tails
    steps: int
    optimiser_steps: int
    heads: int  # before any training; strategies share them
    replicas: int  # trained networks whose weights are kept
    side_by_side: int  # of them in one job, at most
    jobs: Mapping[str, int]  # of each rule
    described: int = 0  # target images whose source images are selected
    among: int = 0  # source images among which they are


def count(config: Mapping[str, Any], evaluations: Callable[[int], int]) -> Counts:
    """Count what a checked config asks for.

    Args:
        config: with defaults, as `load_config` gives it.
        evaluations: steps of a run -> how many evaluations `headstart.finetuning.settings.evaluation_steps` lists.
    """
    sources, targets = read_wnids(config["classes"]["sources"]), target_wnids(config)
    wnids = offered(config, targets)
    parts, source = find_images(config, wnids)
    kept = [part for part in parts if part.kept]
    evaluated = sum(part.validation + part.test for part in kept)
    further, pretrained, checked = source_images(config, len(sources))
    training, seeds = config["training"], len(config["seeds"])
    runs = [
        Runs(strategy, shots, len(starts), steps_of(training, shots * len(targets)))
        for (strategy, shots), starts in cells(config["groups"]).items()
    ]
    shown = [
        (run.strategy, images_shown(run.steps, run.shots * len(kept), training["batch"]), run.starts) for run in runs
    ]
    passes = count_passes(config, shown)
    alike = [(run.shots, job[1]) for run, job in zip(runs, shown, strict=True) if keeps(config, run)]
    once = sum(dict(alike).values())
    replicas = seeds * sum(run.starts for run in runs)
    return Counts(
        sources=len(sources),
        targets=len(kept),
        source=source,
        decoded=sum(part.images for part in parts) + further,
        embedded=sum(part.images for part in kept),
        evaluated=evaluated,
        pretrained=pretrained + antialiased(config, len(sources)),
        checked=checked,
        trunk=seeds * (passes["trunk"] - sum(images for _, images in alike) + once),
        batches=seeds * once,
        tails=seeds * passes["training"],
        held=seeds * passes["forward"],
        scored=evaluated * seeds * sum(evaluations(run.steps) * run.starts for run in runs),
        steps=seeds * sum(run.steps for run in runs),
        optimiser_steps=seeds * sum(run.steps * run.starts for run in runs),
        heads=sum(map(len, heads(config).values())),
        replicas=replicas,
        side_by_side=max(run.starts for run in runs),
        jobs=count_jobs(config, len(sources), len(wnids)),
        **dict(zip(("described", "among"), selected(config, kept, further), strict=True)),
    )


def keeps(config: Mapping[str, Any], run: Runs) -> bool:
    """Say whether some runs take the frozen blocks' output for their batches from where it is kept."""
    word, _ = variants(config["groups"])[run.strategy]
    return config["training"]["keep_batches"] and "trunk" in STRATEGIES[word].reads


def selected(config: Mapping[str, Any], parts: Iterable[Part], sources: int) -> tuple[int, int]:
    """Return for how many target images source images are selected, all that may train, and among how many."""
    wanted = bool(most_nearest(config["groups"]))
    return wanted * sum(part.images - part.validation - part.test for part in parts), wanted * sources


def count_passes(config: Mapping[str, Any], shown: Iterable[tuple[str, int, int]]) -> dict[str, int]:
    """Return part of the network -> passes of training images, one seed of every job.

    Args:
        config: with defaults.
        shown: of each job the strategy with its options, the images it shows and its starts.
    """
    known, found = variants(config["groups"]), {"trunk": 0.0, "forward": 0.0, "training": 0.0}
    for strategy, images, beside in shown:
        word, options = known[strategy]
        passes = code_of(STRATEGIES[word].code).passes(options)
        found["trunk"] += passes.trunk * images
        found["forward"] += passes.forward * images * beside + passes.shared * images
        found["training"] += passes.training * images * beside
    return {part: round(number) for part, number in found.items()}


def offered(config: Mapping[str, Any], wnids: list[str]) -> list[str]:
    """Return the target classes that can have images; a folder of one's own may lack some, which are then dropped."""
    if config["images"]["drawn"] or config["images"]["folder"] or is_url(config["images"]["tars"]):
        return wnids
    there = tars_there(config, wnids)
    layout = Layout(config["experiment"])
    return [wnid for wnid in wnids if wnid in there or Path(layout.at("store", wnid=wnid)).exists()]


def find_images(config: Mapping[str, Any], wnids: list[str]) -> tuple[list[Part], str]:
    """Return the images of each target class, and how their number is known."""
    images = config["images"]
    if images["drawn"]:
        return [by_lot(images["drawn"]["target"], images) for _ in wnids], "drawn"
    if images["folder"]:
        return [by_folders(one.pictures, images) for one in survey(images["folder"]).classes], "as named"
    if images["lists"]:
        listed = read_listed(config)
        said = "as listed" if listed else f"assumed: {LISTED['train']} + {LISTED['test']} a class"
        listed = listed or {part: Counter(dict.fromkeys(wnids, number)) for part, number in LISTED.items()}
        tars = zip(wnids, needed_tars(config, wnids), strict=False)  # none where tars are not fetched
        lacking = {wnid for wnid, tar in tars if tar.state() == "not offered"}
        sizes = [(0, 0) if wnid in lacking else (listed["train"][wnid], listed["test"][wnid]) for wnid in wnids]
        return [by_lists(*size, images) for size in sizes], said
    counted = count_members(tars_there(config, wnids))
    mean = round(sum(counted.values()) / len(counted)) if counted else IMAGES_OF_SYNSET
    said = f"counted in {len(counted)} of {len(wnids)} tars"
    if len(counted) < len(wnids):
        said += f", {mean} assumed in the others"
    return [by_lot(counted.get(wnid, mean), images) for wnid in wnids], said


def read_listed(config: Mapping[str, Any]) -> dict[str, Counter[str]] | None:
    """Return part -> number of listed images of each class; None where a list is not there yet."""
    counts = {}
    for part, path in config["images"]["lists"].items():
        kept = Path(config["downloads"]["folder"], Path(path).name)
        found = next((place for place in (Path(path), kept) if place.is_file()), None)
        if found is None:
            return None
        counts[part] = Counter(name.partition("_")[0] for name in found.read_text(encoding="utf-8").split())
    return counts


def by_lot(found: int, images: Mapping[str, Any]) -> Part:
    """Split the images of one class as `headstart.data.splits.split_class` does.

    >>> by_lot(38, {"train": 20, "validation": 5, "test": 15, "test_min": 5})
    Part(images=38, validation=3, test=15, kept=True)
    """
    if found < images["train"] + images["test_min"]:
        return Part(found, 0, 0, kept=False)
    test = min(images["test"], found - images["train"])
    if images.get("test_share"):
        test = min(test, max(images["test_min"], int(images["test_share"] * found)))
    return Part(found, min(images["validation"], found - images["train"] - test), test, kept=True)


def by_folders(pictures: Mapping[str, int], images: Mapping[str, Any]) -> Part:
    """Split the images of one class as its folders say, or by lot where they say nothing."""
    if "" in pictures:
        return by_lot(pictures[""], images)
    train, test = pictures.get("train", 0), pictures.get("test", 0)
    spare = max(0, min(images["validation"], train - images["train"]))
    kept = train >= images["train"] and test >= images["test_min"]
    return Part(sum(pictures.values()), pictures.get("validation", 0) or spare, test, kept)


def by_lists(train: int, test: int, images: Mapping[str, Any]) -> Part:
    """Split the listed images of one class as `headstart.data.splits.split_lists` does.

    >>> by_lists(900, 100, {"train": 500, "validation": 20, "test": 50, "test_min": 50})
    Part(images=1000, validation=20, test=100, kept=True)
    """
    wanted = images["train"] + images["validation"]
    kept = train >= wanted and test >= images["test_min"]
    return Part(train + test, images["validation"], test, kept)


def source_images(config: Mapping[str, Any], sources: int) -> tuple[int, int, int]:
    """Return how many images of source classes are decoded, shown in training, and shown to measure the top-1."""
    drawn, source, training = config["images"]["drawn"], config["source"], config["source"]["training"]
    pictures = sources * drawn["source"] if drawn else 0
    if drawn and not source["weights"]:
        held_out = sources * training["held_out"]
        return pictures, (pictures - held_out) * training["epochs"], held_out
    if in_tars(config):
        counted = count_members({wnid: path for wnid, path in source_tars(config).items() if path.is_file()})
        return sum(counted.values()) + (sources - len(counted)) * IMAGES_OF_SYNSET, 0, 0
    samples = len(list(Path(source["samples"]).iterdir())) if source["samples"] else 0
    return pictures + samples, 0, samples


def antialiased(config: Mapping[str, Any], sources: int) -> int:
    """Return how many images the source network is shown in training to be anti-aliased; a teacher is left out."""
    wanted = config["antialias"] or {"steps": 0, "train": 0}
    shown = images_shown(wanted["steps"], wanted["train"] * sources, config["training"]["batch"])
    return len(config["seeds"]) * len(pupils(config)) * shown


def images_shown(steps: int, images: int, batch: int) -> int:
    """Return how many images some steps show; the last batch of an epoch is smaller where it does not come out even.

    >>> images_shown(steps=3, images=90, batch=64)
    154
    """
    epochs, rest = divmod(steps, -(-images // batch)) if images else (0, 0)
    return epochs * images + rest * batch
