"""Some classes and all synsets above them as rows, and walks among these rows, up and down, for all at once.

Letters in shapes: S sources, T targets, V all synsets at or above one of them, C some of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headstart.measures.hypernyms import Node, look_up

Array = NDArray[Any]
Parents = Sequence[Sequence[int]]


class Lineage(NamedTuple):
    """Two lists of classes and all above them.

    Args:
        wnids: of all synsets, parents before children, (V,).
        names: NLTK's, (V,).
        parents: the rows of each synset's parents, (V,).
        targets: the row of each target, (T,).
        sources: the row of each source, (S,).
    """

    wnids: list[str]
    names: list[str]
    parents: Parents
    targets: Array
    sources: Array

    def refuse_strangers(self, strangers: Array) -> None:
        """Raise ValueError naming a target and a source that are strangers, given which are, (T, S)."""
        for target, source in np.argwhere(strangers):
            raise ValueError(
                f"{self.names[self.targets[target]]} and {self.names[self.sources[source]]} have no common ancestor; "
                "the taxonomy needs one root above all classes"
            )


def trace(hypernyms: Mapping[str, Node], targets: Sequence[str], sources: Sequence[str]) -> Lineage:
    """Find all that is above some targets and sources, named by wnid; ValueError names those that are unknown."""
    nodes = _closure(hypernyms, [*targets, *sources])
    row = {wnid: at for at, wnid in enumerate(nodes)}
    parents = [[row[parent] for parent in node.parents] for node in nodes.values()]
    asking, asked = (np.array([row[wnid] for wnid in wnids], dtype=np.intp) for wnids in (targets, sources))
    return Lineage(list(nodes), [node.name for node in nodes.values()], parents, asking, asked)


def depths(parents: Parents, choose: Callable[[Iterable[int]], int]) -> Array:
    """Return the links from each synset up to a root, (V,): the fewest with `min`, the most with `max`."""
    found: list[int] = []
    for above in parents:
        found.append(1 + choose(found[parent] for parent in above) if above else 0)
    return np.array(found, dtype=np.intp)


def all_above(parents: Parents, rows: Iterable[int]) -> set[int]:
    """Return the rows of some synsets and of all above them."""
    found = set(rows)
    for at in reversed(range(len(parents))):
        if at in found:
            found.update(parents[at])
    return found


def climb(parents: Parents, starts: Sequence[int]) -> Array:
    """Return the links on the shortest way up from each of some synsets to each synset, (V, C); infinite for no way."""
    links = np.full((len(parents), len(starts)), np.inf, dtype=np.float32)
    links[starts, range(len(starts))] = 0
    for at in sorted(all_above(parents, starts), reverse=True):
        for parent in parents[at]:
            np.minimum(links[parent], links[at] + 1, out=links[parent])
    return links


def descend(values: Array, parents: Parents, step: int) -> Array:
    """Return the least of each synset's own values, (V, C), and those of all above it, each link down adding a step."""
    least = values.copy()
    for at, above in enumerate(parents):
        for parent in above:
            np.minimum(least[at], least[parent] + step, out=least[at])
    return least


def _closure(hypernyms: Mapping[str, Node], wnids: Sequence[str]) -> dict[str, Node]:
    # Some synsets and all above them, parents first.
    found: dict[str, Node] = {}
    todo = dict.fromkeys(wnids)
    while todo:
        found.update(zip(todo, look_up(hypernyms, todo), strict=True))
        todo = dict.fromkeys(parent for wnid in todo for parent in found[wnid].parents if parent not in found)
    order = TopologicalSorter({wnid: node.parents for wnid, node in found.items()}).static_order()
    return {wnid: found[wnid] for wnid in order}
