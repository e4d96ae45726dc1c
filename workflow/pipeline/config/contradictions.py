"""Find what no single key of a config shows to be wrong: lists, counts, groups and files that do not fit together."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from headstart.fetching.manifest import read_manifest, safe_url
from headstart.measures.hypernyms import read_table
from headstart.naming import split_name
from headstart.vocabulary import MEASURES, STRATEGIES
from pipeline.config.antialiasing import antialias_faults
from pipeline.config.blocks import unknown_block
from pipeline.config.budget import budget_faults
from pipeline.config.own import own_faults
from pipeline.config.runs import (
    compared,
    measure_of,
    model_groups,
    named,
    reads,
    shown_groups,
    untrained,
    used_measures,
)
from pipeline.config.survey import survey
from pipeline.config.tables import ConfigError, faults_of, read_rows, text_of
from pipeline.layout import Layout

WNID = re.compile("n[0-9]{8}")
# The tables in a folder of published values, and the columns read off them.
PUBLISHED = {
    "table1": ("target_wnid", "measure", "source", "source_wnid"),
    "table2": ("shots", "initialisation", "first", "best", "classes"),
}


def read_wnids(path: str) -> list[str]:
    """Return the column `wnid` of a tab-separated class list."""
    names, rows = read_rows(path, "\t")
    if "wnid" not in names:
        raise ConfigError(f"{path}: expected a column 'wnid', columns separated by tabs, got {names}; save it so")
    wnids = [row["wnid"] for row in rows]
    odd = [wnid for wnid in wnids if not WNID.fullmatch(wnid)]
    if odd or not wnids:
        raise ConfigError(
            f"{path}: expected one wnid such as n02084071 per line, got {', '.join(map(repr, odd[:5])) or 'no line'}; "
            "correct the list"
        )
    return wnids


def target_wnids(config: Mapping[str, Any]) -> list[str]:
    """Return the target classes in order: the list's wnids, or the keys of the classes in `images.folder`."""
    folder = config["images"]["folder"]
    return [one.key for one in survey(folder).classes] if folder else read_wnids(config["classes"]["targets"])


def is_url(path: str | None) -> bool:
    """Say whether a path is on another machine.

    >>> is_url("https://image-net.org/{wnid}.tar"), is_url("../data/{wnid}.tar"), is_url(None)
    (True, False, False)
    """
    return path is not None and "://" in path


def contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what no single key shows to be wrong."""
    sources = read_wnids(config["classes"]["sources"])
    targets = target_wnids(config)
    for key, wnids in (("classes.sources", sources), ("classes.targets", targets)):
        twice = sorted({wnid for wnid in wnids if wnids.count(wnid) > 1}) if len(set(wnids)) < len(wnids) else []
        if twice:
            yield f"{key}: {config['classes'][key.split('.')[1]]} names {', '.join(twice)} twice; keep one line each"
        if len(set(wnids)) == 1:
            yield (
                f"{key}: {config['classes'][key.split('.')[1]]} names one class only, {wnids[0]}, so that "
                "there is nothing to tell apart; name two or more"
            )
    if not used_measures(config):
        yield f"groups: no group starts from {', '.join(MEASURES)}, so there is nothing to compare; add one of them"
    both = sorted(set(sources) & set(targets))
    if both:
        yield f"classes.targets: {', '.join(both)} are source classes too; take them out of one of the two lists"
    yield from own_faults(config)
    yield from text_faults(config)
    yield from missing_tars(config, targets)
    yield from unknown_downloads(config)
    yield from too_many_shots(config)
    yield from too_many_neighbours(config, len(sources))
    yield from budget_faults(config["training"])
    yield from image_contradictions(config)
    block = unknown_block(config["source"]["library"], config["source"]["name"], config["training"]["trained_from"])
    if block:
        yield f"training.trained_from: {block}"
    yield from lacking_sources(config)
    yield from antialias_faults(config)
    yield from display_contradictions(config, targets)
    yield from published_faults(config["tables"]["published"])
    yield from model_faults(config)


def text_faults(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the other files of text that jobs will read: the taxonomy, lists of images, counts."""
    taxonomy = config["classes"]["taxonomy"]
    if taxonomy is None and not config["images"]["folder"]:
        yield "classes.taxonomy: null, which only images.folder can do without; name WordNet's folder, or `wordnet`"
    elif taxonomy and taxonomy.endswith(".tsv"):
        try:
            read_rows(taxonomy, "\t", strict=True)
            read_table(taxonomy)
        except ValueError as error:
            yield f"classes.taxonomy: {error}"
    for part, path in (config["images"]["lists"] or {}).items():
        yield from faults_of(f"images.lists.{part}", path)
    if config["classes"]["information_content"]:
        yield from faults_of("classes.information_content", config["classes"]["information_content"])


