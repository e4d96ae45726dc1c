"""How long runs train: as many steps each, or as many passes over the training images."""

from collections.abc import Iterator, Mapping
from typing import Any

# Of `training`, what no single run follows: what is kept for all, and the rule that its steps come from.
NOT_OF_RUNS = ("cache", "keep_batches", "passes")
# What decides which images a step draws and what the frozen blocks make of them.
OF_BATCHES = ("trained_from", "batch", "steps", "threads")


def steps_of(training: Mapping[str, Any], images: int) -> int:
    """Return the optimiser steps of a run.

    Args:
        training: the config's section, with defaults.
        images: trained on, of all classes together. Every pass ends in a batch of its own, however small.

    >>> training = {"steps": 50, "batch": 64, "passes": {"number": 5, "least": 10}}
    >>> [steps_of(training, 56 * shots) for shots in (1, 2, 5, 10, 20)], steps_of(training | {"passes": None}, 56)
    ([10, 10, 25, 45, 50], 50)
    """
    most, passes = training["steps"], training["passes"]
    if passes is None:
        return most
    return min(most, max(passes["least"], passes["number"] * -(-images // training["batch"])))


def settings_of_run(training: Mapping[str, Any], images: int) -> dict[str, Any]:
    """Return the settings that a run on so many images follows, its own number of steps among them."""
    settings = {key: value for key, value in training.items() if key not in NOT_OF_RUNS}
    return settings | {"steps": steps_of(training, images)}


def budget_faults(training: Mapping[str, Any]) -> Iterator[str]:
    """Yield a least number of steps that is above the most."""
    least, most = (training["passes"] or {"least": 1})["least"], training["steps"]
    if least > most:
        yield (
            f"training.passes.least: {least} steps are asked for at least, and training.steps = {most} at most; "
            "lower the one or raise the other"
        )


def recorded(training: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section as results record it: whoever counts no passes, or keeps no batch, has no word of it there."""
    return {key: value for key, value in training.items() if value or key not in ("keep_batches", "passes")}
