"""What each job of fine-tuning is told and reads.

Functions that take `wildcards` are input functions or parameters of rules.
"""

from __future__ import annotations

from typing import Any

from headstart.vocabulary import STRATEGIES, codes
from pipeline.config.budget import OF_BATCHES, settings_of_run
from pipeline.config.runs import cells, most_nearest, most_of, variants
from pipeline.experiment import Experiment


class Trainings:
    """The jobs of fine-tuning of one experiment: a strategy, a number of images and a seed each.

    Args:
        experiment: its classes and files.
    """

    def __init__(self, experiment: Experiment) -> None:
        """Take the groups apart into jobs."""
        self.experiment = experiment
        self.config, self.layout = experiment.config, experiment.layout
        self.groups = self.config["groups"]
        self.variants = variants(self.groups)
        self.cells = cells(self.groups)

    def starts_of_runs(self, wildcards: Any) -> list[str]:
        """Return the initialisations trained side by side by one strategy."""
        return self.cells.get((wildcards.strategy, int(wildcards.shots)), [])

    def strategy_word(self, wildcards: Any) -> str:
        """Return the strategy without its options."""
        return self.variants[wildcards.strategy][0]

    def strategy_options(self, wildcards: Any) -> dict[str, Any]:
        """Return all options of a strategy."""
        return self.variants[wildcards.strategy][1]

    def strategy_codes(self, wildcards: Any) -> list[str]:
        """Return the place of the code of a strategy."""
        return codes(STRATEGIES, [self.strategy_word(wildcards)])

    def strategy_inputs(self, wildcards: Any) -> dict[str, Any]:
        """Return what a training by this strategy reads besides heads and images."""
        kept = {"batches": self.layout.batches} if self.config["training"]["keep_batches"] else {}
        found: dict[str, dict[str, Any]] = {
            "nearest": self.nearest_inputs(wildcards),
            "trunk": {"trunk": self.layout.trunk, "evaluation": self.layout.evaluation, **kept},
            "features": {"features": self.layout.features, "images": self.layout.images},
            "sources": {"sources": self.experiment.source_pictures(), "classes": self.layout.classes},
        }
        reads = STRATEGIES[self.strategy_word(wildcards)].reads
        return {name: path for part in reads for name, path in found[part].items()}

    def settings_with(self, shots: int) -> dict[str, Any]:
        """Return the budget and the optimiser of runs with so many training images per class."""
        return settings_of_run(self.config["training"], shots * len(self.experiment.targets))

    def training_settings(self, wildcards: Any) -> dict[str, Any]:
        """Return the budget and the optimiser of the runs in one job."""
        return self.settings_with(int(wildcards.shots))

    def batch_settings(self, wildcards: Any) -> dict[str, Any]:
        """Return what decides the batches of a number of images and a seed."""
        settings = self.training_settings(wildcards)
        return {key: settings[key] for key in OF_BATCHES}

    def nearest_inputs(self, wildcards: Any) -> dict[str, str]:
        """Return the nearest source images of each target image, as many as a strategy needs, nothing where none."""
        most = most_of(*self.variants[wildcards.strategy])
        return {"nearest": self.layout.at("nearest", most=most), "described": self.layout.described} if most else {}

    def nearest(self) -> list[str]:
        """Return every file of nearest source images that a training reads, the longest first."""
        return [self.layout.at("nearest", most=most) for most in most_nearest(self.groups)]

    def training_state(self, wildcards: Any, output: Any) -> str:
        """Return where a training keeps its progress: outside the outputs, which Snakemake takes away on failure.

        Told from an output, since parameters get no prefix where another workflow imports this one.
        """
        ours = self.layout.at("history", strategy=wildcards.strategy, shots=wildcards.shots, seed=wildcards.seed)
        prefix = str(output.history).removesuffix(ours)
        return prefix + self.layout.at("state", strategy=wildcards.strategy, shots=wildcards.shots, seed=wildcards.seed)
