"""How similar each target class is to each source class; the vocabulary names a function for each measure.

Letters in shapes: S source classes, T target classes, N images.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from headstart.measures.hypernyms import Node
from headstart.measures.material import Material
from headstart.measures.metrics import READINGS
from headstart.measures.wordvectors import embed_label, load_vectors
from headstart.measures.wupalmer import wu_palmer

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

Matrix = NDArray[np.float64]


def measure_inference(material: Material) -> Matrix:
    """Return how well each source output detects each target class in the training images, (T, S)."""
    assert material.labels is not None and material.logits is not None
    return inference(material.labels, material.logits, len(material.targets), material.settings["reading"])


def measure_soft(material: Material) -> Matrix:
    """Return the same with each image counting for every source output by its softmax probability, (T, S)."""
    assert material.labels is not None and material.logits is not None
    return inference(material.labels, material.logits, len(material.targets), "soft")


def measure_wordnet(material: Material) -> Matrix:
    """Return the Wu-Palmer similarity of each target with each source, (T, S)."""
    return wordnet(*material.related())


def measure_word2vec(material: Material) -> Matrix:
    """Return the cosine of the word vectors of target and source lemmas, (T, S), and print which words are known."""
    vectors = load_vectors(material.vectors)
    print(known_words(vectors, material.targets["lemmas"]).to_string(index=False))
    return word2vec(vectors, material.targets["lemmas"], material.sources["lemmas"], material.settings["lonely"])


def inference(labels: ArrayLike, logits: ArrayLike, targets: int, reading: str = "argmax") -> Matrix:
    """Return the F-score of each source output as a detector of each target class, (T, S).

    Args:
        labels: target class of each training image, (N,).
        logits: of the source network, (N, S), in eval mode with the test transform.
        targets: T.
        reading: when an image counts for a source output, one of `metrics.READINGS`.

    Raises:
        ValueError: the reading is unknown, the two lengths differ, or an index is out of range.
    """
    if reading not in READINGS:
        raise ValueError(f"unknown reading {reading!r}; use one of {', '.join(READINGS)}")
    return READINGS[reading](labels, np.asarray(logits), targets)


def wordnet(hypernyms: Mapping[str, Node], targets: Sequence[str], sources: Sequence[str]) -> Matrix:
    """Return the Wu-Palmer similarity of each target with each source, bit for bit as NLTK computes it, (T, S).

    It is not symmetric: the target asks, as `target.wup_similarity(source)`.

    Args:
        hypernyms: from `hypernyms.read_hypernyms`.
        targets: wnid of each target class.
        sources: wnid of each source class.

    Raises:
        ValueError: a wnid is unknown, or two synsets have no common ancestor.
    """
    return wu_palmer(hypernyms, targets, sources)


def word2vec(vectors: KeyedVectors, targets: Sequence[str], sources: Sequence[str], lonely: str = "stop") -> Matrix:
    """Return the cosine between the averaged word vectors of each target and each source label, (T, S).

    Args:
        vectors: from `wordvectors.load_vectors`.
        targets: lemmas of each target class, such as "bullet, slug".
        sources: lemmas of each source class.
        lonely: what to do with targets of which no word is known: `stop`, or `random`, which leaves their rows NaN.

    Raises:
        ValueError: naming all targets of which no word is known.

    Warns:
        UserWarning: naming them, and all sources of which no word is known; such a source has similarity 0, so it is
            never chosen.
    """
    rows, strange = _unit_labels(vectors, targets)
    if strange and lonely == "stop":
        raise ValueError(
            f"the word vectors know no word of {_quoted(strange)}, so these targets have no similarity; leave the "
            "classes out, take other word vectors, drop word2vec, or set heads.lonely: random"
        )
    if strange:
        rows[[label in strange for label in targets]] = np.nan
        warnings.warn(
            f"the word vectors know no word of {_quoted(strange)}; these targets start from random rows", stacklevel=2
        )
    columns, unknown = _unit_labels(vectors, sources)
    if unknown:
        warnings.warn(
            f"the word vectors know no word of the source classes {_quoted(unknown)}; "
            "their similarity is 0 and they are never chosen",
            stacklevel=2,
        )
    return rows @ columns.T


def known_words(vectors: KeyedVectors, labels: Sequence[str]) -> pd.DataFrame:
    """Report which words of each label the vectors know: columns label, known, unknown (separated by spaces)."""
    words = [embed_label(vectors, label)[1:] for label in labels]
    known, unknown = [" ".join(found) for found, _ in words], [" ".join(rest) for _, rest in words]
    return pd.DataFrame({"label": list(labels), "known": known, "unknown": unknown})


def read_similarity(
    path: str | os.PathLike[str] | None, targets: Sequence[str], sources: Sequence[str]
) -> Matrix | None:
    """Read a table of similarities (rows and columns named by wnid) in the given orders, (T, S); None for no path.

    Raises:
        ValueError: classes are not in the table.
    """
    if path is None:
        return None
    table = pd.read_parquet(path)
    missing = sorted({*targets} - {*table.index} | {*sources} - {*table.columns})
    if missing:
        raise ValueError(f"{path} lacks the classes {', '.join(missing)}; measure the similarity again")
    return table.loc[list(targets), list(sources)].to_numpy(dtype=np.float64)


def _unit_labels(vectors: KeyedVectors, labels: Sequence[str]) -> tuple[Matrix, list[str]]:
    rows, strange = np.zeros((len(labels), vectors.vector_size)), []
    for row, label in enumerate(labels):
        mean = embed_label(vectors, label)[0]
        if mean is None or not mean.any():
            strange.append(label)
        else:
            rows[row] = mean / np.linalg.norm(mean)
    return rows, strange


def _quoted(labels: Sequence[str]) -> str:
    return ", ".join(f'"{label}"' for label in labels)
