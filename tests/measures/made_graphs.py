"""Graphs of hypernyms for tests, made by hand or by lot, and the class lists of the project."""

from pathlib import Path

import numpy as np
import pandas as pd

from headstart.measures.hypernyms import Node

CONFIG = Path(__file__).parents[2] / "config"


def graph(lines):
    """Synsets named by their words: "dog: canine pet" has two parents."""
    pairs = [line.split(":") for line in lines.strip().splitlines()]
    return {name.strip(): Node(f"{name.strip()}.n.01", tuple(parents.split())) for name, parents in pairs}


def wnids(name):
    return pd.read_csv(CONFIG / name, sep="\t")["wnid"].tolist()


def grown(rng, count, parents, roots=1):
    """A random table: each synset under up to so many earlier ones, near or far; names in no order.

    No synset has the offset 0, under which NLTK keeps the count of all.
    """
    names = rng.permutation(count)
    rows = []
    for at in range(count):
        reach = rng.choice([2, 5, count])
        above = {int(rng.integers(max(0, at - reach), at)) for _ in range(rng.integers(1, parents + 1)) if at >= roots}
        rows.append((at, f"x{names[at]}.n.01", " ".join(f"n{parent + 1:08d}" for parent in above)))
    lines = [f"n{at + 1:08d}\t{name}\t{above}\tx\tx\n" for at, name, above in rows]
    return "wnid\tname\tparents\tlemmas\tgloss\n" + "".join(lines)


def asked(ask, synsets, targets, sources):
    """What NLTK says of each pair, (T, S), the target asking."""
    return np.array([[ask(synsets[target], synsets[source]) for source in sources] for target in targets])
