"""Similarity by the links of the shortest way between two synsets, with the bits that NLTK gives for each pair.

Letters in shapes: S sources, T targets.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.measures.hypernyms import Node, all_parents
from headstart.measures.lineage import climb, descend, trace
from headstart.measures.material import Material

Matrix = NDArray[np.float64]


def measure_path(material: Material) -> Matrix:
    """Return the path similarity of each target with each source, (T, S)."""
    return path(*material.related())


def measure_lch(material: Material) -> Matrix:
    """Return the Leacock-Chodorow similarity of each target with each source, (T, S)."""
    return leacock_chodorow(*material.related())


def path(hypernyms: Mapping[str, Node], targets: Sequence[str], sources: Sequence[str]) -> Matrix:
    """Return 1 / (links + 1) of each target and source, (T, S), as NLTK's `path_similarity`: 1 for equal synsets.

    Arguments and errors are those of `count_links`.

    >>> animals = {"n1": Node("animal.n.01", ()), "n2": Node("cat.n.01", ("n1",)), "n3": Node("dog.n.01", ("n1",))}
    >>> path(animals, ["n2"], ["n1", "n2", "n3"])
    array([[0.5       , 1.        , 0.33333333]])
    """
    return 1.0 / (count_links(hypernyms, targets, sources) + 1)


def leacock_chodorow(hypernyms: Mapping[str, Node], targets: Sequence[str], sources: Sequence[str]) -> Matrix:
    """Return -log((links + 1) / (2 depth)) of each target and source, (T, S), as NLTK's `lch_similarity`.

    Depth is the most links from any synset up to a root: 19 among WordNet's nouns; of a table, that of the table
    alone. It is positive, but where the way is about as long as twice this depth. It ranks as `path` does and shares
    otherwise. Arguments and errors are those of `count_links`.

    Source: Leacock and Chodorow 1998, Combining local context and WordNet similarity for word sense identification.
    """
    links, depth = count_links(hypernyms, targets, sources), greatest_depth(hypernyms)
    # Python's logarithm has the same bits on every machine, NumPy's has not.
    known = [-math.log((count + 1) / (2.0 * depth)) for count in range(links.max(initial=-1) + 1)]
    return np.array(known, dtype=np.float64)[links]


def count_links(hypernyms: Mapping[str, Node], targets: Sequence[str], sources: Sequence[str]) -> NDArray[np.integer]:
    """Return the links of the shortest way from each target up to a common hypernym and down to each source, (T, S).

    Args:
        hypernyms: synsets by wnid, from `hypernyms.read_hypernyms`.
        targets: wnids, (T,).
        sources: wnids, (S,).

    Raises:
        ValueError: a wnid is unknown, or a target and a source have no common ancestor.
    """
    family = trace(hypernyms, targets, sources)
    links = descend(climb(family.parents, family.targets.tolist()), family.parents, 1)[family.sources].T
    family.refuse_strangers(np.isinf(links))
    return links.astype(np.intp)


def greatest_depth(hypernyms: Mapping[str, Node]) -> int:
    """Return the most links from any synset of the taxonomy up to a root."""
    parents = all_parents(hypernyms)

    @functools.cache
    def depth(wnid: str) -> int:
        return 1 + max(map(depth, parents[wnid])) if parents[wnid] else 0

    return max(map(depth, parents), default=0)
