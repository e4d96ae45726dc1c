"""Estimate disk and hours from counts, the exact work of the network, and throughputs that are named."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.config.runs import most_nearest
from pipeline.layout import Layout
from pipeline.plan.counts import Counts

if TYPE_CHECKING:
    from headstart.finetuning.costs import Costs

NUMBER = 4  # bytes of a float32
# Pixels of a decoded photograph to those of a square with its short side: 269 KB at 256, measured over ILSVRC.
ASPECT = 269e3 / (3 * 256**2)


class Rate(NamedTuple):
    """How fast a machine does one kind of work, and how that is known."""

    machine: str  # "any" for every one
    what: str  # kind of work: forward, training, decode, start
    value: float
    unit: str
    amount: float  # work in one unit: FLOP, images or jobs
    factor: float  # from what was measured to this machine and precision
    measured: str  # on what
    source: str
    assumed: str  # what the factor rests on, "" where nothing is assumed

    def speed(self) -> float:
        """Return FLOP, images or jobs in a second."""
        return self.value * self.amount * self.factor


Machine = Mapping[str, Rate]  # by kind of work


def read_rates(path: Path) -> list[Rate]:
    """Read a tab-separated table of throughputs."""
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    return [
        Rate(
            machine=row["machine"],
            what=row["what"],
            value=float(row["value"]),
            unit=row["unit"],
            amount=float(row["amount"]),
            factor=float(row["factor"]),
            measured=row["measured"],
            source=row["source"],
            assumed=row["assumed"],
        )
        for row in rows
    ]


def machines_of(rates: Sequence[Rate]) -> dict[str, Machine]:
    """Return machine -> kind of work -> rate, in the order of the table."""
    names = [name for name in dict.fromkeys(rate.machine for rate in rates) if name != "any"]
    return {name: {rate.what: rate for rate in rates if rate.machine in (name, "any")} for name in names}


class Filters(NamedTuple):
    """The filters that describe images: numbers of a descriptor, and FLOP for one image."""

    numbers: int
    work: int


NO_FILTERS = Filters(0, 0)


class Stage(NamedTuple):
    """A part of an experiment and its work."""

    name: str
    what: str  # kind of work, a key of Machine
    amount: float  # FLOP, images or jobs

    def seconds(self, machine: Machine) -> float:
        """Return how long a machine works on it."""
        return self.amount / machine[self.what].speed()


def stages(counts: Counts, costs: Costs, filters: Filters = NO_FILTERS) -> list[Stage]:
    """List the parts of an experiment that take time; those without any work are left out."""
    whole = costs.trunk + costs.tail
    # Every target image is looked at three times: for ranges, for bins, and to be described.
    described = 3 * counts.described + counts.among
    # Two products, a multiplication and an addition each, of numbers of twice the length.
    pairs = 2 * 4 * filters.numbers * counts.described * counts.among
    listed = [
        Stage("start of jobs", "start", sum(counts.jobs.values())),
        Stage("decode images", "decode", counts.decoded),
        Stage("train the source network", "training", 3 * whole * counts.pretrained),
        Stage("measure its top-1", "forward", whole * counts.checked),
        Stage("embed target images", "forward", whole * counts.embedded),
        Stage("describe by filters", "forward", filters.work * described),
        Stage("select source images", "forward", pairs),
        Stage("trunk of evaluation images", "forward", costs.trunk * counts.evaluated),
        Stage("trunk of training images", "forward", costs.trunk * counts.trunk),
        Stage("tails, forward and backward", "training", costs.training * counts.tails),
        Stage("tails, forward only", "forward", (costs.tail + costs.head) * counts.held),
        Stage("tails, evaluations", "forward", (costs.tail + costs.head) * counts.scored),
    ]
    return [stage for stage in listed if stage.amount]


class Room(NamedTuple):
    """Disk that a part of an experiment takes."""

    name: str
    place: str
    bytes: float
    reason: str


def rooms(config: Mapping[str, Any], counts: Counts, costs: Costs, filters: Filters = NO_FILTERS) -> list[Room]:
    """List what the pipeline writes that is large."""
    images, layout = config["images"], Layout(config["experiment"])
    # Drawn images are squares.
    image = 3 * images["short_side"] ** 2 * (1 if images["drawn"] else ASPECT)
    precision = config["training"]["cache"]
    outputs = {"float32": NUMBER, "float16": NUMBER // 2}[precision] * costs.outputs
    state = counts.side_by_side * (costs.weights + 2 * costs.parameters) * NUMBER
    head = counts.targets * (costs.features + 1) * NUMBER
    parts = [
        ("decoded pixels", "store", image * counts.decoded, f"{counts.decoded:,} images of {image / 1e3:.0f} KB"),
        ("features", "features", NUMBER * costs.features * counts.embedded, f"{costs.features} an image"),
        ("first heads", "heads", head * counts.heads, f"{counts.heads} of {counts.targets} x {costs.features}"),
        (
            "trunk's output",
            "trunk",
            outputs * counts.evaluated,
            f"{costs.outputs:,} an image, {precision}",
        ),
        *batches_kept(counts, costs),
        ("trained networks", "trained", NUMBER * costs.weights * counts.replicas, f"{counts.replicas} tails and heads"),
        ("states of jobs", "state", state, "of one job, while it runs"),
        *selecting_rooms(config, counts, filters),
    ]
    return [Room(name, folder_of(layout, place), size, reason) for name, place, size, reason in parts]


def batches_kept(counts: Counts, costs: Costs) -> Iterator[tuple[str, str, float, str]]:
    """Yield name, place, bytes and reason of the batches that are kept, nothing where none are."""
    if counts.batches:
        size = NUMBER * costs.outputs * counts.batches
        yield "trunk's batches", "batches", size, f"{counts.batches:,} training images, float32"


def selecting_rooms(
    config: Mapping[str, Any], counts: Counts, filters: Filters
) -> Iterator[tuple[str, str, float, str]]:
    """Yield name, place, bytes and reason of what selecting source images writes, nothing where none are."""
    images = counts.described + counts.among
    if images:
        reason = f"{images:,} images, {filters.numbers:,} counts each"
        yield "what filters see", "descriptors", NUMBER / 2 * filters.numbers * images, reason
    for most in most_nearest(config["groups"]):
        kept = min(most, counts.among)
        yield "nearest sources", "nearest", NUMBER * counts.described * kept, f"{kept} of each target image"


def folder_of(layout: Layout, place: str) -> str:
    """Return the folder of many files, or the one file.

    >>> folder_of(Layout("shapes"), "store"), folder_of(Layout("shapes"), "features")
    ('results/shapes/images/', 'results/shapes/features.safetensors')
    """
    path = getattr(layout, place)
    return path if "{" not in path else path.partition("{")[0].rpartition("/")[0] + "/"
