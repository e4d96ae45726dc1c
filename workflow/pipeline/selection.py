"""The runs of an experiment, and what heads, tables, figures and the page read of them.

Functions that take `wildcards` are input functions or parameters of rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from headstart.entries import Result
from headstart.naming import rows_of, run_name, split_name
from headstart.report.palette import looks_of
from headstart.vocabulary import FIGURES, ROWS, TABLES, all_starts, codes
from pipeline.config.contradictions import PUBLISHED
from pipeline.config.runs import (
    compared,
    heads,
    pupils,
    results_shown,
    several_strategies,
    shown_groups,
    variant,
)
from pipeline.experiment import Experiment, blended
from pipeline.layout import FIGURE_FORMS, TABLE_FORMS

# The table of what strategies cost, which has a rule of its own: it knows times.
COSTS = "costs"


class Selection:
    """Which runs there are, and which of them each rule reads."""

    def __init__(self, experiment: Experiment) -> None:
        """Take the groups apart into runs."""
        self.experiment = experiment
        self.config, self.layout = experiment.config, experiment.layout
        self.groups = self.config["groups"]
        self.tables_groups = shown_groups(self.config, "tables")
        self.figures_groups = shown_groups(self.config, "figures")
        self.heads = heads(self.config)
        self.several = several_strategies(self.config)

    # Heads.

    def starts_of_heads(self, wildcards: Any) -> list[str]:
        """Return the initialisations whose heads lie in one file."""
        return self.heads.get((int(wildcards.shots), int(wildcards.seed)), [])

    def start_codes(self, wildcards: Any) -> list[str]:
        """Return the places of the code that builds these heads."""
        names = self.starts_of_heads(wildcards)
        rows = codes(ROWS, (word for name in names for word in rows_of(name)))
        return [*codes(all_starts(), (split_name(name)[0] for name in names)), *rows]

    def head_inputs(self, wildcards: Any) -> dict[str, str]:
        """Return what these heads are made from, besides the source head and the images."""
        names, starts = self.starts_of_heads(wildcards), all_starts()
        found, one = blended(names), self.experiment.similarity
        inputs = {measure: one(measure, wildcards.shots, wildcards.seed) for measure, _ in found}
        if any(fixed is None for _, fixed in found):
            inputs["neighbours"] = self.layout.at("neighbours", seed=wildcards.seed)
        read = {part for name in names for part in starts[split_name(name)[0]].reads}
        return inputs | {part: getattr(self.layout, part) for part in sorted(read)}

    def head_rules(self, wildcards: Any) -> dict[str, str]:
        """Return how rows are blended; nothing where none are, so that such heads do not follow these keys."""
        return self.config["heads"] if blended(self.starts_of_heads(wildcards)) else {}

    def neighbour_rule(self, wildcards: Any) -> str:
        """Return the rule that chose K; nothing where every K is fixed."""
        chosen = any(fixed is None for _, fixed in blended(self.starts_of_heads(wildcards)))
        return self.config["neighbours"]["rule"] if chosen else ""

    # What tables and figures show.

    def histories(self, groups: Iterable[str], shots: int | None = None) -> list[str]:
        """Return the training histories of some groups, of all their shot counts or of one."""
        return self.of_runs("history", groups, shots)

    def of_runs(self, place: str, groups: Iterable[str], shots: int | None = None) -> list[str]:
        """Return what lies at a place for each job of fine-tuning, as `histories` does."""
        wanted = {
            (variant(self.groups[name]), count)
            for name in groups
            for count in (self.groups[name]["shots"] if shots is None else [shots])
        }
        return [
            self.layout.at(place, strategy=strategy, shots=count, seed=seed)
            for strategy, count in sorted(wanted)
            for seed in self.experiment.seeds
        ]

    def runs_of(self, groups: Iterable[str]) -> dict[str, list[str]]:
        """Return variant of a strategy -> the starts of its runs in some groups."""
        found: dict[str, list[str]] = {}
        for name in groups:
            starts = found.setdefault(variant(self.groups[name]), [])
            starts += [start for start in self.groups[name]["initialisations"] if start not in starts]
        return found

    def every_history(self) -> list[str]:
        """Return every history, also of groups that no table shows."""
        return self.histories(self.groups)

    def starts_shown(self, wildcards: Any) -> list[str]:
        """Return the starts compared, for a table or figure that shows them."""
        return self.starts_compared() if "starts" in entry_of(wildcards).reads else []

    def starts_compared(self) -> list[str]:
        """Return the starts that are compared before training."""
        return compared(self.config)["initialisations"]

    def explored_tables(self) -> list[str]:
        """Return the tables on the interactive page."""
        return ["table2", "starts"] if self.starts_compared() else ["table2"]

    def compared_starts(self) -> list[str]:
        """Return the scores of the starts that are compared before training."""
        chosen = compared(self.config)
        return [self.layout.at("starts", shots=n, seed=seed) for n in chosen["shots"] for seed in chosen["seeds"]]

    def explored_groups(self) -> list[str]:
        """Return the groups the interactive page shows: all with a strategy that the tables show."""
        strategies = {variant(self.groups[name]) for name in self.tables_groups}
        return [name for name, group in self.groups.items() if variant(group) in strategies]

    def result_inputs(self, reads: Iterable[str]) -> dict[str, list[str]]:
        """Return the files behind some parts of a table or a figure."""
        experiment, figures = self.experiment, self.config["figures"]
        found = {
            "history": lambda: {"history": self.histories(self.tables_groups)},
            "curves": lambda: {"history": self.histories(self.figures_groups, figures["shots"])},
            "sweep": lambda: {"sweep": experiment.for_seeds("sweep")},
            "neighbours": lambda: {"neighbours": experiment.for_seeds("neighbours")},
            "starts": lambda: {"starts": self.compared_starts()},
            "strategies": dict,
            "antialias": lambda: {"antialias": self.antialiased()},
            "consistency": lambda: {"consistency": self.of_runs("consistency", self.tables_groups)},
            "similarity": lambda: {"similarity": experiment.similarities()},
            "pictures": lambda: {"pictures": experiment.stores([self.example()]) + experiment.source_pictures()},
        }
        return {name: paths for part in reads for name, paths in found[part]().items()}

    def antialiased(self) -> list[str]:
        """Return what was measured of every way to anti-alias the source network, for every seed."""
        at, seeds = self.layout.at, self.experiment.seeds
        return [at("antialias", pupil=pupil, seed=seed) for pupil in pupils(self.config) for seed in seeds]

    def table_inputs(self, wildcards: Any) -> dict[str, list[str]]:
        """Return the files one table is made from."""
        return self.result_inputs(TABLES[wildcards.table].reads)

    def figure_inputs(self, wildcards: Any) -> dict[str, list[str]]:
        """Return the files one figure is drawn from."""
        return self.result_inputs(FIGURES[wildcards.figure].reads)

    def table_runs(self, wildcards: Any) -> dict[str, list[str]]:
        """Return the runs one table shows."""
        return self.runs_of(self.tables_groups if "history" in TABLES[wildcards.table].reads else [])

    def figure_runs(self, wildcards: Any) -> dict[str, list[str]]:
        """Return the runs one figure shows."""
        reads = FIGURES[wildcards.figure].reads
        groups = self.figures_groups if "curves" in reads else self.tables_groups if "history" in reads else []
        return self.runs_of(groups)

    def looks(self, runs: dict[str, list[str]]) -> dict[str, Any]:
        """Return how the runs and measures that a result shows are called and drawn."""
        names = [run_name(strategy, start) for strategy, starts in runs.items() for start in starts]
        names += self.starts_compared()
        return looks_of([*names, *self.experiment.measures])

    def table_looks(self, wildcards: Any) -> dict[str, Any]:
        """Return how what a table shows is called."""
        return self.looks(self.table_runs(wildcards))

    def figure_looks(self, wildcards: Any) -> dict[str, Any]:
        """Return how what a figure shows is called and drawn."""
        return self.looks(self.figure_runs(wildcards))

    def sweep_shots(self, wildcards: Any) -> int:
        """Return the training images per class behind a sweep; what shows none does not follow that key."""
        return self.config["neighbours"]["shots"] if "sweep" in entry_of(wildcards).reads else 0

    def example(self) -> str:
        """Return the target class of Figure 2."""
        return self.config["figures"]["example"] or self.config["tables"]["examples"][0]

    def examples(self) -> list[str]:
        """Return the target classes of Table 1."""
        return self.config["tables"]["examples"] or [self.example()]

    def sample(self) -> str:
        """Say on which images the visual similarity of Table 1 was measured, as a sentence."""
        shots, seed = self.config["neighbours"]["shots"], self.experiment.seeds[0]
        return f"Visual similarity: {shots} training images per class, seed {seed}."

    def published(self) -> list[str]:
        """Return the paper's tables, which stand beside ours."""
        folder = self.config["tables"]["published"]
        return [f"{folder}/{name}.csv" for name in PUBLISHED] if folder else []

    def tables(self) -> list[str]:
        """Return the files of all tables."""
        shown = results_shown(self.config, TABLES) + ([COSTS] if self.several else [])
        return [self.layout.at("table", table=table, form=form) for table in shown for form in TABLE_FORMS]

    def figures(self) -> list[str]:
        """Return the files of all figures."""
        shown = results_shown(self.config, FIGURES)
        return [self.layout.at("figure", figure=figure, form=form) for figure in shown for form in FIGURE_FORMS]


def entry_of(wildcards: Any) -> Result:
    """Return the table or figure that a rule's wildcards name."""
    word = getattr(wildcards, "table", None)
    return TABLES[word] if word else FIGURES[wildcards.figure]


def title(wildcards: Any) -> str:
    """Return what the report calls a table or a figure."""
    return entry_of(wildcards).title


def page_labels(wildcards: Any) -> dict[str, str]:
    """Return what the report calls a table to read."""
    return {"result": title(wildcards), "form": "page"}


def numbers_labels(wildcards: Any) -> dict[str, str]:
    """Return what the report calls a table to compute with."""
    return {"result": title(wildcards), "form": "numbers"}


def figure_labels(wildcards: Any) -> dict[str, str]:
    """Return what the report calls a figure."""
    return {"result": title(wildcards)}


def benchmarks_folder(wildcards: Any, output: Any) -> str:
    """Return where the jobs' times and memory are recorded; told from an output, as `training_state` is."""
    return str(Path(output.provenance).with_name("benchmarks"))


def benchmarks_beside(wildcards: Any, output: Any) -> str:
    """Return the same folder, told from a table."""
    return str(Path(output.csv).parents[1] / "benchmarks")
