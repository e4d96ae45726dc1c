"""Similarity by the information that two synsets share, with the bits that NLTK gives for each pair.

A synset says more, the fewer things it is true of: its information content is high. What two synsets share is the
information of the most informative synset above both, each counting as above itself. Information content comes from
the structure of the taxonomy, or from how often a corpus speaks of a synset and of all below it.

Letters in shapes: S sources, T targets.
"""

from __future__ import annotations

import functools
import math
import os
import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.measures.hypernyms import Node, all_parents
from headstart.measures.lineage import climb, descend, trace
from headstart.measures.material import Material

Matrix = NDArray[np.float64]

COUNT = re.compile(
    r"(?P<offset>[0-9]{1,8})(?P<part>[nv])\s+(?P<count>[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?)(?P<root>\s+ROOT)?\s*"
)
# NLTK's stand-in for infinity: the information of a synset that the corpus never speaks of.
UNCOUNTED = 1e300
# The most that a similarity may be. It takes the place of NLTK's 1e+300 (jcn of equal synsets, or of a parent and a
# child that are counted as often; res where what is shared is uncounted), which no table can show and whose square is
# infinite. Nothing else comes up to it.
NEAREST = 1e9


def measure_res(material: Material) -> Matrix:
    """Return the Resnik similarity of each target with each source, (T, S)."""
    return resnik(*related_by(material))


def measure_lin(material: Material) -> Matrix:
    """Return the Lin similarity of each target with each source, (T, S)."""
    return lin(*related_by(material))


def measure_jcn(material: Material) -> Matrix:
    """Return the Jiang-Conrath similarity of each target with each source, (T, S)."""
    return jiang_conrath(*related_by(material))


def resnik(
    hypernyms: Mapping[str, Node], information: Mapping[str, float], targets: Sequence[str], sources: Sequence[str]
) -> Matrix:
    """Return the information that each target and source share, (T, S), as NLTK's `res_similarity`, up to NEAREST.

    Zero where they meet in a root alone, or nowhere. Arguments and errors are those of `share_information`.

    Source: Resnik 1995, Using information content to evaluate semantic similarity in a taxonomy.
    """
    return np.minimum(share_information(hypernyms, information, targets, sources)[0], NEAREST)


def lin(
    hypernyms: Mapping[str, Node], information: Mapping[str, float], targets: Sequence[str], sources: Sequence[str]
) -> Matrix:
    """Return 2 shared / (own of target + own of source) information, (T, S), as NLTK's `lin_similarity`.

    In 0..1, and 1 for equal synsets; 0 for two roots, for which NLTK fails. Arguments and errors are those of
    `share_information`.

    Source: Lin 1998, An information-theoretic definition of similarity.
    """
    shared, own, others, _ = share_information(hypernyms, information, targets, sources)
    total = own + others
    return np.divide(2.0 * shared, total, out=np.zeros_like(shared), where=total != 0)


def jiang_conrath(
    hypernyms: Mapping[str, Node], information: Mapping[str, float], targets: Sequence[str], sources: Sequence[str]
) -> Matrix:
    """Return 1 / (own of target + own of source - 2 shared) information, (T, S), as NLTK's `jcn_similarity`.

    NEAREST for equal synsets and wherever else nothing is left to divide by, for which NLTK says 1e+300; else 0 where
    one of the two is a root. Arguments and errors are those of `share_information`.

    Source: Jiang and Conrath 1997, Semantic similarity based on corpus statistics and lexical taxonomy.
    """
    shared, own, others, equal = share_information(hypernyms, information, targets, sources)
    distance = np.where(equal, 0.0, own + others - 2 * shared)
    near = np.divide(1.0, distance, out=np.full_like(distance, NEAREST), where=distance != 0)
    return np.where(~equal & ((own == 0) | (others == 0)), 0.0, np.minimum(near, NEAREST))


