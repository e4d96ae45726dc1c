"""Read an experiment's config: fill in defaults and refuse what cannot work, before any job starts.

Every message names the key, the value that came and the cure.
"""

import csv
import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from headstart.heads import split_name

MEASURES = ("inference", "wordnet", "word2vec")
WNID = re.compile("n[0-9]{8}")
# Keys holding the path of something that has to be there before the first job.
INPUT_PATHS = (
    "classes.sources",
    "classes.targets",
    "classes.taxonomy",
    "images.lists.train",
    "images.lists.test",
    "source.weights",
    "source.samples",
    "wordvectors.path",
    "tables.published",
)


class ConfigError(ValueError):
    """The config cannot be run; the text lists every fault."""


def load_config(given: Mapping[str, Any], project: Path, files: Iterable[str | Path] = ()) -> dict[str, Any]:
    """Return the config with every default filled in and every input path resolved.

    Args:
        given: the config as read by Snakemake.
        project: folder of the Snakefile; relative inputs that the working directory lacks are looked for there.
        files: the config files it came from, to find another experiment of the same name beside them.

    Raises:
        ConfigError: one line for each fault.
    """
    schema = yaml.safe_load((project / "config/schema.yaml").read_text())
    given = numbers_read(given, schema)
    faults = [explain(error) for error in Draft202012Validator(schema).iter_errors(dict(given))]
    if faults:
        raise ConfigError(listing(faults))
    config = with_defaults(given, schema)
    config["data"] = os.environ.get("HEADSTART_DATA", config["data"])
    faults = [*resolve_paths(config, project), *namesakes(config["experiment"], files, project)]
    if not faults:
        faults = list(contradictions(config))
    if faults:
        raise ConfigError(listing(faults))
    return config


def listing(faults: Iterable[str]) -> str:
    """Join faults into the text of a ConfigError."""
    return "the config cannot be run:\n" + "\n".join(f"  - {fault}" for fault in faults)


def explain(error: ValidationError) -> str:
    """Say what is wrong at which key and what to write instead."""
    place = ".".join(str(part) for part in error.absolute_path) or "(top level)"
    known = list(error.schema.get("properties", {}))
    if error.validator == "additionalProperties":
        unknown = [key for key in error.instance if key not in known]
        return "; ".join(unknown_key(place, key, known) for key in unknown)
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return f"{place}: lacks {', '.join(missing)}; add it, config/README.md says what it means"
    meaning = error.schema.get("description", "see config/README.md")
    return f"{place}: {error.message}; {meaning}"


def unknown_key(place: str, key: str, known: list[str]) -> str:
    """Name a key nobody reads and the known one it most resembles."""
    near = difflib.get_close_matches(key, known, n=1)
    cure = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
    path = key if place == "(top level)" else f"{place}.{key}"
    return f"{path}: unknown key; {cure}"


