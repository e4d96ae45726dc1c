"""How fast a GPU fine-tunes four initialisations of ResNet-101: plain, in lockstep in each form, and scored.

`python benchmarks/measure_training.py`, some minutes on a GPU; where there is none, it says so, and `--device cpu
--images 64` measures the CPU in float32. Plain runs draw a batch, pass the whole network and score through it, one
initialisation after the other. Lockstep is taken step by step (all that a CPU does), with the images of several steps
through the trunk at once, with each step as one CUDA graph (what the pipeline does on a GPU), and with the graph
compiled (`gpu.compile`). Images are counted once for each initialisation; memory is the most that PyTorch held of the
GPU, what is kept between uses included. The floor is the time for the same multiplications (finetuning.costs) at the
speed of the fastest products, measured beside. On a CPU both forms must agree in all bits of weights and F-scores; on a
GPU the largest differences are printed, also those of the graph from the same steps launched one by one.
"""

import argparse
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

import comparison  # noqa: F401  (finds the library)
from headstart.data.crops import crop_batch
from headstart.data.images import PixelStore, decode_folder
from headstart.data.views import View
from headstart.finetuning.batches import TrainingImages, draw_step
from headstart.finetuning.costs import measure_costs
from headstart.finetuning.evaluation import near
from headstart.finetuning.replicas import Replica, score
from headstart.finetuning.settings import Task, Training
from headstart.finetuning.strategies.finetune import FineTune
from headstart.finetuning.training import train_lockstep
from headstart.heads.starts import random_head
from headstart.jobs.checkpoints import Checkpoint
from headstart.machine.computing import PRECISIONS, forward_in, place, processor_of
from headstart.machine.graphs import records
from headstart.machine.machines import Machine, pick_machine, use_threads
from headstart.machine.memory import BATCHES_AT_ONCE
from headstart.measures.metrics import confusion, f_scores
from headstart.networks.backbones import Network, cut, load_classifier
from headstart.networks.embedding import cache_trunk, frozen_pass, normalise
from peak import peak

CLASSES, WARM, DROPOUT = 90, 3, 0.75  # WARM: steps before the clock starts
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Scores = dict[str, np.ndarray]
Weights = dict[str, Tensor]
Result = TypeVar("Result")


class OneByOne(FineTune):
    """Plain fine-tuning whose steps are launched piece by piece."""


class Form(NamedTuple):
    """A way to train in lockstep: whether a step is recorded, batches that pass the trunk at once, and compiling."""

    strategy: type[FineTune]
    batches: int
    compiled: bool = False


# In one precision: each has the bits of its forerunner, or what differs is shown.
FORMS = {
    "lockstep": Form(OneByOne, 1),
    "several steps at once": Form(OneByOne, BATCHES_AT_ONCE),
    "CUDA graph": Form(FineTune, BATCHES_AT_ONCE),
    "CUDA graph, compiled": Form(FineTune, BATCHES_AT_ONCE, compiled=True),
}


def forms_on(device: torch.device) -> dict[str, Form]:
    """Give the forms that differ on a device."""
    return FORMS if records(device) else {"lockstep": FORMS["lockstep"]}


class Setting(NamedTuple):
    """What is measured."""

    machine: Machine
    steps: int  # on the clock

    def wait(self) -> None:
        """Wait until the GPU has done all it was asked."""
        if self.machine.device.type == "cuda":
            torch.cuda.synchronize(self.machine.device)

    def forward(self) -> AbstractContextManager[object]:
        """Give the context of a forward pass."""
        return forward_in(self.machine.device, self.machine.precision)

    def peak_of(self, work: Callable[[], Result]) -> tuple[float, Result]:
        """Give the GiB that some work held of the GPU, nan on a CPU, and what it gives."""
        device = self.machine.device
        if device.type != "cuda":
            return math.nan, work()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        found = work()
        return torch.cuda.max_memory_reserved(device) / 2**30, found

    def clock(self, work: Callable[[], Any]) -> tuple[float, Any]:
        """Give the seconds of some work, and what it gives."""
        self.wait()
        start = perf_counter()
        found = work()
        self.wait()
        return perf_counter() - start, found


class Stopwatch(Checkpoint):
    """Takes the time between two steps of a run, and keeps no state."""

    def __init__(self, setting: Setting) -> None:
        """Start after WARM steps."""
        super().__init__(Path("none"), "none")
        self.setting, self.calls, self.seconds = setting, 0, 0.0

    def load(self) -> None:
        """There is nothing to load."""

    def offer(self, state: object, milestone: bool = False) -> None:
        """Note the end of a step, 0 being the first."""
        if self.calls in (WARM, WARM + self.setting.steps):
            self.setting.wait()
            self.seconds = perf_counter() - self.seconds
        self.calls += 1


