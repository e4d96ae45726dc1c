"""Say what an experiment needs before it is started: files, disk, work and hours (`make plan`)."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import floor, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from pipeline.config.contradictions import is_url, target_wnids
from pipeline.config.loading import load_config
from pipeline.config.own import spelt_out
from pipeline.plan.counts import IMAGES_OF_SYNSET, Counts, count
from pipeline.plan.estimates import (
    NO_FILTERS,
    Filters,
    Machine,
    Rate,
    Room,
    Stage,
    machines_of,
    read_rates,
    rooms,
    stages,
)
from pipeline.plan.own_images import found_lines
from pipeline.plan.supplies import Supply, needed_files, needed_tars, tars_there

if TYPE_CHECKING:
    from headstart.finetuning.costs import Costs

PROJECT = Path(__file__).parents[3]
WIDTH = 100
MEAN_JPEG = 108e3  # bytes; mean of ILSVRC's JPEGs, docs/performance.md
ESTIMATED_TAR = IMAGES_OF_SYNSET * MEAN_JPEG


def main(arguments: Sequence[str]) -> int:
    """Print the plan of a config, or the full list of its files; return the exit code."""
    parser = argparse.ArgumentParser(prog="plan.py", description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--files", action="store_true", help="list every file with its address instead")
    parser.add_argument("--config", dest="values", nargs="+", default=[], help="KEY=VALUE, as for Snakemake")
    given = parser.parse_args(arguments)
    try:
        values = (value.partition("=") for value in given.values)
        written = (yaml.safe_load(given.config.read_text()) or {}) | {key: text for key, _, text in values}
        config = load_config(written, PROJECT, [given.config])
        wordnet = wordnet_place(config)
        files = needed_files(config, wordnet is not None)
        tars = needed_tars(config, target_wnids(config))
        if given.files:
            print("\n".join(every_file([*files, *tars])))
        else:
            found = found_lines(config, spelt_out(written)["groups"]) if config["images"]["folder"] else ()
            print("\n".join([*found, *page(given.config, config, files, tars, wordnet)]))
    except (OSError, ValueError, yaml.YAMLError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def wordnet_place(config: Mapping[str, Any]) -> Path | None:
    """Return where WordNet is installed, None where it is not or where a place of its own is named."""
    if config["classes"]["taxonomy"] != "wordnet":
        return None
    from headstart.measures.taxonomy import find_wordnet

    try:
        return find_wordnet()
    except FileNotFoundError:
        return None


def measure(config: Mapping[str, Any], sources: int, targets: int) -> Costs:
    """Build the network and count its work; weights that are there already are checked in passing."""
    from headstart.finetuning.costs import measure_costs
    from headstart.networks.backbones import cut, load_classifier

    network = {key: config["source"][key] for key in ("library", "name", "options")}
    weights = Path(config["source"]["weights"] or "")
    model = load_classifier(classes=sources, weights=weights if weights.is_file() else None, **network)
    side = config["images"]["crop"]
    return measure_costs(cut(model, config["training"]["trained_from"], side), max(targets, 1), side)


def measure_filters(config: Mapping[str, Any], sources: int) -> Filters:
    """Count the numbers and the work of describing an image by filters."""
    from headstart.networks.backbones import load_classifier
    from headstart.networks.descriptors import BINS
    from headstart.networks.filters import filter_costs

    network = {key: config["source"][key] for key in ("library", "name", "options")}
    channels, work = filter_costs(load_classifier(classes=sources, **network), config["images"]["crop"])
    return Filters(BINS * channels, work)


def page(
    path: Path, config: Mapping[str, Any], files: Sequence[Supply], tars: Sequence[Supply], wordnet: Path | None
) -> Iterator[str]:
    """Yield the lines of the plan."""
    from headstart.finetuning.settings import evaluation_steps

    training, source = config["training"], config["source"]
    counts = count(config, lambda steps: len(evaluation_steps(steps, training["evaluations"])))
    costs = measure(config, counts.sources, counts.targets)
    filters = measure_filters(config, counts.sources) if counts.described else NO_FILTERS
    rates = read_rates(PROJECT / "config/throughputs.tsv")
    yield f"Plan of {path}, as if no result were there yet"
    wnids = target_wnids(config)
    targets = str(counts.targets) if counts.targets == len(wnids) else f"{counts.targets} of {len(wnids)}"
    yield (
        f"{targets} target and {counts.sources} source classes, {source['library']} {source['name']} trained "
        f"from {training['trained_from']}, {config['images']['crop']} pixels, {len(config['seeds'])} seeds"
    )
    yield from ["", f"FILES  fetched into {config['downloads']['folder']}/, or put there by hand"]
    yield from file_lines(path, config, files, tars, wordnet)
    yield from ["", "DISK"]
    fetched = Room("fetched files", f"{config['downloads']['folder']}/", bytes_of([*files, *tars]), "as above")
    yield from room_lines([*([fetched] if fetched.bytes else []), *rooms(config, counts, costs, filters)])
    yield from ["", "WORK"]
    yield from work_lines(counts, costs)
    yield from ["", *time_lines(stages(counts, costs, filters), machines_of(rates))]
    yield from ["", "THROUGHPUTS  measured on what is named (sources: config/throughputs.tsv), times what is assumed"]
    yield from rate_lines(rates)


def file_lines(
    path: Path, config: Mapping[str, Any], files: Sequence[Supply], tars: Sequence[Supply], wordnet: Path | None
) -> Iterator[str]:
    """Yield a line for each file, one for all tars, and their sum."""
    for file in files:
        yield from file_row(file.name, size_of(file.bytes()), file.state(), file.terms)
    if tars:
        states = Counter(tar.state() for tar in tars)
        size = ("~" if states["missing"] else "") + size_of(bytes_of(tars))
        yield from file_row(f"synsets/<wnid>.tar, {len(tars)}", size, f"{states['here']} here", tars[0].terms)
        if states["not offered"]:
            yield f"  {states['not offered']} tars are not offered where they were asked for"
    if files or tars:
        yield from sums(files, tars)
        yield f"  every file with its address: make plan CONFIG={path} FILES=1"
    else:
        yield "  nothing is fetched"
    images = config["images"]
    if not tars and not images["drawn"] and not images["folder"] and not is_url(images["tars"]):
        wnids = target_wnids(config)
        yield f"  {len(tars_there(config, wnids))} of {len(wnids)} tars of images are at {config['images']['tars']}"
    if wordnet:
        yield f"  WordNet is installed: {wordnet}"


def file_row(name: str, size: str, state: str, terms: str) -> Iterator[str]:
    """Yield a file's line, with more lines where its terms are long."""
    start = f"  {name:<25}{size:>9}  {state:<11}  "
    yield from textwrap.wrap(terms, WIDTH, initial_indent=start, subsequent_indent=" " * len(start)) or [start]


