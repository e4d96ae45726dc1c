"""Try every number of neighbours K on images (Figure 3).

Letters in shapes: S source classes, T target classes, D features, K neighbours, N images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from headstart.heads.blending import blend, find_lonely, nearest, rank_sources
from headstart.heads.starts import random_head
from headstart.measures.material import source_logits
from headstart.measures.metrics import confusion, f_scores

Array = NDArray[Any]
Names = Sequence[str] | None
Measured = Callable[[Array, Array], Array]
# Images scored at a time: source logits of so many images and 1000 classes take 32 MiB.
CHUNK = 4096


@dataclass(frozen=True)
class Images:
    """Features (N, D) of some images, and their target classes (N,)."""

    features: Array
    labels: Array


@dataclass(frozen=True)
class SourceHead:
    """Last layer of the source network, and the rules by which its rows are blended (see `heads.blend`)."""

    weight: Array  # (S, D)
    bias: Array  # (S,)
    ties: str = "order"
    bias_rule: str = "combined"
    norm: str = "untouched"
    lonely: str = "stop"
    seed: int = 0  # of the rows of lonely targets


@dataclass(frozen=True)
class CrossValidation:
    """How measures that look at images are scored on these same images.

    Args:
        folds: parts of the images of each class.
        seed: of the deal.
        measures: those that look at images: name -> function of labels (N,) and source logits (N, S), giving (T, S).

    Raises:
        ValueError: fewer than two folds.
    """

    folds: int
    seed: int
    measures: Mapping[str, Measured]

    def __post_init__(self) -> None:
        """Check the values."""
        if self.folds < 2:
            raise ValueError(f"expected at least 2 folds, got {self.folds}; raise neighbours.folds")


def numbers_to_try(largest: int, further: Sequence[int], sources: int) -> list[int]:
    """Return every K to try: 1 to `largest`, then `further` ones, and all sources together.

    >>> numbers_to_try(largest=3, further=[5, 100], sources=8)
    [1, 2, 3, 5, 8]
    """
    wanted = {*range(1, largest + 1), *further, sources}
    return sorted(wanted & {*range(1, sources + 1)})


def sweep(
    similarity: ArrayLike, head: SourceHead, images: Images, Ks: Sequence[int], names: Sequence[str] | None = None
) -> Array:
    """Return the F-score of every class right after initialisation with every K, (len(Ks), T).

    Args:
        similarity: (T, S).
        head: of the source network.
        images: what is scored; a class without images has NaN.
        Ks: rising numbers of neighbours, within 1..S.
        names: of the targets, for error messages.

    Raises:
        ValueError: Ks do not rise or leave 1..S, or a target has no positive similarity.
    """
    return sweep_together({"": similarity}, head, images, Ks, names)[""]


def sweep_together(
    similarities: Mapping[str, ArrayLike], head: SourceHead, images: Images, Ks: Sequence[int], names: Names = None
) -> dict[str, Array]:
    """Return what `sweep` does for each measure, by name; the source network's logits are computed once for all."""
    counts = count_sweeps([*similarities.values()], head, images, Ks, names)
    scores = [np.stack([f_scores(of_one_k) for of_one_k in of_one]) for of_one in counts]
    return dict(zip(similarities, scores, strict=True))