def missing_tars(config: Mapping[str, Any], targets: list[str]) -> Iterator[str]:
    """Yield the target classes that have neither a tar nor decoded images, or that fewer than two are left."""
    tars = config["images"]["tars"]
    if config["images"]["drawn"] is not None or tars is None or is_url(tars):
        return
    layout = Layout(config["experiment"])
    places = {wnid: (tars.format(wnid=wnid), layout.at("store", wnid=wnid)) for wnid in targets}
    missing = [paths[0] for paths in places.values() if not any(map(os.path.exists, paths))]
    if config["images"]["on_missing"] == "drop":
        if len(targets) - len(missing) < 2:
            yield (
                f"images.tars: files for {len(targets) - len(missing)} of {len(targets)} target classes; a classifier "
                "needs two or more; correct images.tars, or add them"
            )
    elif missing:
        yield (
            f"images.tars: no file for {len(missing)} of {len(targets)} target classes ({', '.join(missing[:5])}"
            f"{', ...' if len(missing) > 5 else ''}); correct images.tars, add them, or set images.on_missing: drop"
        )


def unknown_downloads(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield every file to be fetched that the manifest does not name, and URLs that are not safe."""
    manifest = config["downloads"]["manifest"]
    try:
        text_of(manifest, marked=False)
        remotes = read_manifest(Path(manifest))
    except ValueError as error:
        yield f"downloads.manifest: {error}"
        return
    wanted = [(key, str(path)) for key, path in fetched_files(config)]
    if config["classes"]["taxonomy"] == "wordnet":
        wanted.append(("classes.taxonomy", "wordnet.zip"))
    for key, name in wanted:
        if name not in remotes:
            yield f"{key}: {name!r} is none of the files of {manifest} ({', '.join(remotes)}); add a line for it"
    tars = config["images"]["tars"]
    if is_url(tars) and not safe_url(tars):
        yield f"images.tars: {tars!r} is no https URL, so nobody vouches for what comes; use https, or fetch by hand"


def fetched_files(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return key and name of every file of the manifest that this config uses."""
    lists = config["images"]["lists"] or {}
    paths = {f"images.lists.{part}": path for part, path in lists.items()}
    paths |= {"source.weights": config["source"]["weights"], "wordvectors.path": config["wordvectors"]["path"]}
    paths["classes.information_content"] = config["classes"]["information_content"]
    folder = Layout(config["experiment"]).at("download", file="")
    return [(key, path.removeprefix(folder)) for key, path in paths.items() if path and path.startswith(folder)]


def too_many_shots(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield every shot count beyond the training images each class must have."""
    most = config["images"]["train"]
    cure = f"images.train is {most}; lower the shots or raise images.train"
    for name, group in config["groups"].items():
        for shots in group["shots"]:
            if shots > most:
                yield f"groups.{name}.shots: {shots} images per class are wanted, {cure}"
    for shots in compared(config)["shots"]:
        if shots > most:
            yield f"starts.shots: {shots} images per class are wanted, {cure}"
    if config["neighbours"]["shots"] > most:
        yield f"neighbours.shots: {config['neighbours']['shots']} images per class are wanted, {cure}"


def too_many_neighbours(config: Mapping[str, Any], sources: int) -> Iterator[str]:
    """Yield every K above the number of source classes."""
    wanted = [("neighbours.largest", config["neighbours"]["largest"])]
    wanted += [("neighbours.further", k) for k in config["neighbours"]["further"]]
    for name, group in config["groups"].items():
        for initialisation in group["initialisations"]:
            k = split_name(initialisation)[1]
            wanted += [(f"groups.{name}.initialisations {initialisation}", k)] if k else []
    for key, k in wanted:
        if k > sources:
            yield f"{key}: K = {k}, but there are only {sources} source classes; use at most {sources}"


def image_contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong between images, source network and word vectors."""
    images, source = config["images"], config["source"]
    if images["crop"] > images["short_side"]:
        yield (
            f"images.crop: {images['crop']} pixels do not fit into images.short_side = {images['short_side']}; "
            "lower the crop"
        )
    if images["test_min"] > images["test"]:
        yield f"images.test_min: {images['test_min']} is more than images.test = {images['test']}; lower it"
    if images["drawn"] is None and images["tars"] is None and images["folder"] is None:
        yield "images.tars: null, and images.drawn and images.folder too; name the tars or a folder, or draw the images"
    if images["drawn"] is None and source["weights"] is None:
        yield "source.weights: null, but only drawn images can train a source network; name a file of weights"
    if images["drawn"] is None and config["wordvectors"]["path"] is None and reads(config, "vectors"):
        readers = ", ".join(word for word in used_measures(config) if "vectors" in MEASURES[word].reads)
        yield f"wordvectors.path: null, but only drawn images come with captions; name a file or drop {readers}"
    if images["drawn"] and source["weights"] is None and images["drawn"]["source"] <= source["training"]["held_out"]:
        yield (
            f"source.training.held_out: {source['training']['held_out']} of images.drawn.source = "
            f"{images['drawn']['source']} leave nothing to train on; lower it"
        )


def lacking_sources(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield the groups whose strategy trains on pictures of source classes, where there are none."""
    if config["images"]["drawn"] or config["source"]["samples"]:
        return
    for name, group in config["groups"].items():
        if "sources" in STRATEGIES[group["strategy"]].reads:
            yield (
                f"groups.{name}.strategy: {group['strategy']} trains on pictures of source classes too, and "
                "source.samples is null; name a folder of them there, or another strategy"
            )


def display_contradictions(config: Mapping[str, Any], targets: list[str]) -> Iterator[str]:
    """Yield tables and figures that ask for a group, a shot count or a class that is not there."""
    groups, tables, figures = config["groups"], config["tables"], config["figures"]
    for section in ("tables", "figures"):
        for name in shown_groups(config, section):
            if name not in groups:
                yield f"{section}.group: {name!r} is none of the groups {', '.join(groups)}; name one of them"
    for name in shown_groups(config, "figures"):
        if name in groups and figures["shots"] not in groups[name]["shots"]:
            found = groups[name]["shots"]
            yield f"figures.shots: {figures['shots']} is none of groups.{name}.shots {found}; name one"
    shown = [("tables.examples", wnid) for wnid in tables["examples"]]
    shown += [("figures.example", figures["example"])] if figures["example"] else []
    for key, wnid in shown:
        if wnid not in targets:
            yield f"{key}: {wnid} is none of the {len(targets)} target classes of {config['classes']['targets']}"
    if not shown:
        yield "tables.examples: empty, and so is figures.example; name at least one target class by its wnid"


def model_faults(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what keeps a model from being made where one is wanted: no such run, or nothing to choose it by."""
    wanted, groups = config["model"], config["groups"]
    if wanted is None:
        return
    if config["images"]["validation"] == 0:
        yield "model: it is chosen on validation images, and images.validation is 0; raise that, or leave model out"
    seen = [name for name in named(config) if measure_of(name) and not split_name(name)[1]]
    if config["neighbours"]["rule"] != "clean" and seen and wanted["start"] in (None, *seen):
        yield (
            f"model: neighbours.rule is {config['neighbours']['rule']}, which reads K of {', '.join(seen)} off the "
            "test images, so that none would be left to measure the model on; set neighbours.rule: clean"
        )
    if wanted["group"] not in (None, *groups):
        yield f"model.group: {wanted['group']!r} is none of the groups {', '.join(groups)}; name one of them"
    elif wanted["start"] not in (None, *named(config)):
        yield f"model.start: {wanted['start']!r} is none of {', '.join(named(config))}; name one of them"
    elif not model_groups(config) and not untrained(config):
        asked = ", ".join(f"{key}: {value}" for key, value in wanted.items() if value is not None)
        yield f"model: no run has {asked}; take one of these out, or add such runs to groups"


def published_faults(folder: str | None) -> Iterator[str]:
    """Yield what is wrong with a folder of published tables, nothing where there is none."""
    for name, columns in PUBLISHED.items() if folder else ():
        path = f"{folder}/{name}.csv"
        if not os.path.isfile(path):
            yield f"tables.published: {folder} is no folder with a {name}.csv; name one that is, or null"
            continue
        try:
            found, _ = read_rows(path, ",")
        except ConfigError as error:
            yield f"tables.published: {error}"
            continue
        lacking = [column for column in columns if column not in found]
        if lacking:
            yield (
                f"tables.published: {path} lacks the columns {', '.join(lacking)}, it has {', '.join(found)}; "
                "separate them by commas, config/README.md names all"
            )