def numbers_read(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return the value with texts read as numbers where the schema wants numbers, as `--config 'seeds=[0]'` gives them.

    >>> numbers_read(["0", "x"], {"type": "array", "items": {"type": "integer"}})
    [0, 'x']
    """
    if isinstance(value, Mapping):
        known, rest = schema.get("properties", {}), schema.get("additionalProperties") or {}
        return {key: numbers_read(part, known.get(key, rest)) for key, part in value.items()}
    if isinstance(value, list):
        return [numbers_read(part, schema.get("items", {})) for part in value]
    read = {"integer": int, "number": float}.get(str(schema.get("type"))) if isinstance(value, str) else None
    try:
        return read(value) if read else value
    except ValueError:
        return value  # refused below, with its key


def with_defaults(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return a copy of the value with the schema's defaults wherever it is silent.

    Keys come in the schema's order, and free ones sorted, so that moving lines in a config file changes nothing.
    """
    if not isinstance(value, Mapping):
        return value
    known, rest = schema.get("properties", {}), schema.get("additionalProperties") or {}
    filled = {key: with_defaults(value.get(key, part["default"]), part) for key, part in known.items()}
    return filled | {key: with_defaults(value[key], rest) for key in sorted(set(value) - set(known))}


def look_up(config: Mapping[str, Any], key: str) -> Any:
    """Return the value at a dotted key, None where a part of the way is missing."""
    value: Any = config
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def replace(config: dict[str, Any], key: str, value: Any) -> None:
    """Set the value at a dotted key."""
    *way, last = key.split(".")
    for part in way:
        config = config[part]
    config[last] = value


def resolve_paths(config: dict[str, Any], project: Path) -> Iterator[str]:
    """Expand `{data}`, find each input from the working directory or the project, yield what is missing."""
    for key in INPUT_PATHS:
        value = look_up(config, key)
        if value is None or (key == "classes.taxonomy" and value == "wordnet"):
            continue
        path = from_project(value.replace("{data}", config["data"]), project)
        replace(config, key, path)
        if not os.path.exists(path):
            yield missing_path(key, value, path)
    tars = config["images"]["tars"]
    if tars:
        config["images"]["tars"] = from_project(tars.replace("{data}", config["data"]), project)


def missing_path(key: str, value: str, path: str) -> str:
    """Name an input that is not there."""
    hint = " or set HEADSTART_DATA to the folder that holds it" if "{data}" in value else ""
    return f"{key}: {value!r} is not there (looked for {path}); correct the path{hint}"


def from_project(path: str, project: Path) -> str:
    """Return the path as it is where it leads from here, else from the project's folder."""
    folder = path.split("{wnid}")[0].rsplit("/", 1)[0] if "{wnid}" in path else path
    if os.path.isabs(path) or os.path.exists(folder):
        return path
    return os.path.normpath(project / path)


def namesakes(experiment: str, files: Iterable[str | Path], project: Path) -> Iterator[str]:
    """Yield every other config file beside the given ones that writes to the same results."""
    given = {Path(file).resolve() for file in files}
    folders = {file.parent for file in given} | {(project / "config").resolve()}
    base = {(project / "config/config.yaml").resolve()}
    if given <= base or not given:
        return
    for other in sorted(path for folder in folders for path in folder.glob("*.yaml")):
        if other not in given and other.name != "schema.yaml" and experiment_of(other) == experiment:
            named = ", ".join(sorted(str(file) for file in given))
            yield (
                f"experiment: {experiment!r} is also the experiment of {other}, and both would write to "
                f"results/{experiment}/; give {named} another name"
            )


def experiment_of(path: Path) -> str | None:
    """Return the experiment named in a config file, None where it names none."""
    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError:
        return None
    return content.get("experiment") if isinstance(content, Mapping) else None


def read_wnids(path: str | Path) -> list[str]:
    """Return the column `wnid` of a tab-separated class list."""
    with open(path, newline="", encoding="utf-8-sig") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        if "wnid" not in (rows.fieldnames or ()):
            raise ConfigError(
                f"{path}: expected a column 'wnid', columns separated by tabs, got {rows.fieldnames}; save it so"
            )
        wnids = [row["wnid"] for row in rows]
    odd = [wnid for wnid in wnids if not WNID.fullmatch(wnid)]
    if odd or not wnids:
        raise ConfigError(
            f"{path}: expected one wnid such as n02084071 per line, got {', '.join(map(repr, odd[:5])) or 'no line'}; "
            "correct the list"
        )
    return wnids


def contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what no single key shows to be wrong."""
    sources = read_wnids(config["classes"]["sources"])
    targets = read_wnids(config["classes"]["targets"])
    for key, wnids in (("classes.sources", sources), ("classes.targets", targets)):
        twice = sorted({wnid for wnid in wnids if wnids.count(wnid) > 1}) if len(set(wnids)) < len(wnids) else []
        if twice:
            yield f"{key}: {config['classes'][key.split('.')[1]]} names {', '.join(twice)} twice; keep one line each"
    if not used_measures(config):
        yield f"groups: no group starts from {', '.join(MEASURES)}, so there is nothing to compare; add one of them"
    both = sorted(set(sources) & set(targets))
    if both:
        yield f"classes.targets: {', '.join(both)} are source classes too; take them out of one of the two lists"
    yield from missing_tars(config, targets)
    yield from too_many_shots(config)
    yield from too_many_neighbours(config, len(sources))
    yield from image_contradictions(config)
    yield from display_contradictions(config, targets)


def missing_tars(config: Mapping[str, Any], targets: list[str]) -> Iterator[str]:
    """Yield the target classes that have neither a tar nor decoded images, unless they shall be dropped."""
    tars = config["images"]["tars"]
    if config["images"]["drawn"] is not None or tars is None or config["images"]["on_missing"] == "drop":
        return
    decoded = f"results/{config['experiment']}/images/{{wnid}}.arrow"
    places = {wnid: (tars.format(wnid=wnid), decoded.format(wnid=wnid)) for wnid in targets}
    missing = [paths[0] for paths in places.values() if not any(map(os.path.exists, paths))]
    if missing:
        yield (
            f"images.tars: no file for {len(missing)} of {len(targets)} target classes ({', '.join(missing[:5])}"
            f"{', ...' if len(missing) > 5 else ''}); correct images.tars, add them, or set images.on_missing: drop"
        )


def too_many_shots(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield every shot count beyond the training images each class must have."""
    most = config["images"]["train"]
    cure = f"images.train is {most}; lower the shots or raise images.train"
    for name, group in config["groups"].items():
        for shots in group["shots"]:
            if shots > most:
                yield f"groups.{name}.shots: {shots} images per class are wanted, {cure}"
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
    if images["drawn"] is None and images["tars"] is None:
        yield "images.tars: null, and images.drawn is null too; name the tars, or draw the images"
    if images["drawn"] is None and source["weights"] is None:
        yield "source.weights: null, but only drawn images can train a source network; name a file of weights"
    if images["drawn"] is None and config["wordvectors"]["path"] is None and uses(config, "word2vec"):
        yield "wordvectors.path: null, but only drawn images come with captions; name a file or drop word2vec"
    if images["drawn"] and source["weights"] is None and images["drawn"]["source"] <= source["training"]["held_out"]:
        yield (
            f"source.training.held_out: {source['training']['held_out']} of images.drawn.source = "
            f"{images['drawn']['source']} leave nothing to train on; lower it"
        )


def display_contradictions(config: Mapping[str, Any], targets: list[str]) -> Iterator[str]:
    """Yield tables and figures that ask for a group, a shot count or a class that is not there."""
    groups, tables, figures = config["groups"], config["tables"], config["figures"]
    for key, name in (("tables.group", tables["group"]), ("figures.group", figures["group"])):
        if name not in groups:
            yield f"{key}: {name!r} is none of the groups {', '.join(groups)}; name one of them"
    drawn = groups.get(figures["group"])
    if drawn and figures["shots"] not in drawn["shots"]:
        yield f"figures.shots: {figures['shots']} is none of groups.{figures['group']}.shots {drawn['shots']}; name one"
    shown = [("tables.examples", wnid) for wnid in tables["examples"]]
    shown += [("figures.example", figures["example"])] if figures["example"] else []
    for key, wnid in shown:
        if wnid not in targets:
            yield f"{key}: {wnid} is none of the {len(targets)} target classes of {config['classes']['targets']}"
    if not shown:
        yield "tables.examples: empty, and so is figures.example; name at least one target class by its wnid"


def uses(config: Mapping[str, Any], measure: str) -> bool:
    """Say whether any group starts from this measure."""
    return measure in used_measures(config)


def used_measures(config: Mapping[str, Any]) -> list[str]:
    """Return the similarity measures that some group starts from, in their fixed order."""
    names = {split_name(name)[0] for group in config["groups"].values() for name in group["initialisations"]}
    return [measure for measure in MEASURES if measure in names]
