"""Fill in what a config for images of one's own leaves open, from the images that are found.

`images: path/to/folder` and `source: timm:resnet18:weights.safetensors` are short for their sections, so that both can
be given on a command line.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from headstart.measures.choices import chosen
from headstart.measures.senses import Nouns, Sense, find_nouns
from headstart.naming import split_name
from headstart.vocabulary import MEASURES, all_starts
from pipeline.config.blocks import last_stage
from pipeline.config.survey import Survey, survey
from pipeline.config.tables import ConfigError, read_rows
from pipeline.layout import Layout

# Training images beyond these teach little that a first head could help with, and cost time.
MOST_SHOTS = 50
MOST_TESTS = 100
MOST_VALIDATING = 10
TEST_SHARE = 0.25
SHOTS = (1, 5)
SECTIONS = ("classes", "source", "neighbours", "heads", "training", "groups", "tables", "figures")


def spelt_out(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config with the short forms of `images` and `source` as sections.

    >>> spelt_out({"images": "birds", "source": "timm:resnet18:net.pth"})["source"]
    {'library': 'timm', 'name': 'resnet18', 'weights': 'net.pth'}
    """
    config = dict(given)
    if isinstance(config.get("images"), str | int | float):
        config["images"] = {"folder": str(config["images"])}
    if isinstance(config.get("source"), str):
        parts = config["source"].split(":", 2)
        if len(parts) < 3 or not all(parts):
            raise ConfigError(
                f"source: expected <timm or torchvision>:<name>:<file of weights>, got {config['source']!r}; "
                "such as timm:resnet18:resnet18.safetensors"
            )
        config["source"] = dict(zip(("library", "name", "weights"), parts, strict=True))
    return config


def completed(given: Mapping[str, Any], project: Path) -> dict[str, Any]:
    """Return a config with all that follows from the images in `images.folder`; as it is where there is no folder.

    What the config says itself stays as it is.
    """
    config = spelt_out(given)
    images = config.get("images")
    sections = [config.get(name, {}) for name in SECTIONS]
    if not isinstance(images, Mapping) or not images.get("folder") or not all(isinstance(s, Mapping) for s in sections):
        return config
    folder = str(images["folder"])
    folder = folder if os.path.exists(folder) else str(project / folder) if (project / folder).exists() else folder
    found = survey(folder)
    config["images"] = {**numbers(found), **images, "folder": folder}
    targets = Layout(str(config.get("experiment", "own"))).synsets
    if config.get("classes", {}).get("targets", targets) != targets:
        raise ConfigError(
            f"classes.targets: the folders in images.folder are the classes, named in {targets}; leave it out"
        )
    config["classes"] = {**config.get("classes", {}), "targets": targets}
    train = config["images"]["train"]
    config["neighbours"] = {"shots": train, **config.get("neighbours", {})}
    config["heads"] = {"lonely": "random", **config.get("heads", {})}
    config["figures"] = {"shots": train, **config.get("figures", {})}
    config["tables"] = {"examples": [one.key for one in found.classes[:3]], **config.get("tables", {})}
    shots = {"shots": [n for n in SHOTS if n < train] + [train]}
    config["groups"] = {name: {**shots, **group} for name, group in config.get("groups", {}).items()}
    if config["neighbours"].get("rule") == "clean" and validating(found, config["images"]):
        config = {"model": {}, **config}
    return _with_stage(config)


def _with_stage(config: dict[str, Any]) -> dict[str, Any]:
    source = config.get("source", {})
    stage = last_stage(str(source.get("library")), str(source.get("name")))
    training = config.get("training", {})
    if stage is None and "trained_from" not in training:
        raise ConfigError(
            f"training.trained_from: what the last stage of {source.get('library')} {source.get('name')} is called is "
            "not known here; say from which block on it is trained, such as --config 'training={trained_from: layer4}'"
        )
    config["training"] = {"trained_from": stage, **training}
    return config