def some_images(folder: Path, side: int, batch: int) -> TrainingImages:
    """Make two batches of pictures."""
    short, generator = side * 8 // 7, np.random.default_rng(0)
    for number in range(2 * batch):
        pixels = generator.integers(0, 256, (short, short * 4 // 3, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"n00000001_{number}.png")
    names = decode_folder(folder, folder / "all.arrow", short)
    labels = np.arange(len(names)) % CLASSES
    store = PixelStore([folder / "all.arrow"])
    return TrainingImages(store, names, labels, View(side, MEAN, STD), seed=0, shots=1, batch=batch)


def plain_training(network: Network, heads: dict[str, Any], images: TrainingImages, setting: Setting) -> Any:
    """Train one initialisation after the other; give seconds, weights and replicas."""
    seconds, device = 0.0, setting.machine.device
    replicas = {name: place(Replica(network.tail, *head), device) for name, head in heads.items()}
    for replica in replicas.values():
        optimiser = torch.optim.Adam(replica.parameters(), fused=True)

        def steps(first: int, last: int, replica: Replica = replica, optimiser: Any = optimiser) -> None:
            for step in range(first, last + 1):
                features = network.head.in_features
                inputs, labels, mask = draw_step(images, features, DROPOUT, device, step)
                with setting.forward():
                    with torch.no_grad():
                        outputs = frozen_pass(network.trunk, inputs)
                    loss = functional.cross_entropy(replica(outputs, mask)[1], labels)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()

        steps(1, WARM)
        seconds += setting.clock(partial(steps, WARM + 1, WARM + setting.steps))[0]
    weights = {f"{name}/{key}": value for name, run in replicas.items() for key, value in run.tail.state_dict().items()}
    return seconds, weights, replicas


def plain_scores(network: Network, replicas: dict[str, Replica], images: TrainingImages, setting: Setting) -> Scores:
    """Score each initialisation through the whole network."""
    scores = {}
    for name, replica in replicas.items():
        replica.eval()
        predicted = []
        for start in range(0, len(images.names), images.batch):
            crops = crop_batch(images.store, images.names[start : start + images.batch], images.view.side)
            inputs = normalise(crops, images.view, setting.machine.device)
            with torch.inference_mode(), setting.forward():
                predicted.append(replica(frozen_pass(network.trunk, inputs))[1].argmax(1).cpu().numpy())
        scores[name] = f_scores(confusion(images.labels, np.concatenate(predicted), CLASSES))
    return scores


def lockstep(
    network: Network, heads: dict[str, Any], images: TrainingImages, setting: Setting, form: Form
) -> tuple[float, Weights]:
    """Train all initialisations in a form; give seconds and weights."""
    watch = Stopwatch(setting)
    task = Task([f"class {number}" for number in range(CLASSES)], images, {})
    training = Training(steps=WARM + setting.steps, evaluate_at=[0], dropout=DROPOUT)
    machine = replace(setting.machine, compile=form.compiled, at_once=form.batches * images.batch)
    _, weights = train_lockstep(form.strategy({}), network, heads, task, training, machine, watch)
    return watch.seconds, weights


def measure(network: Network, images: TrainingImages, count: int, setting: Setting, folder: Path) -> list[str]:
    """Give the rows of one precision, having compared the results of both forms."""
    machine, costs = setting.machine, measure_costs(network, CLASSES, images.view.side)
    named = {f"start {seed}": random_head(CLASSES, costs.features, seed) for seed in range(count)}
    heads = {name: (head.weight, head.bias) for name, head in named.items()}
    for part in (network.trunk, network.tail, network.head):
        place(part, machine.device).eval()
    path = folder / "trunk.npy"
    cache_trunk(network.trunk, images.store, images.names, images.view, machine, path, images.batch)
    outputs = np.load(path, mmap_mode="r")
    speed = peak(machine.device, PRECISIONS[machine.precision].half or torch.float32)
    print(f"\n{machine.precision}: products run at {speed / 1e12:.2f} TFLOP/s")
    row = partial(written, machine.precision, speed)
    held, (plain, expected, replicas) = setting.peak_of(lambda: plain_training(network, heads, images, setting))
    trained, tested = count * setting.steps * images.batch, count * len(images.names)
    rows = [row("training, plain", trained / plain, costs.trunk + costs.training, held)]
    scored = scoring(network, replicas, images, outputs, setting)
    inference = costs.tail + costs.head
    scoring_rows = [
        row(f"scoring, {what}", tested / seconds, inference + costs.trunk * (what == "whole network"), held)
        for what, (held, (seconds, _)) in scored.items()
    ]
    (_, (_, scores)), *others = scored.values()
    apart = max(furthest(scores, found) for _, (_, found) in others)
    exact = machine.device.type == "cpu"
    before = expected
    for what, form in forms_on(machine.device).items():
        held, (seconds, weights) = setting.peak_of(partial(lockstep, network, heads, images, setting, form))
        rows.append(row(f"training, {what}", trained / seconds, costs.trunk / count + costs.training, held))
        compare(what, expected, weights, apart, exact)
        if what == "CUDA graph":  # the same sums in the same order as those launched one by one
            print(f"several steps at once and {what}: weights at most {furthest(before, weights):g} apart")
        before = weights
    return rows + scoring_rows


def scoring(
    network: Network, replicas: dict[str, Replica], images: TrainingImages, outputs: np.ndarray, setting: Setting
) -> dict[str, tuple[float, tuple[float, Scores]]]:
    """Score in each form; give GiB, seconds and F-scores."""
    several = replace(setting.machine, at_once=BATCHES_AT_ONCE * images.batch)
    inside = near({"test": (outputs, images.labels)}, several, images.batch)["test"][0]
    forms: dict[str, Callable[[], Scores]] = {
        "whole network": lambda: plain_scores(network, replicas, images, setting),
        "cached trunk": lambda: score(replicas, outputs, images.labels, images.batch, setting.machine),
    }
    if inside is not outputs:
        size = BATCHES_AT_ONCE * images.batch
        forms["cached trunk on the GPU"] = lambda: score(replicas, inside, images.labels, size, several)
    return {what: setting.peak_of(partial(best, setting, form)) for what, form in forms.items()}


def best(setting: Setting, work: Callable[[], Scores]) -> tuple[float, Scores]:
    """Give the seconds of the fastest of three calls, and the result."""
    found = [setting.clock(work) for _ in range(3)]
    return min(seconds for seconds, _ in found), found[-1][1]


def written(precision: str, speed: float, what: str, rate: float, flop: float, held: float) -> str:
    """Write a row of the table."""
    memory = "-" if math.isnan(held) else f"{held:.1f} GiB"
    return f"| {precision} | {what} | {rate:,.1f} | {rate * flop / speed:.1%} | {memory} |"


def furthest(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Give the largest difference between the arrays of the same name."""
    return max(float(np.nanmax(np.abs(np.subtract(values(one[name]), values(other[name]))))) for name in one)


def values(array: Any) -> np.ndarray:
    """Give a tensor's values, wherever it lies."""
    return array.cpu().numpy() if isinstance(array, Tensor) else array


def compare(what: str, expected: Weights, weights: Weights, wrong: float, exact: bool) -> None:
    """Ask a form for the plain one's bits, or print how far it is from them.

    Args:
        what: the form.
        expected, weights: of the plain form, and of this one.
        wrong: by how much F-scores differ that should be the same.
        exact: whether bits are asked for.
    """
    apart = furthest(expected, weights)
    print(f"plain and {what}: weights at most {apart:g} apart, F-scores at most {wrong:g}")
    if exact and (apart or wrong):
        raise AssertionError("on a CPU both forms must give the same bits")


def read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--images", type=int, default=6400, help="training images on the clock, per initialisation")
    parser.add_argument("--precisions", nargs="+", choices=list(PRECISIONS), default=list(PRECISIONS))
    parser.add_argument("--network", default="resnet101", help="a ResNet of torchvision")
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--initialisations", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table with the machine."""
    given = read_arguments(arguments)
    if given.device == "cuda" and not torch.cuda.is_available():
        sys.exit("no GPU here, so nothing is measured; --device cpu --images 64 measures this machine's CPU")
    rows = []
    for precision in given.precisions if given.device == "cuda" else ["float32"]:
        machine = Machine(torch.device("cpu"), precision, threads=given.threads)
        if given.device == "cuda":
            machine = pick_machine(given.threads, precision)
        setting = Setting(machine, steps=max(1, given.images // given.batch))
        with TemporaryDirectory() as folder, use_threads(given.threads):
            images = some_images(Path(folder), given.side, given.batch)
            network = cut(load_classifier("torchvision", given.network, 1000), "layer4")
            rows += measure(network, images, given.initialisations, setting, Path(folder))
    where = f"{processor_of(machine.device)}, {given.threads} CPU threads"
    how = f"{given.initialisations} x {given.network}, {given.side} pixels, batch {given.batch}"
    print(f"\n{how}; {where}, torch {torch.__version__}\n")
    print("\n".join(["| precision | form | images/s | of the FLOP floor | memory |", "|---|---|---|---|---|", *rows]))


if __name__ == "__main__":
    main()
