"""Describe classes in vectors, by several kinds of knowledge, and tell how alike two of them are by each.

The vocabulary names a function for each kind, `Material -> (S + T, F)`, the sources first. Vectors have length 1; zeros
alone belong to a class of which nothing is known that way. What is common or rare is counted among the sources, so that
a target is described alike whichever other targets there are.

Letters in shapes: S source classes, T target classes, F numbers that describe a class.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headstart.measures.hypernyms import Node, read_hypernyms
from headstart.measures.material import Material
from headstart.measures.wordvectors import load_vectors, words_of

Array = NDArray[Any]
# Classes at right angles are exp(-4) = .02 alike.
SHARPNESS = 4.0
# Words of a gloss that say nothing of the class.
STOP_WORDS = """
a about also an and another any are as at be been being both but by can could do does each especially etc for from had
has have having if in into is it its itself made may more most much not of off often on one only or other out over own
same several so some such than that the their them then there these they this those through to too two under up used
using usually very was were when where which while who whose will with within without
"""


def kernel_hypernyms(material: Material) -> Array:
    """Describe classes by the synsets at and above them, rare ones weighing most, (S + T, F).

    Both vectors of a pair hold sqrt(rarity), so that their product sums the rarity of every synset that they share.
    """
    hypernyms, wnids = read_hypernyms(material.taxonomy), everyone(material, "wnid")
    above = [at_or_above(hypernyms, wnid) for wnid in wnids]
    weights = rarity(above, len(material.sources))
    places = {synset: place for place, synset in enumerate(sorted(weights))}
    described = np.zeros((len(wnids), len(places)))
    for row, found in enumerate(above):
        described[row, [places[synset] for synset in found]] = [np.sqrt(weights[synset]) for synset in found]
    return unit(described)


def kernel_lemmas(material: Material) -> Array:
    """Describe classes by the mean vector of their lemmas' words, (S + T, F); see `mean_words`."""
    return mean_words(material, [words_of(lemmas) for lemmas in everyone(material, "lemmas")])


def kernel_gloss(material: Material) -> Array:
    """Describe classes by the mean vector of their glosses' words, without stop words, (S + T, F); see `mean_words`."""
    stop, texts = {*STOP_WORDS.split()}, [re.findall("[a-z]+", gloss.lower()) for gloss in everyone(material, "gloss")]
    return mean_words(material, [[word for word in text if word not in stop] for text in texts])


def kernel_table(material: Material) -> Array:
    """Describe classes by vectors of one's own, less the sources' mean, (S + T, F)."""
    table = read_descriptions(material.table)
    return centred(table.reindex(everyone(material, "wnid")).to_numpy(dtype=np.float64), len(material.sources))


def blocks(described: Array, sources: int) -> tuple[Array, Array]:
    """Return how alike sources are to each other, (S, S), and targets to sources, (T, S): exp(-4 (1 - cosine)).

    A class of which nothing is known is at right angles to all others, and 1 to itself.

    >>> ["%.3f" % value for value in blocks(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), sources=2)[1][0]]
    ['1.000', '0.018']
    """
    cosines = described @ described[:sources].T
    cosines[:sources][np.diag_indices(sources)] = 1.0
    alike = np.exp(-SHARPNESS * (1.0 - cosines))
    return alike[:sources], alike[sources:]


def everyone(material: Material, column: str) -> list[str]:
    """Return a column of the class tables, the sources first."""
    return [str(value) for part in (material.sources, material.targets) for value in part[column]]


def at_or_above(hypernyms: Mapping[str, Node], wnid: str) -> list[str]:
    """Return the wnids of a synset and of all above it; none where the taxonomy does not have it."""
    if wnid not in hypernyms:
        return []
    found = [wnid]
    for one in found:
        found += [parent for parent in dict.fromkeys(hypernyms[one].parents) if parent not in found]
    return found


def rarity(described: Sequence[Sequence[str]], sources: int) -> dict[str, float]:
    """Return what says a class -> log((S + 1) / (n + 1)), with n the sources of which it is said.

    >>> rarity([["animal", "dog"], ["animal"], ["emu"]], sources=2)["animal"]
    0.0
    """
    counts = Counter(word for words in described[:sources] for word in {*words})
    everything = {word for words in described for word in words}
    return {word: float(np.log((sources + 1) / (counts[word] + 1))) for word in everything}


def mean_words(material: Material, texts: Sequence[Sequence[str]]) -> Array:
    """Return the mean of the unit vectors of a class's words, rare ones weighing most, less the sources' mean.

    Args:
        texts: words of each class, (S + T).

    Returns:
        Unit rows, (S + T, F); zeros where no word is known.
    """
    vectors, sources = load_vectors(material.vectors), len(material.sources)
    weights = rarity(texts, sources)
    described = np.full((len(texts), vectors.vector_size), np.nan)
    for row, text in enumerate(texts):
        known = [word for word in text if word in vectors.key_to_index]
        if known:
            rows = unit(np.array([vectors[word] for word in known], dtype=np.float64))
            described[row] = np.array([weights[word] for word in known]) @ rows
    return centred(unit(described), sources)


def read_descriptions(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table of vectors by wnid: a .csv or .parquet file with a column (or index) `wnid`, all others numbers.

    Raises:
        ValueError: another suffix, no `wnid`, a class twice, or a column that holds no numbers.
    """
    readers: dict[str, Callable[[Any], pd.DataFrame]] = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
    suffix = Path(path).suffix
    if suffix not in readers:
        raise ValueError(f"cannot read vectors of classes from {path}; expected one of {', '.join(readers)}")
    table = readers[suffix](path)
    table = table if table.index.name == "wnid" or "wnid" not in table else table.set_index("wnid")
    words = [str(name) for name, kind in table.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if table.index.name != "wnid" or table.index.has_duplicates or words or not len(table.columns):
        raise ValueError(
            f"{path}: expected a column wnid, each class once, and columns of numbers beside it, got "
            f"{', '.join(map(str, [table.index.name, *table.columns][:8]))}; no numbers in {', '.join(words) or 'none'}"
        )
    return table


def centred(rows: Array, sources: int) -> Array:
    """Take the sources' mean off rows (S + T, F) and bring them to length 1; rows that are not all finite become 0."""
    known = np.asarray(np.isfinite(rows).all(axis=1))
    if not known[:sources].any():
        return np.zeros_like(rows)
    return unit(np.where(known[:, None], rows - rows[:sources][known[:sources]].mean(axis=0), 0.0))


def unit(rows: Array) -> Array:
    """Bring each row to length 1, a zero row stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=(lengths > 0) | np.isnan(lengths))