def sums(files: Sequence[Supply], tars: Sequence[Supply]) -> Iterator[str]:
    """Yield what is still to be fetched, how it is estimated, and what nobody says the size of."""
    missing = [file for file in files if not file.found()]
    lacking = [tar for tar in tars if tar.state() == "missing"]
    unknown = [file.name for file in missing if file.bytes() is None]
    total = bytes_of([*missing, *lacking])
    if not missing and not lacking:
        yield "  nothing is left to fetch"
        return
    least = "at least " if unknown else ""
    besides = f", and {', '.join(unknown)} of unknown size" if unknown else ""
    text = f"left to fetch: {least}{size_of(total)}{besides}"
    yield from textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
    if lacking:
        yield (
            f"  tars do not say their size: {IMAGES_OF_SYNSET} images (as in ILSVRC2012) of {MEAN_JPEG / 1e3:.0f} KB "
            "(its mean) assumed"
        )


def bytes_of(supplies: Iterable[Supply]) -> float:
    """Return the bytes of some files, estimated for tars that are not there, without those of unknown size."""
    unknown = {True: ESTIMATED_TAR, False: 0.0}
    sizes = ((supply.bytes(), supply.name.endswith(".tar")) for supply in supplies)
    return sum(unknown[is_tar] if size is None else size for size, is_tar in sizes)


def every_file(supplies: Iterable[Supply]) -> Iterator[str]:
    """Yield name, state, size, address and terms of every file, separated by tabs."""
    yield "file\tstate\tbytes\turl\tterms"
    for supply in supplies:
        size = "unknown" if supply.bytes() is None else str(supply.bytes())
        yield "\t".join([str(supply.places[0]), supply.state(), size, supply.url, supply.terms])


def room_lines(written: Sequence[Room]) -> Iterator[str]:
    """Yield a line for each part of the disk, and their sum."""
    width = max(len(room.place) for room in written) + 2
    for room in written:
        yield f"  {room.name:<18}{size_of(room.bytes):>9}  {room.place:<{width}}{room.reason}"
    total = size_of(sum(room.bytes for room in written))
    yield f"  {'in all':<18}{total:>9}  pixels go with the square of the short side, 269 KB measured at 256"


