"""Build the head of the target task: from the source head's rows, from images, or at random.

Letters in shapes: S source classes, T target classes, D features, K neighbours, N images.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors.numpy import load_file

from headstart.heads.blending import blend, mean_length, nearest, unit_rows
from headstart.jobs.files import write_arrays
from headstart.measures.semantics import Semantics
from headstart.naming import read_start, rows_of
from headstart.vocabulary import ROWS, code_of

Array = NDArray[Any]


@dataclass(frozen=True)
class Head:
    """A linear layer, and which source rows (-1 = none) were blended with which shares (0 = none).

    Shares add up to 1 where rows are blended from the nearest sources. Semantic rows come from all sources: those that
    count most are named, with their coefficients, some of which are negative.
    """

    weight: Array  # (T, D) float32
    bias: Array  # (T,) float32
    sources: Array  # (T, Kmax) int64
    coefficients: Array  # (T, Kmax) float32


KINDS = {"weight": np.float32, "bias": np.float32, "sources": np.int64, "coefficients": np.float32}


@dataclass(frozen=True, kw_only=True)
class HeadInputs:
    """Everything any initialisation may look at; each takes what it needs."""

    names: Sequence[str]  # T target classes, in order
    source_weight: Array  # (S, D)
    source_bias: Array  # (S,)
    similarity: Array | None = None  # (T, S)
    neighbours: ArrayLike | None = None  # K, or one for each target (T,)
    features: Array | None = None  # (N, D) of the training images
    labels: Array | None = None  # (N,) of the training images
    semantic: Semantics | None = None
    seed: int = 0
    ties: str = "order"
    bias: str = "combined"
    norm: str = "untouched"
    lonely: str = "stop"


def initialise(
    names: Sequence[str],
    inputs: HeadInputs,
    similarities: Mapping[str, Array | None],
    neighbours: Mapping[str, ArrayLike | None],
) -> dict[str, Head]:
    """Build the head of each initialisation.

    Args:
        names: of the initialisations.
        inputs: what they share.
        similarities: measure -> matrix (T, S).
        neighbours: initialisation -> number of neighbours.
    """
    heads = {}
    for name in names:
        start = read_start(name)[0]
        own = replace(inputs, similarity=similarities.get(start.measure), neighbours=neighbours.get(name))
        heads[name] = code_of(start.code)(with_rows(own, rows_of(name)))
    return heads


def with_rows(inputs: HeadInputs, words: Sequence[str]) -> HeadInputs:
    """Return the same inputs with the source head as some words of the vocabulary's ROWS make it."""
    if not words:
        return inputs
    weight, bias = inputs.source_weight.astype(np.float64), inputs.source_bias.astype(np.float64)
    for word in words:
        weight, bias = code_of(ROWS[word].code)(weight, bias)
    return replace(inputs, source_weight=weight.astype(np.float32), source_bias=bias.astype(np.float32))


def random_head(targets: int, features: int, seed: int) -> Head:
    """Draw rows as torch's `xavier_uniform_` does, within +-sqrt(6 / (T + D)), with zero bias.

    >>> random_head(targets=2, features=4, seed=0).weight.shape
    (2, 4)
    """
    # PAPER: "Xavier" only; uniform, and no bias.
    bound = np.sqrt(6 / (targets + features))
    rows = np.random.default_rng([*b"random head", seed]).uniform(-bound, bound, size=(targets, features))
    return _without_sources(rows)


def imprinted_head(features: Array, labels: Array, names: Sequence[str], scale: float) -> Head:
    """Take each class's mean training feature as its row (weight imprinting; Qi, Brown, Lowe, 2018).

    Features are brought to length 1, averaged, and the mean brought to length `scale`. An image's feature length is
    common to all its logits, so the largest logit is the largest cosine, on features as they are; the source rows'
    mean length as `scale` gives the logits the spread the network was trained with.

    Args:
        features: of the training images, (N, D); their classes are `labels`, (N,).
        names: of the T classes.
        scale: length of the rows.

    Raises:
        ValueError: a class has no training image, or its mean feature is zero.
    """
    unit = unit_rows(features.astype(np.float64))
    sums = np.zeros((len(names), features.shape[1]))
    np.add.at(sums, labels, unit)
    empty = [names[row] for row in np.flatnonzero(~sums.any(axis=1)).tolist()]
    if empty:
        raise ValueError(f"no training image, or only zero features, for {', '.join(empty)}; check the split")
    return _without_sources(scale * unit_rows(sums))


def save_heads(heads: Mapping[str, Head], path: str | os.PathLike[str]) -> None:
    """Write initialisation -> head as safetensors: "<initialisation>/weight", /bias, /sources and /coefficients."""
    arrays = {
        f"{name}/{field}": np.asarray(getattr(head, field), kind)
        for name, head in heads.items()
        for field, kind in KINDS.items()
    }
    write_arrays(arrays, path)


def load_heads(path: str | os.PathLike[str]) -> dict[str, Head]:
    """Read the heads that `save_heads` wrote, by initialisation."""
    arrays = load_file(path)
    names = dict.fromkeys(key.rpartition("/")[0] for key in arrays)
    return {name: Head(**{field: arrays[f"{name}/{field}"] for field in KINDS}) for name in names}


def start_random(inputs: HeadInputs) -> Head:
    """Build a head of random rows."""
    return random_head(len(inputs.names), inputs.source_weight.shape[1], inputs.seed)


def start_imprinted(inputs: HeadInputs) -> Head:
    """Build a head whose rows are the classes' mean training features, as long as source rows are on average."""
    if inputs.features is None or inputs.labels is None:
        raise ValueError("an imprinted head needs the training images' features and labels, got none")
    return imprinted_head(inputs.features, inputs.labels, inputs.names, mean_length(inputs.source_weight))


def start_blended(inputs: HeadInputs) -> Head:
    """Build a head whose rows are blended from the nearest source rows; lonely targets get a random row."""
    if inputs.similarity is None or inputs.neighbours is None:
        raise ValueError("a blended head needs a similarity matrix and the number of neighbours, got none")
    shape, wanted = inputs.similarity.shape, (len(inputs.names), len(inputs.source_weight))
    if shape != wanted:
        raise ValueError(f"expected similarity {wanted} (target names, rows of the source head), got {shape}")
    sources, coefficients = nearest(inputs.similarity, inputs.neighbours, inputs.ties, inputs.names, inputs.lonely)
    weight = np.asarray(inputs.source_weight, dtype=np.float32)
    rows, offsets = blend(weight, inputs.source_bias, sources, coefficients, inputs.bias, inputs.norm)
    lonely = (sources < 0).all(axis=1)
    rows[lonely], offsets[lonely] = random_head(len(rows), rows.shape[1], inputs.seed).weight[lonely], 0.0
    return Head(rows, offsets, sources, coefficients.astype(np.float32))


def _without_sources(rows: Array) -> Head:
    none = np.full((len(rows), 1), -1, dtype=np.int64)
    return Head(rows.astype(np.float32), np.zeros(len(rows), np.float32), none, np.zeros(none.shape, np.float32))