def cross_validated_sweep(
    measure: str, head: SourceHead, images: Images, names: Sequence[str], Ks: Sequence[int], trial: CrossValidation
) -> Array:
    """Return what `sweep` does for a measure that looks at images, without scoring an image on its own similarity.

    Each class's images are dealt into `folds` parts by a shuffle keyed on (seed, class). The similarity measured on
    all other parts is scored on each part; the counts of the parts are added up before F is taken, (len(Ks), T).
    There are never more folds than images in the smallest class.

    Measures that do not look at images need no folds: use `sweep` on the training images.
    """
    targets, everyone = len(names), np.arange(len(images.labels))
    logits = source_logits(images.features, head.weight, head.bias)
    smallest = int(np.bincount(images.labels, minlength=targets).min())
    # PAPER: no cross-validation there. With one image per class nothing can be held out; the image is then scored on
    # its own similarity. Read by argmax that has one neighbour per class, so that every K gives the same F and K = 1
    # is chosen; the other readings have many, and K is the one that finds the images again best.
    parts = deal(images.labels, min(trial.folds, smallest), trial.seed) if smallest > 1 else [everyone]
    counts = np.zeros((len(Ks), targets, targets), dtype=np.int64)
    for part in parts:
        rest = np.setdiff1d(everyone, part) if len(parts) > 1 else part
        similarity = trial.measures[measure](images.labels[rest], logits[rest])
        counts += count_sweeps([similarity], head, Images(images.features[part], images.labels[part]), Ks, names)[0]
    return np.stack([f_scores(of_one_k) for of_one_k in counts])


def sweep_measures(
    similarities: Mapping[str, pd.DataFrame],
    head: SourceHead,
    images: Mapping[str, Images],
    types: Sequence[str],
    Ks: Sequence[int],
    trial: CrossValidation,
) -> pd.DataFrame:
    """Sweep every measure over test images, as the paper does, and over training images, for a clean choice of K.

    Args:
        similarities: measure -> (T, S), rows and columns named by wnid.
        images: "test" and "train".
        types: of the T targets.
        trial: of the measures that look at training images, and are therefore cross-validated there.

    Returns:
        Columns measure, type, K, images, f1 (mean over the classes of that type), classes.
    """
    names = list(next(iter(similarities.values())).index)
    others = {measure: similarity for measure, similarity in similarities.items() if measure not in trial.measures}
    tested = sweep_together(similarities, head, images["test"], Ks, names)
    trained = sweep_together(others, head, images["train"], Ks, names)
    frames = []
    for measure in similarities:
        if measure in trial.measures:
            trained[measure] = cross_validated_sweep(measure, head, images["train"], names, Ks, trial)
        for which, scores in (("test", tested), ("train", trained)):
            frames.append(mean_by_type(scores[measure], types, Ks).assign(measure=measure, images=which))
    return pd.concat(frames, ignore_index=True)[["measure", "type", "K", "images", "f1", "classes"]]


def count_sweeps(
    similarities: Sequence[ArrayLike], head: SourceHead, images: Images, Ks: Sequence[int], names: Names = None
) -> list[Array]:
    """Return the confusion counts for every K, (len(Ks), T, T), of each matrix; arguments as for `sweep`."""
    tables = [np.asarray(similarity, dtype=np.float64) for similarity in similarities]
    for table in tables:
        sources = table.shape[1]
        if not Ks or list(Ks) != sorted(set(Ks)) or not 1 <= Ks[0] <= Ks[-1] <= sources:
            raise ValueError(f"expected rising numbers of neighbours within 1..{sources}, got {list(Ks)}")
    running = head.ties == "order" and head.norm == "untouched"
    counts = [np.zeros((len(Ks), len(table), len(table)), dtype=np.int64) for table in tables]
    for start in range(0, len(images.labels), CHUNK):
        features, labels = images.features[start : start + CHUNK], images.labels[start : start + CHUNK]
        known = columns_of_logits(head, features) if running else None
        for table, count in zip(tables, counts, strict=True):
            score = plain_logits if known is None else partial(running_logits, known=known)
            for at, logits in enumerate(score(table, head, features, Ks, names)):
                # Single precision, as the network computes: equal rows then tie, and the first class wins.
                count[at] += confusion(labels, logits.astype(np.float32).argmax(axis=0), len(table))
    return counts


def columns_of_logits(head: SourceHead, features: Array) -> Array:
    """Return the source logits that are blended, one column per image, (S, N)."""
    blended = SourceHead(head.weight, head.bias * (head.bias_rule == "combined"))
    return np.ascontiguousarray(source_logits(features, blended.weight, blended.bias).T)