def share_information(
    hypernyms: Mapping[str, Node], information: Mapping[str, float], targets: Sequence[str], sources: Sequence[str]
) -> tuple[Matrix, Matrix, Matrix, NDArray[np.bool_]]:
    """Return the information that each target and source share, and their own.

    Args:
        hypernyms: synsets by wnid, from `hypernyms.read_hypernyms`.
        information: of synsets by wnid; those that are missing have UNCOUNTED.
        targets: wnids, (T,).
        sources: wnids, (S,).

    Returns:
        What they share, (T, S), 0 without a common ancestor; of targets (T, 1); of sources (1, S); whether both are
        the same synset, (T, S).

    Raises:
        ValueError: a wnid is unknown.
    """
    family = trace(hypernyms, targets, sources)
    contents = np.array([information.get(wnid, UNCOUNTED) for wnid in family.wnids], dtype=np.float64)
    reached = np.isfinite(climb(family.parents, family.targets.tolist()))
    most = 0.0 - descend(np.where(reached, -contents[:, None], np.inf), family.parents, 0)[family.sources].T
    rows, columns = family.targets[:, None], family.sources[None]
    return np.where(np.isinf(most), 0.0, most), contents[rows], contents[columns], rows == columns


def related_by(material: Material) -> tuple[Mapping[str, Node], Mapping[str, float], list[str], list[str]]:
    """Return synsets, their information, targets and sources: information from the file of counts, if one is given.

    Warns:
        UserWarning: the file counts some targets or sources as zero, or not at all.
    """
    hypernyms, targets, sources = material.related()
    if not material.counts:
        return hypernyms, structural_information(hypernyms), targets, sources
    found, classes = counted_information(material.counts), [*targets, *sources]
    uncounted = [wnid for wnid in classes if wnid not in found]
    if uncounted:
        warnings.warn(
            f"{material.counts} counts {len(uncounted)} of {len(classes)} classes as zero or not at all "
            f"({', '.join(uncounted[:5])}{', ...' if len(uncounted) > 5 else ''}); as in NLTK, lin and jcn then find "
            "next to no similarity with others: take counts smoothed by adding one, or none",
            stacklevel=2,
        )
    return hypernyms, found, targets, sources


def structural_information(hypernyms: Mapping[str, Node]) -> dict[str, float]:
    """Return 1 - log(synsets below + 1) / log(all synsets) of every synset by wnid: 1 for a leaf, 0 for a single root.

    Below is what is below at any depth, instances too, each once. Of a table, both numbers are those of the table
    alone.

    Source: Seco, Veale and Hayes 2004, An intrinsic information content metric for semantic similarity in WordNet.

    >>> animals = {"n1": Node("animal.n.01", ()), "n2": Node("cat.n.01", ("n1",)), "n3": Node("dog.n.01", ("n1",))}
    >>> structural_information(animals)
    {'n1': 0.0, 'n2': 1.0, 'n3': 1.0}
    """
    parents = all_parents(hypernyms)

    @functools.cache
    def at_or_above(wnid: str) -> set[str]:
        return {wnid}.union(*map(at_or_above, parents[wnid]))

    below: Counter[str] = Counter()
    for siblings, count in Counter(parents.values()).items():
        for wnid in set().union(*map(at_or_above, siblings)):
            below[wnid] += count
    whole = math.log(len(parents))
    return {wnid: 1 - math.log(below[wnid] + 1) / whole for wnid in parents}


def counted_information(path: str | os.PathLike[str]) -> dict[str, float]:
    """Return -log(count / count of all) of every noun that an information content file counts, by wnid.

    Its first line is a title; every other has an offset with the part of speech, a count, and ROOT where the synset
    has no hypernym, as `1740n 1915712 ROOT`. The count of all is that of the roots together.

    Raises:
        ValueError: a line is malformed, or no noun is a root.
    """
    counts, whole = {}, 0.0
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            found = COUNT.fullmatch(line)
            if (found is None) != (number == 1):
                raise ValueError(
                    f"{path}, line {number}: expected a title and then lines such as `1740n 1915712 ROOT`, got "
                    f"{line.rstrip()!r}; take one of the files of NLTK's corpus `wordnet_ic`"
                )
            if found and found["part"] == "n":
                counts[f"n{int(found['offset']):08d}"] = float(found["count"])
                whole += float(found["count"]) if found["root"] else 0.0
    if not whole:
        raise ValueError(
            f"{path}: no noun is marked ROOT, or counted there; without it counts are no shares of a whole"
        )
    return {wnid: 0.0 - math.log(count / whole) for wnid, count in counts.items() if count}
