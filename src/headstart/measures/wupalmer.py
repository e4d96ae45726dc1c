"""Wu-Palmer similarity of many synsets at once, with the bits that NLTK's `wup_similarity` gives for each pair.

Letters in shapes: S sources, T targets, V all synsets at or above one of them, C those at or above a target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.measures.hypernyms import Node
from headstart.measures.lineage import Array, Parents, all_above, climb, depths, descend, trace


def wu_palmer(hypernyms: Mapping[str, Node], targets: Sequence[str], sources: Sequence[str]) -> NDArray[np.float64]:
    """Return 2 depth / (depth + d(target) + depth + d(source)) of each target and source, (T, S).

    The two meet in one synset that is above both (each counts as above itself): the one of the largest min_depth, the
    fewest links up to a root; of several, the target if it is one of them, else the alphabetically first. Depth is
    that synset's max_depth, the most links up to a root, plus one; d is the length of the shortest path to it, which
    may pass above it. So the matrix changes where targets and sources change roles, and a synset may have less than 1
    with itself.

    Args:
        hypernyms: synsets by wnid, from `hypernyms.read_hypernyms`.
        targets: wnids, (T,).
        sources: wnids, (S,).

    Raises:
        ValueError: a wnid is unknown, or a target and a source have no common ancestor.

    >>> animals = {"n1": Node("animal.n.01", ()), "n2": Node("cat.n.01", ("n1",)), "n3": Node("dog.n.01", ("n1",))}
    >>> wu_palmer(animals, ["n2"], ["n1", "n2", "n3"])
    array([[0.66666667, 1.        , 0.5       ]])
    """
    family = trace(hypernyms, targets, sources)
    names, parents, asking, asked = family.names, family.parents, family.targets, family.sources
    shallow, deep = depths(parents, min), depths(parents, max)
    candidates = sorted(all_above(parents, asking.tolist()), key=lambda at: (-shallow[at], names[at]))
    links = climb(parents, candidates)
    place = _meeting(links, parents, candidates, asking, shallow)[asked].T
    family.refuse_strangers(np.isinf(place))
    place = place.astype(np.intp)
    depth = deep[candidates][place] + 1
    paths = descend(links, parents, 1)
    return 2.0 * depth / ((depth + paths[asking[:, None], place]) + (depth + paths[asked, place]))


def _meeting(links: Array, parents: Parents, candidates: Sequence[int], targets: Array, shallow: Array) -> Array:
    # The candidate (its column) in which each target meets each synset, (V, T); infinite where there is none.
    column = np.full(len(links), np.inf, dtype=np.float32)
    column[candidates] = range(len(candidates))
    own = column[targets].astype(np.intp)
    ranks = np.where(np.isfinite(links[:, own]), column[:, None], np.inf)
    # Candidates come in the order of preference, but that a target goes before all others of its depth.
    before = np.searchsorted(-shallow[candidates], -shallow[targets]) - 0.5
    ranks[targets, range(len(targets))] = before
    first = descend(ranks, parents, 0)
    return np.where(first == before, own, first)
