"""What a training is given: its task, its budget and optimiser; checked where they are made.

Letters in shapes: N images, T target classes, D features of the last layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.finetuning.batches import TrainingImages
from headstart.finetuning.replicas import BATCH_NORM
from headstart.networks.backbones import Network

Evaluation = Mapping[str, tuple[Any, np.ndarray]]
Heads = Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Task:
    """What is to be learnt, and what it is scored on.

    Args:
        classes: wnids of the targets, T.
        images: to train on.
        evaluation: part -> the trunk's output for its images, from `cache_trunk`, and their labels.

    Raises:
        ValueError: images and labels that do not fit together; all faults are named.
    """

    classes: Sequence[str]
    images: TrainingImages
    evaluation: Evaluation

    def __post_init__(self) -> None:
        """Refuse images and labels that do not fit together."""
        refuse([*_unfit_images(self)])


@dataclass(frozen=True, kw_only=True)
class Training:
    """The budget of a training and its optimiser.

    Args:
        steps: of the optimiser, the same for every start.
        evaluate_at: steps after which to score; 0 = as initialised.
        learning_rate, betas, eps: of Adam.
        dropout: probability of dropping a feature before the head.
        batch_norm: of the trained blocks, "train" (statistics of the batch) or "eval" (those of pretraining).

    Raises:
        ValueError: a value that cannot be; all of them are named.
    """

    steps: int
    evaluate_at: Sequence[int]
    learning_rate: float = 1e-3
    betas: Sequence[float] = (0.9, 0.999)
    eps: float = 1e-8
    dropout: float = 0.75
    batch_norm: str = "train"

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        refuse([*_unfit_settings(self)])


def evaluation_steps(steps: int, count: int) -> list[int]:
    """List 0, 1 and further steps up to the last, even in the logarithm of the step; at most `count` of them.

    Raises ValueError for fewer than one step or fewer than two evaluations.

    >>> evaluation_steps(64, 8)
    [0, 1, 2, 4, 8, 16, 32, 64]
    """
    if steps < 1 or count < 2:
        raise ValueError(f"expected at least 1 step and 2 evaluations (first and last), got {steps} and {count}")
    if count == 2:
        return [0, steps]
    return [0, *np.unique(np.geomspace(1, steps, count - 1).round().astype(int)).tolist()]


def refuse(faults: Sequence[str]) -> None:
    """Raise ValueError with every fault, if there is any."""
    if faults:
        raise ValueError("cannot train: " + "; ".join(faults))


def unfit_heads(network: Network, heads: Heads, classes: Sequence[str]) -> Iterator[str]:
    """Yield the heads that do not have a row for each class and a column for each feature of the network."""
    expected = (len(classes), network.head.in_features)
    for name, (weight, bias) in heads.items():
        if tuple(weight.shape) != expected or tuple(bias.shape) != expected[:1]:
            yield (
                f"head {name} has weight {tuple(weight.shape)} and bias {tuple(bias.shape)}, expected {expected} and "
                f"{expected[:1]} for {len(classes)} classes; was it made from this network's features?"
            )


def _unfit_images(task: Task) -> Iterator[str]:
    counts = {"train": (len(task.images.names), np.asarray(task.images.labels))}
    counts |= {part: (len(outputs), np.asarray(labels)) for part, (outputs, labels) in task.evaluation.items()}
    classes = len(task.classes)
    for part, (count, labels) in counts.items():
        if count == 0 or count != len(labels):
            yield f"{part}: {count} images and {len(labels)} labels, expected as many and at least one"
        elif labels.min() < 0 or labels.max() >= classes:
            yield f"{part}: labels from {labels.min()} to {labels.max()}, expected 0 to {classes - 1}"


def _unfit_settings(training: Training) -> Iterator[str]:
    steps, evaluate_at = training.steps, training.evaluate_at
    if training.batch_norm not in BATCH_NORM:
        yield f"unknown batch_norm {training.batch_norm!r}, valid are {', '.join(BATCH_NORM)}"
    if not 0 <= training.dropout < 1:
        yield f"dropout is the probability of dropping, from 0 to below 1, got {training.dropout}"
    if not evaluate_at or min(evaluate_at) < 0 or max(evaluate_at) > steps:
        yield f"evaluate_at has to be steps from 0 to {steps}, got {list(evaluate_at)}; evaluation_steps gives such"
