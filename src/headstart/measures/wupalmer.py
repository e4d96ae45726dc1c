"""Wu-Palmer similarity of many synsets at once, with the bits that NLTK's `wup_similarity` gives for each pair.

Letters in shapes: S sources, T targets, V all synsets at or above one of them, C those at or above a target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.measures.hypernyms import Node, look_up

Array = NDArray[Any]
Parents = Sequence[Sequence[int]]


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
    nodes = _closure(hypernyms, [*targets, *sources])
    names, row = [node.name for node in nodes.values()], {wnid: at for at, wnid in enumerate(nodes)}
    parents = [[row[parent] for parent in node.parents] for node in nodes.values()]
    asking, asked = (np.array([row[wnid] for wnid in wnids], dtype=np.intp) for wnids in (targets, sources))
    shallow, deep = _depths(parents, min), _depths(parents, max)
    candidates = sorted(_above(parents, asking.tolist()), key=lambda at: (-shallow[at], names[at]))
    links = _climb(parents, candidates)
    place = _meeting(links, parents, candidates, asking, shallow)[asked].T
    for target, source in np.argwhere(np.isinf(place)):
        raise ValueError(
            f"{names[asking[target]]} and {names[asked[source]]} have no common ancestor; "
            "the taxonomy needs one root above all classes"
        )
    place = place.astype(np.intp)
    depth = deep[candidates][place] + 1
    paths = _descend(links, parents, 1)
    return 2.0 * depth / ((depth + paths[asking[:, None], place]) + (depth + paths[asked, place]))


def _closure(hypernyms: Mapping[str, Node], wnids: Sequence[str]) -> dict[str, Node]:
    # Some synsets and all above them, parents first.
    found: dict[str, Node] = {}
    todo = dict.fromkeys(wnids)
    while todo:
        found.update(zip(todo, look_up(hypernyms, todo), strict=True))
        todo = dict.fromkeys(parent for wnid in todo for parent in found[wnid].parents if parent not in found)
    order = TopologicalSorter({wnid: node.parents for wnid, node in found.items()}).static_order()
    return {wnid: found[wnid] for wnid in order}


def _depths(parents: Parents, choose: Callable[[Iterable[int]], int]) -> Array:
    # Links from each synset up to a root, (V,): the fewest with `min`, the most with `max`.
    depths: list[int] = []
    for above in parents:
        depths.append(1 + choose(depths[parent] for parent in above) if above else 0)
    return np.array(depths, dtype=np.intp)


def _above(parents: Parents, rows: Iterable[int]) -> set[int]:
    # Some synsets and all above them.
    found = set(rows)
    for at in reversed(range(len(parents))):
        if at in found:
            found.update(parents[at])
    return found


def _climb(parents: Parents, candidates: Sequence[int]) -> Array:
    # Links on the shortest way up from each candidate to each synset, (V, C); infinite where there is no way.
    links = np.full((len(parents), len(candidates)), np.inf, dtype=np.float32)
    links[candidates, range(len(candidates))] = 0
    for at in sorted(candidates, reverse=True):
        for parent in parents[at]:
            np.minimum(links[parent], links[at] + 1, out=links[parent])
    return links


def _meeting(links: Array, parents: Parents, candidates: Sequence[int], targets: Array, depths: Array) -> Array:
    # The candidate (its column) in which each target meets each synset, (V, T); infinite where there is none.
    column = np.full(len(links), np.inf, dtype=np.float32)
    column[candidates] = range(len(candidates))
    own = column[targets].astype(np.intp)
    ranks = np.where(np.isfinite(links[:, own]), column[:, None], np.inf)
    # Candidates come in the order of preference, but that a target goes before all others of its depth.
    before = np.searchsorted(-depths[candidates], -depths[targets]) - 0.5
    ranks[targets, range(len(targets))] = before
    first = _descend(ranks, parents, 0)
    return np.where(first == before, own, first)


def _descend(values: Array, parents: Parents, step: int) -> Array:
    # The least of each synset's own values and those of all above it, where every link down adds a step.
    least = values.copy()
    for at, above in enumerate(parents):
        for parent in above:
            np.minimum(least[at], least[parent] + step, out=least[at])
    return least
