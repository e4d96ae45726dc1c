"""Count what an experiment will do, from its config alone: images, passes of the network, steps and jobs.

All is counted from nothing, as if no result were there yet.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from headstart.vocabulary import FIGURES, MEASURES, STRATEGIES, TABLES, code_of, split_name
from pipeline.config.contradictions import is_url, read_wnids, target_wnids
from pipeline.config.runs import (
    cells,
    compared,
    heads,
    measure_of,
    reads,
    results_shown,
    several_strategies,
    used_measures,
    variants,
)
from pipeline.config.survey import survey
from pipeline.layout import Layout
from pipeline.plan.supplies import count_members, needed_files, needed_tars, tars_there

# What nobody can know before the files are there.
LISTED = {"train": 900, "test": 100}  # per class; the authors' lists have 81,000 and 9,000 names of 90 classes
IMAGES_OF_SYNSET = 1281  # mean of ILSVRC2012's training classes: 1,281,167 images of 1000 synsets
ONCE = (
    *("audit_images", "find_doubles", "embed_images", "build_explorer", "record_provenance"),
    "all",
)
MODEL = ("choose_model", "export_model", "describe_model", "show_mistakes")  # where the config wants one


class Part(NamedTuple):
    """The images of one target class."""

    images: int
    validation: int
    test: int
    kept: bool  # whether the class has enough of them


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
    tails: int  # the same through the tails, forward and backward, once for each start
    held: int  # the same through tails that are held, forward only
    scored: int  # evaluation images through the tails
    steps: int
    optimiser_steps: int
    heads: int  # before any training; strategies share them
    replicas: int  # trained networks whose weights are kept
    side_by_side: int  # of them in one job, at most
    jobs: Mapping[str, int]  # of each rule


def count(config: Mapping[str, Any], evaluations: int) -> Counts:
    """Count what a checked config asks for.

    Args:
        config: with defaults, as `load_config` gives it.
        evaluations: of one run, as many as `headstart.finetuning.settings.evaluation_steps` lists.
    """
    sources, targets = read_wnids(config["classes"]["sources"]), target_wnids(config)
    wnids = offered(config, targets)
    parts, source = find_images(config, wnids)
    kept = [part for part in parts if part.kept]
    evaluated = sum(part.validation + part.test for part in kept)
    further, pretrained, checked = source_images(config, len(sources))
    seeds, steps, batch = len(config["seeds"]), config["training"]["steps"], config["training"]["batch"]
    runs = [(strategy, shots, len(starts)) for (strategy, shots), starts in cells(config["groups"]).items()]
    shown = [(strategy, images_shown(steps, shots * len(kept), batch), beside) for strategy, shots, beside in runs]
    passes = count_passes(config, shown)
    replicas = seeds * sum(beside for _, _, beside in runs)
    return Counts(
        sources=len(sources),
        targets=len(kept),
        source=source,
        decoded=sum(part.images for part in parts) + further,
        embedded=sum(part.images for part in kept),
        evaluated=evaluated,
        pretrained=pretrained,
        checked=checked,
        trunk=seeds * passes["trunk"],
        tails=seeds * passes["training"],
        held=seeds * passes["forward"],
        scored=evaluations * evaluated * replicas,
        steps=steps * seeds * len(runs),
        optimiser_steps=steps * replicas,
        heads=sum(map(len, heads(config).values())),
        replicas=replicas,
        side_by_side=max(beside for _, _, beside in runs),
        jobs=count_jobs(config, len(sources), len(wnids)),
    )


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
        found["forward"] += passes.forward * images * beside
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
    samples = len(list(Path(source["samples"]).iterdir())) if source["samples"] else 0
    return pictures + samples, 0, samples


def images_shown(steps: int, images: int, batch: int) -> int:
    """Return how many images some steps show; the last batch of an epoch is smaller where it does not come out even.

    >>> images_shown(steps=3, images=90, batch=64)
    154
    """
    epochs, rest = divmod(steps, -(-images // batch)) if images else (0, 0)
    return epochs * images + rest * batch


def count_jobs(config: Mapping[str, Any], sources: int, targets: int) -> dict[str, int]:
    """Return rule -> number of its jobs, of the rules that have any.

    Args:
        config: with defaults.
        sources: number of source classes.
        targets: number of target classes that can have images.
    """
    jobs = image_jobs(config, sources, targets) | similarity_jobs(config) | dict.fromkeys(ONCE, 1)
    groups, seeds = config["groups"], len(config["seeds"])
    jobs |= {
        # The split of seed 0 also says which images are evaluated.
        "split_images": len({0, *config["seeds"], *compared(config)["seeds"]}),
        "initialise_heads": len(heads(config)),
        "score_starts": len(compared(config)["shots"]) * len(compared(config)["seeds"]),
        "cache_trunk": int(any("trunk" in STRATEGIES[word].reads for word, _ in variants(groups).values())),
        "fine_tune": len(cells(groups)) * seeds,
        "tabulate": len(results_shown(config, TABLES)),
        "weigh_strategies": int(several_strategies(config)),
        "draw_figure": len(results_shown(config, FIGURES)),
    }
    jobs |= dict.fromkeys(MODEL, int(config["model"] is not None))
    return {rule: number for rule, number in jobs.items() if number}


def image_jobs(config: Mapping[str, Any], sources: int, targets: int) -> dict[str, int]:
    """Return the jobs that fetch, draw and decode images and make the source network ready."""
    drawn, source = bool(config["images"]["drawn"]), config["source"]
    own, taxonomy = bool(config["images"]["folder"]), config["classes"]["taxonomy"]
    fetched = len(needed_files(config, wordnet=True))
    shown = bool(source["samples"] and (source["weights"] or not drawn))
    return {
        "draw_shapes": sources + targets if drawn else 0,
        "fetch_synset": targets if not drawn and is_url(config["images"]["tars"]) else 0,
        "pack_images": targets if own else 0,
        "choose_synsets": int(own),
        "name_classes": int(own),
        "describe_classes": int(not own),
        "fetch_file": fetched,
        "decode_images": sources + targets if drawn else targets,
        "decode_samples": int(shown),
        "prepare_wordnet": int(bool(taxonomy and not taxonomy.endswith(".tsv"))),
        "train_source": int(not source["weights"]),
        "check_source": int(bool(source["weights"] and source["samples"])),
    }


def similarity_jobs(config: Mapping[str, Any]) -> dict[str, int]:
    """Return the jobs that measure similarities and choose K."""
    measures, vectors = used_measures(config), config["wordvectors"]["path"] or ""
    sweeps = len(swept_seeds(config))
    return {
        "measure_similarity": sum(len(samples(config, measure)) for measure in measures),
        "train_wordvectors": int(reads(config, "vectors") and not vectors),
        "unpack_wordvectors": int(reads(config, "vectors") and vectors.endswith(".tar.gz")),
        "predict_rows": int(reads(config, "semantic")),
        "sweep_neighbours": sweeps,
        "choose_neighbours": sweeps,
    }


def swept_seeds(config: Mapping[str, Any]) -> set[int]:
    """Return the seeds for which every K is tried: for tables, and for starts compared whose K is to be chosen."""
    chosen = any(measure_of(name) and split_name(name)[1] is None for name in compared(config)["initialisations"])
    return {*config["seeds"], *(compared(config)["seeds"] if chosen else ())}


def samples(config: Mapping[str, Any], measure: str) -> set[tuple[int, int]]:
    """Return the draws of training images (shots, seed) for which a measure has a matrix of its own."""
    if not MEASURES[measure].sampled:
        return {(0, 0)}
    groups, first = config["groups"].values(), compared(config)
    starting = [group["shots"] for group in groups if measure in map(measure_of, group["initialisations"])]
    found = {(shots, seed) for counts in starting for shots in counts for seed in config["seeds"]}
    found |= {(config["neighbours"]["shots"], seed) for seed in swept_seeds(config)}
    if measure in map(measure_of, first["initialisations"]):
        found |= {(shots, seed) for shots in first["shots"] for seed in first["seeds"]}
    return found
