"""Build the head of the target task: from the source head's rows, from images, or at random.

Letters in shapes: S source classes, T target classes, D features, K neighbours, N images.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors.numpy import load_file

from headstart.files import write_arrays

Array = NDArray[Any]
FIXED_K = re.compile(r"(?P<word>[a-z0-9]+)-k(?P<K>[1-9][0-9]*)")


@dataclass(frozen=True)
class Head:
    """A linear layer, and which source rows (-1 = none) were blended with which shares (0 = none; their sum is 1)."""

    weight: Array  # (T, D) float32
    bias: Array  # (T,) float32
    sources: Array  # (T, Kmax) int64
    coefficients: Array  # (T, Kmax) float32


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
    seed: int = 0
    ties: str = "order"
    bias: str = "combined"
    norm: str = "untouched"
    lonely: str = "stop"


def split_name(initialisation: str) -> tuple[str, int | None]:
    """Split the name of an initialisation into its word and its fixed number of neighbours, if it has one.

    >>> split_name("inference-k10"), split_name("random")
    (('inference', 10), ('random', None))
    """
    match = FIXED_K.fullmatch(initialisation)
    return (match["word"], int(match["K"])) if match else (initialisation, None)


def parse_initialisation(name: str) -> tuple[str, int | None]:
    """Split the name of an initialisation as `split_name` does, and check its word.

    Raises:
        ValueError: the word is not one of INITIALISATIONS.
    """
    word, fixed = split_name(name)
    if word not in INITIALISATIONS:
        raise ValueError(f"unknown initialisation {name!r}; use one of {', '.join(INITIALISATIONS)}, or <measure>-k<K>")
    return word, fixed


def rank_sources(similarity: ArrayLike) -> tuple[Array, Array]:
    """Return source indices by falling similarity (T, S), and those similarities with the negative ones cut to 0.

    Equal similarities keep the order of the classes. A row of NaN alone, of a target about which the measure knows
    nothing, counts as 0.

    Raises:
        ValueError: the matrix is not (T, S), or not finite.
    """
    # PAPER: ties are not mentioned; most WordNet rankings have some, so the order has to be fixed.
    values = np.array(similarity, dtype=np.float64)
    if values.ndim == 2:
        values[np.isnan(values).all(axis=1)] = 0.0
    if values.ndim != 2 or not np.isfinite(values).all():
        raise ValueError(f"expected finite similarities (T, S), got shape {values.shape} with NaN or infinity in it")
    order = np.argsort(-values, axis=1, kind="stable")
    # PAPER: weighted means need positive weights; a source of zero or negative similarity is no neighbour.
    return order, np.maximum(np.take_along_axis(values, order, axis=1), 0.0)


def nearest(
    similarity: ArrayLike,
    K: ArrayLike,
    ties: str = "order",
    names: Sequence[str] | None = None,
    lonely: str = "stop",
) -> tuple[Array, Array]:
    """Choose the K most similar sources of each target, and share 1 among them in proportion to similarity.

    Args:
        similarity: (T, S); larger is closer. Zero or negative: never a neighbour, even if fewer than K are left.
        K: one number, or one for each target (T,); 1..S.
        ties: at equal similarity, `order` takes the sources first in class order; `average` takes all that are tied
            at the K-th place and divides the places left among them (so more than K may share).
        names: of the targets, for error messages.
        lonely: a target without any positive similarity is an error (`stop`), or has no sources (`random`, since it
            then gets a random row).

    Returns:
        Source indices (T, Kmax), nearest first, -1 where there are fewer; coefficients (T, Kmax), each row's sum 1.

    Raises:
        ValueError: K is out of range, a rule unknown, or a target is lonely.

    >>> nearest([[0.2, 0.6, 0.0]], K=2)
    (array([[1, 0]]), array([[0.75, 0.25]]))
    """
    order, ranked = rank_sources(similarity)
    targets, sources = order.shape
    counts = np.broadcast_to(np.asarray(K, dtype=np.int64), (targets,))
    if targets and not 1 <= counts.min() <= counts.max() <= sources:
        raise ValueError(f"expected K in 1..{sources} (source classes), got {counts.min()}..{counts.max()}")
    find_lonely(ranked, lonely, names)
    shares = _option(TIES, "ties", ties)(ranked, counts)
    width = int((shares > 0).sum(axis=1).max(initial=1))
    totals = shares.sum(axis=1, keepdims=True)
    coefficients = np.divide(shares, totals, out=np.zeros_like(shares), where=totals > 0)
    return np.where(shares > 0, order, -1)[:, :width], coefficients[:, :width]


def find_lonely(ranked: Array, rule: str, names: Sequence[str] | None = None) -> Array:
    """Say which targets have no positive similarity, (T,), given those ranked by `rank_sources` (T, S).

    Raises:
        ValueError: the rule is `stop` and there are such targets, which are named; or the rule is unknown.
    """
    if rule not in LONELY:
        raise ValueError(f"unknown lonely {rule!r}; use one of {', '.join(LONELY)}")
    lonely = np.asarray(~(ranked > 0).any(axis=1))
    if rule == "stop" and lonely.any():
        rows = np.flatnonzero(lonely).tolist()
        named = ", ".join(names[row] if names is not None else f"row {row}" for row in rows)
        raise ValueError(
            f"no source class has a positive similarity to {named}; leave these targets out, use another "
            "initialisation, or let them start from random rows (heads.lonely: random)"
        )
    return lonely


def dense_coefficients(sources: Array, coefficients: Array, width: int) -> Array:
    """Spread coefficients (T, Kmax) over all sources, (T, S), with S given as width.

    >>> dense_coefficients(np.array([[2, -1]]), np.array([[1.0, 0.0]]), width=3)
    array([[0., 0., 1.]])
    """
    dense = np.zeros((len(sources), width))
    rows, places = np.nonzero(sources >= 0)
    dense[rows, sources[rows, places]] = coefficients[rows, places]
    return dense


def blend(
    weight: Array,
    bias: Array,
    sources: Array,
    coefficients: Array,
    bias_rule: str = "combined",
    norm: str = "untouched",
) -> tuple[Array, Array]:
    """Average source rows: W'_i = sum of c_ij W_j with c_ij = sim(i,j) / sum of sim over the K nearest.

    Args:
        weight, bias: of the source head, (S, D) and (S,).
        sources, coefficients: from `nearest`, (T, Kmax).
        bias_rule: `combined` averages the bias like the rows, `zero` leaves it out.
        norm: `untouched`, or `rescaled` to the source rows' mean length (the bias stays as it is).

    Returns:
        weight (T, D) and bias (T,), computed in double precision, in the type of `weight`.

    Raises:
        ValueError: the shapes disagree, or a rule is unknown.
    """
    if weight.ndim != 2 or bias.shape != weight.shape[:1] or sources.shape != coefficients.shape:
        raise ValueError(
            f"expected weight (S, D), bias (S,) and equal shapes (T, Kmax), got weight {weight.shape}, "
            f"bias {bias.shape}, sources {sources.shape}, coefficients {coefficients.shape}"
        )
    if sources.max(initial=-1) >= len(weight):
        raise ValueError(
            f"source {sources.max()} is chosen, but the source head has only {len(weight)} rows; "
            "were similarity and head made for the same source classes?"
        )
    dense = dense_coefficients(sources, coefficients, len(weight))
    rows = _option(NORMS, "norm", norm)(dense @ weight.astype(np.float64), weight)
    offsets = _option(BIASES, "bias", bias_rule)(dense, bias.astype(np.float64))
    return rows.astype(weight.dtype), offsets.astype(weight.dtype)


def mean_length(weight: Array) -> float:
    """Return the mean Euclidean length of the rows of a head (S, D)."""
    return float(np.linalg.norm(weight.astype(np.float64), axis=1).mean())


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
    unit = _unit_rows(features.astype(np.float64))
    sums = np.zeros((len(names), features.shape[1]))
    np.add.at(sums, labels, unit)
    empty = [names[row] for row in np.flatnonzero(~sums.any(axis=1)).tolist()]
    if empty:
        raise ValueError(f"no training image, or only zero features, for {', '.join(empty)}; check the split")
    return _without_sources(scale * _unit_rows(sums))


def save_head(head: Head, path: str | os.PathLike[str]) -> None:
    """Write a head as safetensors: weight, bias, sources, coefficients."""
    kinds = {"weight": np.float32, "bias": np.float32, "sources": np.int64, "coefficients": np.float32}
    write_arrays({name: np.asarray(getattr(head, name), kind) for name, kind in kinds.items()}, path)


def load_head(path: str | os.PathLike[str]) -> Head:
    """Read a head written by `save_head`."""
    return Head(**load_file(path))


def _random(inputs: HeadInputs) -> Head:
    return random_head(len(inputs.names), inputs.source_weight.shape[1], inputs.seed)


def _imprinted(inputs: HeadInputs) -> Head:
    if inputs.features is None or inputs.labels is None:
        raise ValueError("an imprinted head needs the training images' features and labels, got none")
    return imprinted_head(inputs.features, inputs.labels, inputs.names, mean_length(inputs.source_weight))


def _blended(inputs: HeadInputs) -> Head:
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


def _unit_rows(rows: Array) -> Array:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def _first_in_order(ranked: Array, K: Array) -> Array:
    return np.where(np.arange(ranked.shape[1]) < K[:, None], ranked, 0.0)


def _averaged_over_tie(ranked: Array, K: Array) -> Array:
    last = np.take_along_axis(ranked, K[:, None] - 1, axis=1)
    above, tied = ranked > last, ranked == last
    places = (K[:, None] - above.sum(axis=1, keepdims=True)) / tied.sum(axis=1, keepdims=True)
    return np.where(above, ranked, np.where(tied, ranked * places, 0.0))


def _option(choices: Mapping[str, Any], what: str, name: str) -> Any:
    if name not in choices:
        raise ValueError(f"unknown {what} {name!r}; use one of {', '.join(choices)}")
    return choices[name]


# PAPER: none of these is settled there; the first of each is the default.
LONELY = ("stop", "random")
TIES: dict[str, Callable[[Array, Array], Array]] = {"order": _first_in_order, "average": _averaged_over_tie}
BIASES: dict[str, Callable[[Array, Array], Array]] = {
    "combined": lambda dense, bias: dense @ bias,
    "zero": lambda dense, bias: np.zeros(len(dense)),
}
NORMS: dict[str, Callable[[Array, Array], Array]] = {
    "untouched": lambda rows, source_weight: rows,
    "rescaled": lambda rows, source_weight: mean_length(source_weight) * _unit_rows(rows),
}

INITIALISATIONS: dict[str, Callable[[HeadInputs], Head]] = {
    "random": _random,
    "inference": _blended,
    "wordnet": _blended,
    "word2vec": _blended,
    "imprinted": _imprinted,
}
