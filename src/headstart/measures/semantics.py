"""Predict the rows of the target classes' last layer from what the classes mean, by all source classes at once.

The paper gives a target the mean of the K most similar source rows, W'_t = sum of c_tj W_j. Here the shares c come from
kernel regression: the source rows, less their mean, are taken for values of one smooth function of what a class means,
and that function is read off at the target. With K (S, S) how alike the sources are, k (T, S) how alike a target is to
each source, and noise r in every source row,

    C = k (K + r I)^-1,  V = C (W - mean row).

Sources that say the same share their weight, which similarity alone would count twice; and a source row that the others
contradict counts less. The offsets (bias) go with the rows: C (bias - mean bias). The mean row adds the same number to
all logits of an image, so heads leave it out.

Letters in shapes: S source classes, T target classes, D features, M kernels.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors.numpy import load_file

from headstart.jobs.files import write_arrays
from headstart.measures.kernels import blocks
from headstart.measures.material import Material

Array = NDArray[Any]
Blocks = tuple[Array, Array]
# Mixtures of kernels that are tried: all whose weights are fourths; and noises.
PARTS = 4
NOISES = (0.1, 0.3, 1.0)


@dataclass(frozen=True)
class Semantics:
    """What the meaning of the target classes says of their rows.

    Args:
        rows: C (W - mean row), (T, D).
        bias: C (bias - mean bias), (T,).
        coefficients: C, which source classes a row came from, (T, S); some are negative.
        alike: how alike targets and sources are by the chosen mixture, k (T, S).
        sources: how alike the sources are to each other, K (S, S).
    """

    rows: Array
    bias: Array
    coefficients: Array
    alike: Array
    sources: Array


def predict_rows(
    material: Material, kernels: Mapping[str, Callable[[Material], Array]], weight: Array, bias: Array
) -> tuple[Semantics, pd.DataFrame]:
    """Predict the targets' rows by the mixture of kernels and the noise that predict the sources' rows best.

    Args:
        material: the classes, and what the kernels look at.
        kernels: word -> function, see `headstart.measures.kernels`.
        weight, bias: of the source head, (S, D) and (S,).

    Returns:
        Rows, and a table of all that was tried: a weight for each kernel, noise, cosine, error, chosen.

    Raises:
        ValueError: no kernel knows anything of the classes.
    """
    known = known_blocks(material, kernels)
    if not known:
        raise ValueError(
            f"no kernel of {', '.join(kernels) or 'none'} knows anything of the classes; name others in "
            "semantics.kernels"
        )
    rows = weight.astype(np.float64)
    tried = try_mixtures({word: pair[0] for word, pair in known.items()}, rows)
    best = tried[tried["chosen"]].iloc[0]
    weights = [float(best[word]) for word in known]
    sources, alike = (mix(weights, [pair[part] for pair in known.values()]) for part in (0, 1))
    coefficients = regress(sources, alike, float(best["noise"]))
    offsets = bias.astype(np.float64) - bias.mean(dtype=np.float64)
    predicted = coefficients @ (rows - rows.mean(axis=0))
    return Semantics(predicted, coefficients @ offsets, coefficients, alike, sources), tried


def mix(weights: Sequence[float], kernels: Iterable[Array]) -> Array:
    """Return the weighted sum of kernels."""
    return np.asarray(sum(weight * kernel for weight, kernel in zip(weights, kernels, strict=True)))


def known_blocks(material: Material, kernels: Mapping[str, Callable[[Material], Array]]) -> dict[str, Blocks]:
    """Return the blocks of the kernels that know some source and some target; print which classes each knows not."""
    sources, found = len(material.sources), {}
    wnids = np.array([*material.sources["wnid"], *material.targets["wnid"]])
    for word, kernel in kernels.items():
        described = kernel(material)
        known = np.asarray(described.any(axis=1))
        print(f"{word}: knows {known[:sources].sum()} sources and {known[sources:].sum()} targets", end="")
        print(f", not {', '.join(wnids[~known])}" if not known.all() else "")
        if known[:sources].any() and known[sources:].any():
            found[word] = blocks(described, sources)
        else:
            print(f"{word}: left out")
    return found


def regress(sources: Array, alike: Array, noise: float) -> Array:
    """Return the coefficients k (K + r I)^-1, (T, S).

    Args:
        sources: K, (S, S).
        alike: k, (T, S).
        noise: r.

    >>> regress(np.eye(2), np.array([[0.5, 0.0]]), noise=1.0)
    array([[0.25, 0.  ]])
    """
    return np.linalg.solve(sources + noise * np.eye(len(sources)), alike.T).T


def leave_one_out(sources: Array, rows: Array, noise: float) -> Array:
    """Return what the other sources make of each source's row, less their mean row, (S, D).

    With P = (K + r I)^-1, leaving class i out of the regression of Y errs by [P Y]_i / P_ii. That holds for the rows
    as they are and, since the mean of the others is taken off them, also for a column of ones.

    Raises:
        ValueError: there is only one source class.
    """
    if len(rows) < 2:
        raise ValueError("expected at least 2 source classes to predict one from the others, got 1")
    inverse = np.linalg.inv(sources + noise * np.eye(len(sources)))
    own = np.diag(inverse)[:, None]
    others = (rows.sum(axis=0) - rows) / (len(rows) - 1)
    ones = 1.0 - inverse.sum(axis=1, keepdims=True) / own
    return rows - inverse @ rows / own - ones * others


def agreement(predicted: Array, rows: Array) -> tuple[float, float]:
    """Return mean cosine of predicted rows and rows, both less the mean of the others, and their squared error.

    The error is in parts of what the mean of the others alone would make.
    """
    true = (rows - rows.mean(axis=0)) * (len(rows) / (len(rows) - 1))
    lengths = np.linalg.norm(predicted, axis=1) * np.linalg.norm(true, axis=1)
    cosines = np.divide((predicted * true).sum(axis=1), lengths, out=np.zeros(len(rows)), where=lengths > 0)
    whole = (true**2).sum()
    return float(cosines.mean()), float(((predicted - true) ** 2).sum() / whole) if whole else 0.0


def try_mixtures(kernels: Mapping[str, Array], rows: Array) -> pd.DataFrame:
    """Score every mixture of kernels (S, S) and noise by how well each source row follows from the others.

    Nothing of the targets is looked at. Of equal ones the first is chosen.

    Returns:
        Columns: one per kernel with its weight, noise, cosine, error (see `agreement`), chosen.
    """
    found = []
    for weights in mixtures(len(kernels)):
        mixture = mix(weights, kernels.values())
        for noise in NOISES:
            cosine, error = agreement(leave_one_out(mixture, rows, noise), rows)
            found.append({**dict(zip(kernels, weights, strict=True)), "noise": noise, "cosine": cosine, "error": error})
    table = pd.DataFrame(found)
    return table.assign(chosen=np.arange(len(table)) == table["cosine"].to_numpy().argmax())


def mixtures(kernels: int) -> Iterator[tuple[float, ...]]:
    """Yield all weights of M kernels in fourths that add up to 1.

    >>> [*mixtures(2)]
    [(0.0, 1.0), (0.25, 0.75), (0.5, 0.5), (0.75, 0.25), (1.0, 0.0)]
    """
    for bars in combinations(range(PARTS + kernels - 1), kernels - 1):
        ends = (-1, *bars, PARTS + kernels - 1)
        yield tuple((after - before - 1) / PARTS for before, after in zip(ends, ends[1:], strict=False))


def save_semantics(found: Semantics, path: str | os.PathLike[str]) -> None:
    """Write what `predict_rows` found as safetensors, in single precision."""
    write_arrays({name: np.asarray(array, np.float32) for name, array in vars(found).items()}, path)


def load_semantics(path: str | os.PathLike[str] | None) -> Semantics | None:
    """Read what `save_semantics` wrote; None for no path."""
    return Semantics(**load_file(path)) if path is not None else None


def measure_meaning(material: Material) -> Array:
    """Return the coefficients of the regression as a similarity, (T, S); negative ones are no neighbours."""
    return load_file(material.semantic)["coefficients"].astype(np.float64)
