"""The model that an experiment is to give, as its config says: the runs among which it is chosen, and its files."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from headstart.naming import complete
from headstart.vocabulary import PLAIN, STRATEGIES, all_starts, codes
from pipeline.config.runs import in_order, model_groups, model_shots, untrained, variant, variants
from pipeline.layout import MODEL_FILES
from pipeline.selection import Selection
from pipeline.trainings import Trainings


class Candidates:
    """What the rules of the model read; there are such rules only where the config has a section `model`."""

    def __init__(self, runs: Selection) -> None:
        """Find the groups whose runs are candidates."""
        self.runs, self.config, self.layout = runs, runs.config, runs.layout
        self.wanted = self.config["model"] is not None
        self.groups = model_groups(self.config) if self.wanted else {}
        self.shots = model_shots(self.config) if self.wanted else 0
        self.untrained = untrained(self.config) if self.wanted else []
        self.starts = list(all_starts())

    def heads(self) -> list[str]:
        """Return the heads of every seed."""
        return [self.layout.at("heads", shots=self.shots, seed=seed) for seed in self.runs.experiment.seeds]

    def starts_of(self) -> dict[str, list[str]]:
        """Return variant of a strategy -> the starts of its candidates."""
        found: dict[str, list[str]] = {}
        for group in self.groups.values():
            found.setdefault(variant(group), []).extend(group["initialisations"])
        return {strategy: in_order(starts) for strategy, starts in found.items()}

    def histories(self) -> list[str]:
        """Return the histories of the candidates."""
        return self.runs.histories(self.groups, self.shots)

    def variants(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Return variant -> strategy and all its options; the paper's stands for no training at all."""
        return {PLAIN: (PLAIN, complete(PLAIN, {})), **variants(self.groups)}

    def codes(self) -> list[str]:
        """Return the places of the code of the candidates' strategies."""
        return codes(STRATEGIES, (word for word, _ in self.variants().values()))

    def strategy_inputs(self) -> dict[str, str]:
        """Return what training again reads besides heads and images; nothing is scored, so no images for that."""
        cells = [SimpleNamespace(strategy=one) for one in variants(self.groups)]
        trainings = Trainings(self.runs.experiment)
        found = {name: path for cell in cells for name, path in trainings.strategy_inputs(cell).items()}
        return {name: path for name, path in found.items() if name not in ("trunk", "evaluation", "batches")}

    def looks(self) -> dict[str, Any]:
        """Return how the candidates are called."""
        return self.runs.looks(self.starts_of())

    def files(self) -> list[str]:
        """Return the files of the model, none where none is wanted."""
        return [self.layout.at("model", file=file) for file in MODEL_FILES if self.wanted]
