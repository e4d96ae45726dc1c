"""The whole small grid of grid.yaml: benchmarks/plain.py against the pipeline, Snakemake included.

`python benchmarks/compare_grid.py`, four to six minutes. 4 initialisations x 3 shot counts x 2 seeds of a ResNet-50 on
drawn images. Both forms start from nothing but the weights and the word vectors, and use two cores: the plain one a
process for each seed, the pipeline two jobs at once. Both end in Table 2; every F-score of every run at every
evaluated step, and every K chosen, are the same.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml

from comparison import Row, measure, report
from headstart.measures.wordvectors import read_sentences, save_vectors, train_vectors
from headstart.networks.backbones import load_classifier
from headstart.networks.pretraining import save_weights
from headstart.shapes import write_captions
from plain import drawn
from plain_parts import Pictures, calibrated

HERE = Path(__file__).parent
PROJECT = HERE.parent
KEYS = ["initialisation", "shots", "seed", "step", "part", "wnid"]
ASKED = 3


def prepare(config: dict, folder: Path) -> None:
    """Make what both forms are given: weights whose BatchNorm fits the pictures, and word vectors."""
    images, source = config["images"], config["source"]
    tables = [pd.read_csv(PROJECT / config["classes"][role], sep="\t") for role in ("sources", "targets")]
    sources, targets = (list(table["wnid"]) for table in tables)
    shown = dict(member for wnid in sources for member in drawn(wnid, 2, 1, images["short_side"]))
    pictures = Pictures(shown, images["short_side"], images["crop"])
    model = load_classifier(source["library"], source["name"], len(sources))
    save_weights(calibrated(model, pictures.central(list(shown))), folder / source["weights"])
    for wnid in sources + targets:
        write_captions(folder / f"{wnid}.txt", wnid, images["drawn"]["captions"], seed=0)
    sentences = read_sentences([folder / f"{wnid}.txt" for wnid in sources + targets])
    save_vectors(train_vectors(sentences, 16, 5, 0), folder / config["wordvectors"]["path"])


def run(folder: Path, *commands: Sequence[str]) -> None:
    """Run commands of this Python in the folder, side by side; the output of one that fails is shown."""
    options: dict[str, Any] = {"cwd": folder, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    started = [subprocess.Popen([sys.executable, *command], **options) for command in commands]
    outputs = [process.communicate()[0] for process in started]
    for process, output in zip(started, outputs, strict=True):
        assert process.returncode == 0, output[-6000:]


def pipeline(folder: Path, config: str) -> None:
    """Run the pipeline up to Table 2."""
    options = ["--cores", "2", "--snakefile", str(PROJECT / "Snakefile"), "--configfile", config]
    run(folder, ["-m", "snakemake", "results/grid/tables/table2.csv", *options])


def plain(folder: Path, config: str, seeds: Sequence[int]) -> None:
    """Run the plain script, every seed a process of its own."""
    run(folder, *([str(HERE / "plain.py"), config, str(seed), *written(seed)] for seed in seeds))


def written(seed: int) -> tuple[str, str]:
    """Name the files that the plain script writes for a seed."""
    return f"scores-{seed}.csv", f"neighbours-{seed}.csv"


def same_scores(folder: Path, seeds: Sequence[int]) -> int:
    """Require equal F-scores and equal numbers of neighbours; return how many scores there are."""
    results = folder / "results/grid"
    ours = pd.concat([pd.read_parquet(path) for path in sorted((results / "runs").rglob("*.parquet"))])
    scores, numbers = (
        pd.concat(map(pd.read_csv, paths))
        for paths in zip(*([folder / name for name in written(seed)] for seed in seeds), strict=True)
    )
    ours, scores = (table.set_index(KEYS)["f1"].sort_index() for table in (ours, scores))
    assert ours.index.equals(scores.index), f"{len(ours)} scores of the pipeline, {len(scores)} of the plain script"
    differ = ours[ours != scores]
    assert differ.empty, f"{len(differ)} of {len(ours)} F-scores differ, first {differ.index[0]}"
    chosen = pd.concat([
        pd.read_csv(path).assign(seed=int(path.stem)) for path in sorted((results / "neighbours").glob("*.csv"))
    ])  # fmt: skip
    chosen = chosen[chosen["rule"] == "paper"].set_index(["seed", "measure", "type"])["K"].sort_index()
    expected = numbers.set_index(["seed", "measure", "type"])["K"].sort_index()
    assert chosen.equals(expected), f"numbers of neighbours differ:\n{chosen}\n{expected}"
    first = scores[scores.index.get_level_values("step") == 0].xs("test", level="part")
    means = first.groupby(["initialisation", "shots", "seed"]).mean().groupby(["initialisation", "shots"]).mean()
    table = pd.read_csv(results / "tables/table2.csv").set_index(["initialisation", "shots"])["first"]
    assert np.allclose(table.loc[means.index], means, rtol=0, atol=1e-12), "Table 2 differs"
    return len(ours)


def compare(path: Path) -> Row:
    """Compare both forms on the grid of a config."""
    config = yaml.safe_load(path.read_text())
    torch.set_num_threads(config["training"]["threads"])
    with TemporaryDirectory() as name:
        folder = Path(name)
        prepare(config, folder)
        fast, _ = measure(lambda: pipeline(folder, str(path)), 1)
        slow, _ = measure(lambda: plain(folder, str(path), config["seeds"]), 1)
        count = same_scores(folder, config["seeds"])
    print(f"{count} F-scores equal in all bits, numbers of neighbours and Table 2 the same")
    group, seeds, name = config["groups"]["main"], len(config["seeds"]), config["source"]["name"]
    sizes = f"{len(group['initialisations'])} initialisations x {len(group['shots'])} shot counts x {seeds} seeds"
    return Row(f"{sizes}, {name}", slow, fast, ASKED)


def main() -> bool:
    """Compare, print the table, and say whether the pipeline is as fast as asked."""
    return report([compare(HERE / "grid.yaml")])


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
