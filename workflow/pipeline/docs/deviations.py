"""Measure, on the photographs, what each choice does that the paper leaves open (`make deviations`).

Every alternative is an experiment of its own that differs from the default in one key; the pipeline recomputes what
rests on that key. Differences are paired: same seed, same images, same crops.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml
from safetensors.numpy import load_file

from headstart.data.splits import locate
from headstart.heads.starts import load_heads
from headstart.measures.metrics import confusion, f_scores, macro_f1
from headstart.report.palette import style
from headstart.report.statistics import paired_difference, scores_of_runs
from headstart.vocabulary import PLAIN
from pipeline.docs.readme import between
from pipeline.layout import Layout

PROJECT = Path(__file__).parents[3]
AT = Layout("deviations")
FOLDER = Path(AT.classes).parent
BY = ["initialisation", "shots", "seed"]
Cell = tuple[str, int, int]
HEADS = {"initialisations": ["inference", "wordnet", "word2vec"], "shots": [1, 5, 20]}
RUNS = {"initialisations": ["random", "inference"], "shots": [5]}
FEW = {"initialisations": ["random", "inference", "imprinted"], "shots": [1, 2, 5]}


class Choice(NamedTuple):
    """One key, what the default is set against, and the score and runs in which it shows."""

    key: str
    value: Any
    score: str
    group: Mapping[str, Any]


CHOICES = (
    Choice("heads.bias", "zero", "first", HEADS),
    Choice("heads.norm", "rescaled", "first", HEADS),
    Choice("heads.ties", "average", "first", HEADS),
    Choice("neighbours.rule", "clean", "first", HEADS),
    Choice("inference.reading", "soft", "first", HEADS),
    Choice("inference.reading", "threshold", "first", HEADS),
    Choice("training.batch_norm", "eval", "best", RUNS),
    Choice("training.dropout", 0.25, "best", RUNS),
    Choice("training.dropout", 0.0, "best", RUNS),
    Choice("training.trained_from", "blocks.4", "best", RUNS),
    Choice("training.passes", {"number": 5, "least": 10}, "best", FEW),
)


def experiment(choice: Choice, default: bool) -> dict[str, Any]:
    """Return the config of one experiment: the photographs', a small grid, and one key changed or not."""
    config = yaml.safe_load((PROJECT / "config/photos.yaml").read_text())
    config["experiment"] = AT.experiment
    config["training"]["trained_from"] = "blocks.5"
    config["starts"] = None
    config["groups"] = {"main": dict(choice.group)}
    config["figures"] = {"group": "main", "shots": choice.group["shots"][-1]}
    if not default:
        section, name = choice.key.split(".")
        config.setdefault(section, {})[name] = choice.value
    return config


def name_of(choice: Choice, default: bool) -> str:
    """Return a file name for the runs of an experiment; choices that show in the same runs share a default."""
    shots = "-".join(map(str, choice.group["shots"]))
    return f"default-{choice.score}-{shots}" if default else re.sub(r"[^\w.]+", "-", title_of(choice)).strip("-")


def title_of(choice: Choice) -> str:
    """Return the key and its value as a config has them.

    >>> title_of(Choice("training.passes", {"number": 5, "least": 10}, "best", {}))
    'training.passes: {number: 5, least: 10}'
    """
    value = yaml.safe_dump(choice.value, default_flow_style=True, sort_keys=False).removesuffix("...\n").strip()
    return f"{choice.key}: {value}"