def running_logits(
    similarity: Array,
    head: SourceHead,
    features: Array,
    Ks: Sequence[int],
    names: Sequence[str] | None = None,
    known: Array | None = None,
) -> Iterator[Array]:
    """Yield the logits (T, N) for each K, as running sums of source logits over ever more neighbours.

    z_i(K) = sum_{j<=K} s_ij z_j / sum_{j<=K} s_ij: no head is built, and each K adds only its own neighbours.
    `known` are the `columns_of_logits`, which other measures share.
    """
    order, ranked = rank_sources(similarity)
    lonely = find_lonely(ranked, head.lonely, names)
    spare = random_logits(head, features, lonely)
    logits = columns_of_logits(head, features) if known is None else known
    above, below = np.zeros((len(order), len(features))), np.zeros((len(order), 1))
    for first, last in zip([0, *Ks], Ks, strict=False):
        added = ranked[:, first:last]
        above += _weighted(added, order[:, first:last], logits)
        below += added.sum(axis=1, keepdims=True)
        found = above / np.where(below > 0, below, 1.0)
        found[lonely] = spare
        yield found


def _weighted(shares: Array, sources: Array, logits: Array) -> Array:
    """Sum the logits (S, N) of a few sources of each target by their shares, both (T, k): (T, N)."""
    if shares.shape[1] == 1:  # the usual step; a product of matrices would do T times the work
        return shares * logits[sources[:, 0]]
    used, places = np.unique(sources, return_inverse=True)
    spread = np.zeros((len(sources), used.size))
    np.put_along_axis(spread, places.reshape(sources.shape), shares, axis=1)
    return spread @ logits[used]


def plain_logits(
    similarity: Array, head: SourceHead, features: Array, Ks: Sequence[int], names: Sequence[str] | None = None
) -> Iterator[Array]:
    """Yield the logits (T, N) for each K, by building each head: for every rule of blending, and slower."""
    double, columns = head.weight.astype(np.float64), features.astype(np.float64).T
    for K in Ks:
        sources, coefficients = nearest(similarity, K, head.ties, names, head.lonely)
        weight, bias = blend(double, head.bias, sources, coefficients, head.bias_rule, head.norm)
        logits = weight @ columns + bias[:, None]
        lonely = np.asarray((sources < 0).all(axis=1))
        logits[lonely] = random_logits(head, features, lonely)
        yield logits


def random_logits(head: SourceHead, features: Array, lonely: Array) -> Array:
    """Return the logits of targets without any neighbour, given as a mask (T,), from the rows a head gives them."""
    return random_head(len(lonely), features.shape[1], head.seed).weight[lonely] @ features.T


def deal(labels: Array, folds: int, seed: int) -> list[Array]:
    """Deal the images of each class into parts of nearly equal size; return the indices of each part.

    >>> [part.size for part in deal(np.array([0, 0, 0, 1, 1]), folds=2, seed=0)]
    [3, 2]
    """
    fold = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        shuffled = np.random.default_rng([*b"folds", seed, int(label)]).permutation(members)
        fold[shuffled] = np.arange(members.size) % folds
    return [np.flatnonzero(fold == part) for part in range(folds)]


def mean_by_type(scores: Array, types: Sequence[str], Ks: Sequence[int]) -> pd.DataFrame:
    """Average F-scores (len(Ks), T) over the classes of each type: columns type, K, f1, classes (how many).

    Classes without images (NaN) are left out.
    """
    frame = pd.DataFrame(scores.T, columns=list(Ks)).assign(type=list(types))
    long = frame.melt("type", var_name="K", value_name="f1").astype({"K": np.int64})
    means = long.groupby(["type", "K"], sort=False)["f1"].agg(f1="mean", classes="count")
    return means.reset_index().sort_values(["type", "K"], kind="stable", ignore_index=True)
