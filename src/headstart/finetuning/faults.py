"""Refuse arguments of a training that do not fit together, all of them at once.

Letters in shapes: T target classes, D features of the last layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from headstart.finetuning.batches import TrainingImages
from headstart.finetuning.replicas import BATCH_NORM
from headstart.finetuning.strategies import STRATEGIES
from headstart.networks.backbones import Network

Evaluation = Mapping[str, tuple[np.ndarray, np.ndarray]]


def require_fitting(
    network: Network,
    heads: Mapping[str, tuple[Any, Any]],
    classes: Sequence[str],
    images: TrainingImages,
    evaluation: Evaluation,
    steps: int,
    evaluate_at: Sequence[int],
    strategy: str,
    dropout: float,
    batch_norm: str,
) -> None:
    """Check the arguments of `training.train_lockstep`, which says what they are; ValueError names every fault."""
    faults = [
        *_unfit_heads(network, heads, classes),
        *_unfit_images(images, evaluation, len(classes)),
        *_unfit_settings(steps, evaluate_at, strategy, dropout, batch_norm),
    ]
    if faults:
        raise ValueError("cannot train: " + "; ".join(faults))


def _unfit_heads(network: Network, heads: Mapping[str, tuple[Any, Any]], classes: Sequence[str]) -> Iterator[str]:
    if not heads:
        yield "no head; expected initialisation -> (weight, bias)"
    expected = (len(classes), network.head.in_features)
    for name, (weight, bias) in heads.items():
        if tuple(weight.shape) != expected or tuple(bias.shape) != expected[:1]:
            yield (
                f"head {name} has weight {tuple(weight.shape)} and bias {tuple(bias.shape)}, expected {expected} and "
                f"{expected[:1]} for {len(classes)} classes; was it made from this network's features?"
            )


def _unfit_images(images: TrainingImages, evaluation: Evaluation, classes: int) -> Iterator[str]:
    counts = {"train": (len(images.names), np.asarray(images.labels))}
    counts |= {part: (len(outputs), np.asarray(labels)) for part, (outputs, labels) in evaluation.items()}
    for part, (count, labels) in counts.items():
        if count == 0 or count != len(labels):
            yield f"{part}: {count} images and {len(labels)} labels, expected as many and at least one"
        elif labels.min() < 0 or labels.max() >= classes:
            yield f"{part}: labels from {labels.min()} to {labels.max()}, expected 0 to {classes - 1}"


def _unfit_settings(
    steps: int, evaluate_at: Sequence[int], strategy: str, dropout: float, batch_norm: str
) -> Iterator[str]:
    if strategy not in STRATEGIES:
        yield f"unknown strategy {strategy!r}, valid are {', '.join(STRATEGIES)}"
    if batch_norm not in BATCH_NORM:
        yield f"unknown batch_norm {batch_norm!r}, valid are {', '.join(BATCH_NORM)}"
    if not 0 <= dropout < 1:
        yield f"dropout is the probability of dropping, from 0 to below 1, got {dropout}"
    if not evaluate_at or min(evaluate_at) < 0 or max(evaluate_at) > steps:
        yield f"evaluate_at has to be steps from 0 to {steps}, got {list(evaluate_at)}; evaluation_steps gives such"