def work_lines(counts: Counts, costs: Costs) -> Iterator[str]:
    """Yield how often what is done, and the work of one pass."""
    whole = costs.trunk + costs.tail
    sharing = "strategies" if counts.batches else "starts of a job"
    rows = [
        ("images decoded", counts.decoded, f"target images {counts.source}"),
        ("passes: training the source network", counts.pretrained, flop(3 * whole)),
        ("passes: its top-1", counts.checked, flop(whole)),
        ("passes: embed target images", counts.embedded, flop(whole)),
        ("passes: trunk, evaluation images", counts.evaluated, flop(costs.trunk)),
        (
            "passes: trunk, training images",
            counts.trunk,
            f"{flop(costs.trunk)}; shared by all {sharing}",
        ),
        ("passes: tails, training images", counts.tails, f"{flop(costs.training)}, forward and backward"),
        ("passes: tails held, training images", counts.held, f"{flop(costs.tail + costs.head)}, forward only"),
        ("passes: tails, evaluation images", counts.scored, flop(costs.tail + costs.head)),
        ("target images described", counts.described, f"and their nearest found among {counts.among:,} source images"),
        (
            "training jobs",
            counts.jobs["fine_tune"],
            f"{counts.steps:,} steps, {counts.optimiser_steps:,} of optimisers",
        ),
        ("Snakemake jobs", sum(counts.jobs.values()), ""),
    ]
    yield from (f"  {name:<36}{number:>12,}  {how}".rstrip() for name, number, how in rows if number)


def time_lines(parts: Sequence[Stage], machines: Mapping[str, Machine]) -> Iterator[str]:
    """Yield the time of each stage on each machine, and their sums."""
    yield f"TIME{'':<28}" + "".join(f"{name:>20}" for name in machines)
    for stage in parts:
        times = [duration(stage.seconds(machine)) for machine in machines.values()]
        yield f"  {stage.name:<30}" + "".join(f"{time:>20}" for time in times)
    totals = [duration(sum(stage.seconds(machine) for stage in parts)) for machine in machines.values()]
    yield f"  {'in all, about':<30}" + "".join(f"{time:>20}" for time in totals)
    basis = ["in part assumed" if machine["forward"].assumed else "measured" for machine in machines.values()]
    yield f"  {'throughputs':<30}" + "".join(f"{how:>20}" for how in basis)
    yield "  fetching not counted; GPUs with gpu.precision: tf32; depthwise convolutions take up to 3 x longer"


def rate_lines(rates: Sequence[Rate]) -> Iterator[str]:
    """Yield what each throughput was measured on, and what is assumed to bring it to the machine."""
    notes = list(dict.fromkeys(rate.assumed for rate in rates if rate.assumed))
    for rate in rates:
        how = f"x {rate.factor:g} assumed [{notes.index(rate.assumed) + 1}]" if rate.assumed else ""
        measured = f"{rate.value:>7g} {rate.unit:<19}  {rate.measured:<25}"
        yield f"  {rate.machine:<16}{rate.what:<9}{measured}{how}".rstrip()
    for number, note in enumerate(notes, 1):
        yield from textwrap.wrap(f"[{number}] {note}", WIDTH, initial_indent="  ", subsequent_indent=" " * 6)


def size_of(count: float | None) -> str:
    """Write bytes for a reader.

    >>> size_of(178793742), size_of(12.46e9), size_of(None)
    ('179 MB', '12.5 GB', 'unknown')
    """
    if count is None:
        return "unknown"
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if count >= 0.9995 * size:
            return f"{count / size:.1f} {unit}" if count < 99.95 * size else f"{count / size:.0f} {unit}"
    return f"{count:.0f} B"


def flop(work: float) -> str:
    """Write the work of one pass for a reader.

    >>> flop(13980237824), flop(19456)
    ('14 GFLOP each', '19.5 KFLOP each')
    """
    size, unit = next((size, unit) for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "K"), (0, "")) if work >= size)
    return f"{work / (size or 1):.3g} {unit}FLOP each"


def duration(seconds: float) -> str:
    """Write a time for a reader, to two digits.

    >>> duration(20), duration(160), duration(17000), duration(2e6)
    ('under a minute', '2.7 min', '4.7 h', '23 days')
    """
    if seconds < 60:
        return "under a minute"
    size, unit = (60, "min") if seconds < 90 * 60 else (3600, "h") if seconds < 100 * 3600 else (86400, "days")
    value = seconds / size
    return f"{round(value, 1 - floor(log10(value))):g} {unit}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
