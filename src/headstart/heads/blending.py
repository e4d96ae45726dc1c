"""Blend source rows into target rows: which sources are near, with what shares, and what their mean is.

Letters in shapes: S source classes, T target classes, D features, K neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


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


def centred_rows(weight: Array, bias: Array) -> tuple[Array, Array]:
    """Take what all rows (S, D) and offsets (S,) have in common off them: it adds the same to every logit."""
    return weight - weight.mean(axis=0), bias - bias.mean()


def equal_rows(weight: Array, bias: Array) -> tuple[Array, Array]:
    """Bring each row (S, D), with its offset (S,), to the mean length, so that none counts for more in a blend."""
    lengths = np.linalg.norm(weight, axis=1)
    factors = np.divide(mean_length(weight), lengths, out=np.ones_like(lengths), where=lengths > 0)
    return factors[:, None] * weight, factors * bias


def mean_length(weight: Array) -> float:
    """Return the mean Euclidean length of the rows of a head (S, D)."""
    return float(np.linalg.norm(weight.astype(np.float64), axis=1).mean())


def unit_rows(rows: Array) -> Array:
    """Bring each row to length 1, a zero row stays zero."""
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
    "rescaled": lambda rows, source_weight: mean_length(source_weight) * unit_rows(rows),
}