def run(choice: Choice, default: bool, cores: int) -> pd.DataFrame:
    """Return the scores of every run of an experiment; computed once, then read from its file."""
    place = FOLDER / "choices" / name_of(choice, default)
    if not (place / "scores.csv").exists():
        config = experiment(choice, default)
        place.mkdir(parents=True, exist_ok=True)
        (place / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        cells = [(name, n, seed) for name, n in product(*choice.group.values()) for seed in config["seeds"]]
        targets = TARGETS[choice.score](cells)
        command = ["snakemake", "--cores", str(cores), "--configfile", str(place / "config.yaml"), "--", *set(targets)]
        subprocess.run(command, check=True)
        SCORES[choice.score](cells).to_csv(place / "scores.csv", index=False)
    return pd.read_csv(place / "scores.csv")


def head_files(cells: Sequence[Cell]) -> list[str]:
    """Return the heads of some cells: First needs no training, only them and the features of the test images."""
    return [AT.at("heads", shots=n, seed=seed) for _, n, seed in cells]


def histories(cells: Sequence[Cell]) -> list[str]:
    """Return the training histories of some cells."""
    return sorted({AT.at("history", strategy=PLAIN, shots=n, seed=seed) for _, n, seed in cells})


def first_scores(cells: Sequence[Cell]) -> pd.DataFrame:
    """Score heads on the test images as they are, as step 0 of a run does."""
    images, targets = pd.read_csv(AT.images), pd.read_csv(AT.targets)["wnid"]
    tests = pd.read_csv(AT.at("split", seed=0)).query("part == 'test'")
    rows, labels = locate(tests, images, targets)
    features = load_file(AT.features)["features"][rows]
    scores = []
    for cell, path in zip(cells, head_files(cells), strict=True):
        head = load_heads(path)[cell[0]]
        predictions = (features @ head.weight.T + head.bias).argmax(axis=1)
        first = macro_f1(f_scores(confusion(labels, predictions, len(targets))))
        scores.append({**dict(zip(BY, cell, strict=True)), "first": first})
    return pd.DataFrame(scores)


def best_scores(cells: Sequence[Cell]) -> pd.DataFrame:
    """Read the scores of runs off their histories."""
    return scores_of_runs(pd.concat(map(pd.read_parquet, histories(cells)), ignore_index=True))


TARGETS = {"first": head_files, "best": histories}
SCORES = {"first": first_scores, "best": best_scores}


def compare(choice: Choice, cores: int) -> pd.DataFrame:
    """Return how much the alternative adds to the default's score, for each initialisation and number of images."""
    pairs = run(choice, True, cores).merge(run(choice, False, cores), on=BY, suffixes=("", "_other"))
    rows = []
    for (initialisation, shots), group in pairs.groupby(["initialisation", "shots"], sort=False):
        ours, other = group[choice.score], group[f"{choice.score}_other"]
        difference, half_width = paired_difference(other, ours)
        cell = {"initialisation": initialisation, "shots": shots, "seeds": len(group), "default": ours.mean()}
        rows.append({**cell, "other": other.mean(), "difference": difference, "half_width": half_width})
    return pd.DataFrame(rows)


def lines(choice: Choice, table: pd.DataFrame) -> Iterator[str]:
    """Yield one line of the page's table for each initialisation: a cell for each number of images."""
    for initialisation, rows in table.groupby("initialisation", sort=False):
        cells = (
            "; ".join(
                f"n = {row.shots}: {row.default:.3f} → {row.other:.3f} ({row.difference:+.3f} ± {row.half_width:.3f})"
                for row in rows.sort_values("shots").itertuples()
            )
            .replace("-0.000", "+0.000")
            .replace("-", "−")
        )
        yield f"{start_of(choice)} {choice.score.capitalize()} | {style(str(initialisation)).name} | {cells} |"


def start_of(choice: Choice) -> str:
    """Return what the lines of a choice begin with."""
    return f"| `{title_of(choice)}` |"


def page(written: str, keys: Sequence[str], cores: int) -> str:
    """Return the measured part of docs/deviations.md.

    Args:
        written: the page as it is.
        keys: those measured, all for none; the lines of others stay as they are written.
        cores: for the pipeline.
    """
    found = [
        "| instead of the default | score | initialisation | default → other (paired difference) |",
        "|---|---|---|---|",
    ]
    for choice in CHOICES:
        if not keys or choice.key in keys:
            found += lines(choice, compare(choice, cores))
        else:
            found += [line for line in written.splitlines() if line.startswith(start_of(choice))]
    return "\n".join(found)


if __name__ == "__main__":
    deviations = PROJECT / "docs/deviations.md"
    before = deviations.read_text()
    measured = page(before, sys.argv[2:], int(sys.argv[1]))
    deviations.write_text(between(before, "measured", measured, "make deviations"))
