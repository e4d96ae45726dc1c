"""The small grid as a plain script, as a user would write it.

Run as `python benchmarks/plain.py CONFIG SEED SCORES NEIGHBOURS`, a process for each seed.

Nothing is kept from one use to the next: see plain_parts.py. The library draws the images, splits them, builds heads
and networks; what costs time is done plainly.

Letters in shapes: N images, S source classes, T target classes.
"""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml

from compare_wordnet import by_nltk
from headstart.data.splits import Wanted, shots, split_images
from headstart.finetuning.settings import evaluation_steps
from headstart.heads.starts import HeadInputs
from headstart.measures.similarity import word2vec
from headstart.measures.taxonomy import read_taxonomy
from headstart.measures.wordvectors import load_vectors
from headstart.networks.backbones import load_classifier
from headstart.shapes import write_synset
from headstart.vocabulary import all_starts, code_of
from plain_parts import Array, Pictures, inference, predict, sweep_network, train, with_head

Best = Mapping[str, Mapping[str, int]]  # measure -> type of class -> K


def drawn(wnid: str, images: int, seed: int, side: int) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each drawn picture of a class."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{wnid}.tar"
        write_synset(path, wnid, images, seed, side)
        with tarfile.open(path) as tar:
            for member in tar:
                content = tar.extractfile(member)
                assert content is not None
                yield member.name, content.read()


def label_of(synset: Any) -> str:
    """Return the words of a synset, such as "bullet, slug"."""
    return ", ".join(lemma.replace("_", " ") for lemma in synset.lemma_names())


class Experiment:
    """One experiment of a config such as `grid.yaml`: what every run of it starts from."""

    def __init__(self, config: Mapping[str, Any], project: Path) -> None:
        """Draw the images, read classes, word vectors and the network."""
        self.config, images = config, config["images"]
        tables = {role: pd.read_csv(project / config["classes"][role], sep="\t") for role in ("sources", "targets")}
        self.sources, self.targets = sorted(tables["sources"]["wnid"]), list(tables["targets"]["wnid"])
        self.types = list(tables["targets"]["type"])
        self.taxonomy = read_taxonomy(project / config["classes"]["taxonomy"])
        self.data = dict(
            member
            for wnid in self.targets
            for member in drawn(wnid, images["drawn"]["target"], images["drawn"]["seed"], images["short_side"])
        )
        self.pictures = Pictures(self.data, images["short_side"], images["crop"])
        network = config["source"]
        self.model = load_classifier(network["library"], network["name"], len(self.sources), Path(network["weights"]))
        self.model = self.model.to(memory_format=torch.channels_last)
        layer = self.model.get_submodule("fc").state_dict()
        self.head = layer["weight"].numpy(), layer["bias"].numpy()

    def split(self, seed: int) -> pd.DataFrame:
        """Split the images of every class."""
        images = pd.DataFrame({"wnid": [name.partition("_")[0] for name in self.data], "name": list(self.data)})
        keys = ("train", "validation", "test", "test_min")
        return split_images(images, seed, Wanted(**{key: self.config["images"][key] for key in keys}))

    def labels(self, split: pd.DataFrame) -> Array:
        """Give the class of each image of a split, (N,)."""
        return np.array([self.targets.index(wnid) for wnid in split["wnid"]])

    def similarity(self, measure: str, chosen: pd.DataFrame) -> Array:
        """Measure all pairs of targets and sources, (T, S), one after another."""
        if measure == "wordnet":
            return by_nltk(self.taxonomy, self.targets, self.sources)
        if measure == "word2vec":
            words = {wnid: label_of(self.taxonomy[wnid]) for wnid in self.targets + self.sources}
            targets, sources = ([words[wnid] for wnid in wnids] for wnids in (self.targets, self.sources))
            return word2vec(load_vectors(self.config["wordvectors"]["path"]), targets, sources)
        predictions = predict(self.model, self.pictures, list(chosen["name"])).argmax(1)
        return inference(self.labels(chosen), predictions, len(self.targets), len(self.sources))

    def choose(self, measure: str, split: pd.DataFrame) -> dict[str, int]:
        """Choose the K of best mean F on the test images for each type of class, the whole network for every K."""
        similarity = self.similarity(measure, shots(split, self.config["neighbours"]["shots"]))
        tests = split[split["part"] == "test"]
        numbers = range(1, self.config["neighbours"]["largest"] + 1)
        names, labels = list(tests["name"]), self.labels(tests)
        found = sweep_network(self.model, self.head, similarity, self.pictures, names, labels, numbers)
        best = {}
        for kind in dict.fromkeys(self.types):
            of_kind = [row for row, other in enumerate(self.types) if other == kind]
            best[kind] = numbers[int(found[:, of_kind].mean(axis=1).argmax())]
        return best

    def start(self, name: str, chosen: pd.DataFrame, best: Best, seed: int) -> tuple[Array, Array]:
        """Build the head of an initialisation: weight (T, D) and bias (T,)."""
        blended = name in best
        inputs = HeadInputs(
            names=self.targets,
            source_weight=self.head[0],
            source_bias=self.head[1],
            similarity=self.similarity(name, chosen) if blended else None,
            neighbours=[best[name][kind] for kind in self.types] if blended else None,
            seed=seed,
        )
        head = code_of(all_starts()[name].code)(inputs)
        return head.weight, head.bias

    def run(self, seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Choose K, then train every initialisation with every number of images: rows of scores, rows of K."""
        split, training, group = self.split(seed), self.config["training"], self.config["groups"]["main"]
        parts = {part: split[split["part"] == part] for part in ("test", "validation")}
        tests = {part: (list(rows["name"]), self.labels(rows)) for part, rows in parts.items()}
        measures = [name for name in group["initialisations"] if name != "random"]
        best = {measure: self.choose(measure, split) for measure in measures}
        scores = []
        for count in group["shots"]:
            chosen = shots(split, count)
            for name in group["initialisations"]:
                model = with_head(self.model, *self.start(name, chosen, best, seed), dropout=0.75, seed=seed)
                steps = evaluation_steps(training["steps"], training["evaluations"])
                found = train(
                    model, self.pictures, list(chosen["name"]), self.labels(chosen), tests, training["steps"], steps,
                    training["batch"], count, seed,
                )  # fmt: skip
                run = {"initialisation": name, "shots": count, "seed": seed}
                for (step, part), f1 in found.items():
                    keys = {**run, "step": step, "part": part}
                    scores += [{**keys, "wnid": wnid, "f1": one} for wnid, one in zip(self.targets, f1, strict=True)]
        numbers = [
            {"seed": seed, "measure": measure, "type": kind, "K": K}
            for measure, kinds in best.items()
            for kind, K in kinds.items()
        ]
        return scores, numbers


def main(config_path: str, seed: str, scores_path: str, neighbours_path: str) -> None:
    """Run one seed of a config's grid and write its scores and its numbers of neighbours."""
    config = yaml.safe_load(Path(config_path).read_text())
    torch.set_num_threads(config["training"]["threads"])
    scores, numbers = Experiment(config, Path(__file__).parent.parent).run(int(seed))
    pd.DataFrame(scores).to_csv(scores_path, index=False)
    pd.DataFrame(numbers).to_csv(neighbours_path, index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
