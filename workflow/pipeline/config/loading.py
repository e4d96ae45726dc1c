"""Read an experiment's config: fill in defaults and refuse what cannot work, before any job starts.

Every message names the key, the value that came and the cure.
"""

import codecs
import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from pipeline.config.contradictions import ConfigError, contradictions, is_url
from pipeline.config.own import completed, without_what_is_missing
from pipeline.config.schema import read_schema
from pipeline.layout import Layout

# Keys holding the path of something that has to be there before the first job.
INPUT_PATHS = (
    "downloads.manifest",
    "classes.sources",
    "classes.targets",
    "classes.taxonomy",
    "classes.information_content",
    "images.lists.train",
    "images.lists.test",
    "source.weights",
    "source.samples",
    "wordvectors.path",
    "semantics.table",
    "tables.published",
)


def load_config(
    given: Mapping[str, Any], project: Path, files: Iterable[str | Path] = (), imported: bool = False
) -> dict[str, Any]:
    """Return the config with every default filled in and every input path resolved.

    Args:
        given: the config as read by Snakemake.
        project: folder of the Snakefile; relative inputs that the working directory lacks are looked for there.
        files: the config files it came from, to find another experiment of the same name beside them.
        imported: by a workflow that may put a prefix before every relative path, so that inputs must be absolute.

    Raises:
        ConfigError: one line for each fault.
    """
    schema = read_schema(project)
    given = numbers_read(completed(given, project), schema)
    faults = [explain(error) for error in Draft202012Validator(schema).iter_errors(dict(given))]
    if faults:
        raise ConfigError(listing(faults))
    config = with_defaults(given, schema)
    config["data"] = os.environ.get("HEADSTART_DATA", config["data"])
    faults = [*resolve_paths(config, project, imported), *namesakes(config["experiment"], files, project)]
    if not faults:
        faults = list(contradictions(without_what_is_missing(config)))
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


def resolve_paths(config: dict[str, Any], project: Path, absolute: bool) -> Iterator[str]:
    """Expand `{data}` and `{downloads}`, find each input from the working directory or the project, yield faults."""
    for key in INPUT_PATHS:
        value = look_up(config, key)
        if value is None or (key == "classes.taxonomy" and value == "wordnet"):
            continue
        if config["images"]["folder"] and key == "classes.targets":
            continue  # made by the run
        fetched = value.startswith("{downloads}/")
        path = expand(value, config) if fetched else from_project(expand(value, config), project, absolute)
        replace(config, key, path)
        # Who has images of their own may have no word vectors; these are left out then.
        optional = bool(config["images"]["folder"]) and key == "wordvectors.path"
        if not fetched and not optional and "{wnid}" not in path and not os.path.exists(path):
            yield missing_path(key, value, path)
    tars = config["images"]["tars"]
    if tars and not is_url(tars):
        config["images"]["tars"] = from_project(expand(tars, config), project, absolute)


def expand(path: str, config: Mapping[str, Any]) -> str:
    """Put folders in place of `{data}` and `{downloads}`.

    >>> expand("{downloads}/net.pth", {"data": "../data", "experiment": "paper"})
    'resources/paper/downloads/net.pth'
    """
    downloads = Layout(config["experiment"]).at("download", file="")
    return path.replace("{data}", config["data"]).replace("{downloads}/", downloads)


def missing_path(key: str, value: str, path: str) -> str:
    """Name an input that is not there."""
    hint = " or set HEADSTART_DATA to the folder that holds it" if "{data}" in value else ""
    return f"{key}: {value!r} is not there (looked for {path}); correct the path{hint}"


def from_project(path: str, project: Path, absolute: bool = False) -> str:
    """Return the path as it is, or absolute, where it leads from here, else from the project's folder."""
    folder = path.split("{wnid}")[0].rsplit("/", 1)[0] if "{wnid}" in path else path
    if os.path.isabs(path) or os.path.exists(folder):
        return os.path.abspath(path) if absolute else path
    return os.path.normpath(project / path)


def namesakes(experiment: str, files: Iterable[str | Path], project: Path) -> Iterator[str]:
    """Yield every other config file beside the given ones that writes to the same results."""
    given = {Path(file).resolve() for file in files}
    folders = {file.parent for file in given} | {(project / "config").resolve()}
    base = {(project / "config/config.yaml").resolve()}
    if given <= base or not given:
        return
    beside = (path for folder in folders for path in folder.glob("*.yaml") if not path.name.startswith("."))
    for other in sorted(beside):
        if (
            Path(os.path.realpath(other)) not in given
            and other.name != "schema.yaml"
            and experiment_of(other) == experiment
        ):
            named = ", ".join(sorted(str(file) for file in given))
            yield (
                f"experiment: {experiment!r} is also the experiment of {other}, and both would write to "
                f"results/{experiment}/; give {named} another name"
            )


def experiment_of(path: Path) -> str | None:
    """Return the experiment named in a config file, None where it names none or is no config at all.

    Beside configs lie folders, links to nothing, files of another encoding: none of them is this run's business.
    """
    try:
        # A named pipe would be waited for.
        written = path.read_bytes() if path.is_file() else b""
        utf16 = written.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        content = yaml.safe_load(written if utf16 else written.decode(errors="replace"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return None
    return content.get("experiment") if isinstance(content, Mapping) else None