def numbers(found: Survey) -> dict[str, float]:
    """Return how many images of every class train, validate and test, so that the smallest class has enough.

    Of each class a quarter tests, of the smallest a sixth validates. Where folders say what tests, all of that does.
    """
    sizes = [sum(one.pictures.values()) for one in found.classes]
    for_test = [one.pictures.get("test", 0) for one in found.classes]
    small = [one.name for one, size in zip(found.classes, sizes, strict=True) if size < 2]
    lacking = [one.name for one in found.classes if not (one.pictures.get("train") and one.pictures.get("test"))]
    if small or (found.parted and lacking):
        parts = "both in the folder train and in test (or val)" if found.parted else "two or more"
        raise ConfigError(
            f"images.folder: too few pictures of {', '.join(lacking if found.parted else small)}; every class needs "
            f"{parts}; add some, or take the folder away"
        )
    if found.parted:
        train = min(one.pictures["train"] for one in found.classes)
        apart = any("validation" in one.pictures for one in found.classes)
        validation = 0 if apart else min(MOST_VALIDATING, train // 6)
        tests = {"test": max(for_test), "test_min": max(1, min(for_test) // 2)}
        return {"train": min(MOST_SHOTS, train - validation), "validation": validation, **tests}
    smallest = min(sizes)
    test = max(1, int(TEST_SHARE * smallest))
    validation = smallest // 6
    train = min(MOST_SHOTS, smallest - validation - test)
    # Half of the smallest class's test images may turn out to be damaged or to come twice.
    bounds = {"test": MOST_TESTS, "test_min": max(1, test // 2), "test_share": TEST_SHARE}
    return {"train": train, "validation": MOST_VALIDATING, **bounds}


def validating(found: Survey, images: Mapping[str, Any]) -> bool:
    """Say whether some class has an image left that neither trains nor tests, so that a model can be chosen by it."""
    if found.parted:
        return bool(images["validation"]) or any("validation" in one.pictures for one in found.classes)
    sizes = [sum(one.pictures.values()) for one in found.classes]
    share = images["test_share"]
    tests = [images["test"] if share is None else max(images["test_min"], int(share * size)) for size in sizes]
    left = [size - images["train"] - min(images["test"], test) for size, test in zip(sizes, tests, strict=True)]
    return bool(images["validation"]) and max(left) > 0


def without_what_is_missing(config: dict[str, Any]) -> dict[str, Any]:
    """Leave out the starts that need WordNet or word vectors where these say nothing of the classes.

    `classes.taxonomy` becomes the place of WordNet, or null; `wordvectors.path` null where nothing is there.
    """
    if not config["images"]["folder"]:
        return config
    place = find_nouns(config["classes"]["taxonomy"] or "")
    path = config["wordvectors"]["path"]
    config["classes"]["taxonomy"] = str(place) if place else None
    config["wordvectors"]["path"] = path if path and os.path.exists(path) else None
    lacking = set() if config["wordvectors"]["path"] else {"vectors"}
    meant = any(wnid or senses for wnid, senses in senses_found(config).values())
    lacking |= set() if meant else {"taxonomy", "counts"}
    for group in [*config["groups"].values(), *([config["starts"]] if config["starts"] else [])]:
        group["initialisations"] = [name for name in group["initialisations"] if not needs(name) & lacking]
    return config


def needs(initialisation: str) -> set[str]:
    """Return what the measure behind a start looks at.

    >>> needs("wordnet-k1"), needs("probe")
    ({'taxonomy'}, set())
    """
    word = split_name(initialisation)[0]
    measure = all_starts()[word].measure if word in all_starts() else ""
    return set(MEASURES[measure].reads) if measure else set()


def senses_found(config: Mapping[str, Any]) -> dict[str, tuple[str, list[Sense]]]:
    """Return name of each class -> the synset chosen for it in the table, if it is there already, and else its senses.

    Raises ConfigError where the table of synsets cannot be read.
    """
    place = config["classes"]["taxonomy"]
    if not place:
        return {}
    nouns, known = Nouns(Path(place)), choices(config["classes"]["targets"])
    names = [one.name for one in survey(config["images"]["folder"]).classes]
    return {name: (known[name], []) if name in known else ("", nouns.senses(name)) for name in names}


def choices(path: str) -> dict[str, str]:
    """Return class -> wnid of the table of synsets, empty where it is not there yet."""
    if not os.path.exists(path):
        return {}
    names, rows = read_rows(path, "\t")
    try:
        return chosen(rows)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


def own_faults(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what images of one's own cannot have: published lists, tars, rows from meaning, synsets WordNet lacks."""
    images = config["images"]
    if not images["folder"]:
        return
    for key in ("tars", "drawn", "lists"):
        if images[key]:
            yield f"images.{key}: images come from images.folder already; leave one of the two out"
    for name in (name for group in config["groups"].values() for name in group["initialisations"]):
        start = all_starts().get(split_name(name)[0])
        if start and ("semantic" in start.reads or "semantic" in needs(name)):
            yield f"groups: {name} needs a synset for every class, which images.folder does not give; leave it out"
    if config["classes"]["taxonomy"]:
        nouns = Nouns(Path(config["classes"]["taxonomy"]))
        for name, (wnid, _) in senses_found(config).items():
            if wnid and nouns.sense(wnid) is None:
                yield (
                    f"{config['classes']['targets']}: class {name!r} has {wnid}, which is no noun of WordNet 3.0; "
                    "correct it, or leave its wnid empty"
                )
