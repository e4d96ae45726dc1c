"""Anti-aliasing on the source task, as the config asks for it: the ways that are tried, and their files.

Functions that take `wildcards` are parameters of rules.
"""

from __future__ import annotations

from typing import Any

from pipeline.config.runs import pupils
from pipeline.experiment import Experiment


class Pupils:
    """What the rule of anti-aliasing reads; there is one only where the config has a section `antialias`."""

    def __init__(self, experiment: Experiment) -> None:
        """Find the ways that are tried."""
        self.experiment, self.layout = experiment, experiment.layout
        self.found = pupils(experiment.config)
        self.wanted = bool(self.found)
        section = experiment.config["antialias"] or {}
        self.settings = {key: value for key, value in section.items() if key != "runs"}

    def options_of(self, wildcards: Any) -> dict[str, Any]:
        """Return all options of one way."""
        return self.found[wildcards.pupil]

    def samples(self) -> list[str]:
        """Return the pictures of source classes that test, where they lie apart from those that train."""
        return [self.layout.samples] if self.experiment.config["source"]["samples"] else []

    def state(self, wildcards: Any, output: Any) -> str:
        """Return where a training keeps its progress; told from an output, as `Trainings.training_state` is."""
        ours = self.layout.at("antialias", pupil=wildcards.pupil, seed=wildcards.seed)
        prefix = str(output.scores).removesuffix(ours)
        return prefix + self.layout.at("pupil_state", pupil=wildcards.pupil, seed=wildcards.seed)
