"""Which runs a config asks for: a run is (strategy, start, shots, seed), and a group is a selection of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headstart.entries import Result
from headstart.finetuning.rounds import most_neighbours
from headstart.naming import complete, rows_of, split_name, variant_of
from headstart.vocabulary import KERNELS, MEASURES, ROWS, STRATEGIES, all_starts

Groups = Mapping[str, Mapping[str, Any]]


def variant(group: Mapping[str, Any]) -> str:
    """Return the name of a group's strategy with its options.

    >>> variant({"strategy": "l2sp", "options": {"alpha": 1}})
    'l2sp,alpha=1'
    """
    return variant_of(group["strategy"], group["options"])


def variants(groups: Groups) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return variant -> strategy and all its options, for every group."""
    return {
        variant(group): (group["strategy"], complete(group["strategy"], group["options"])) for group in groups.values()
    }


def most_of(strategy: str, options: Mapping[str, Any]) -> int:
    """Return how many nearest source images of a target image a strategy may use, 0 for none."""
    if "nearest" not in STRATEGIES[strategy].reads:
        return 0
    return most_neighbours(options["neighbours"], options["rounds"])


def most_nearest(groups: Groups) -> list[int]:
    """Return what `most_of` says of each strategy that uses any, the most first."""
    return sorted({most_of(*one) for one in variants(groups).values()} - {0}, reverse=True)


def cells(groups: Groups) -> dict[tuple[str, int], list[str]]:
    """Return (variant, shots) -> the starts that any group wants there, each once.

    >>> one = {"strategy": "finetune", "options": {}, "initialisations": ["random", "wordnet"], "shots": [1, 5]}
    >>> cells({"a": one, "b": one | {"initialisations": ["wordnet-k1", "random"], "shots": [5]}})
    {('finetune', 1): ['random', 'wordnet'], ('finetune', 5): ['random', 'wordnet', 'wordnet-k1']}
    """
    found: dict[tuple[str, int], list[str]] = {}
    for group in groups.values():
        for shots in group["shots"]:
            found.setdefault((variant(group), shots), []).extend(group["initialisations"])
    return {cell: in_order(starts) for cell, starts in sorted(found.items())}


def heads(config: Mapping[str, Any]) -> dict[tuple[int, int], list[str]]:
    """Return (shots, seed) -> the starts that any strategy wants there, or that are compared before training."""
    first = compared(config)
    found: dict[tuple[int, int], list[str]] = {}
    wanted = [(shots, config["seeds"], starts) for (_, shots), starts in cells(config["groups"]).items()]
    wanted += [(shots, first["seeds"], first["initialisations"]) for shots in first["shots"]]
    for shots, seeds, starts in wanted:
        for seed in seeds:
            found.setdefault((shots, seed), []).extend(starts)
    return {draw: in_order(starts) for draw, starts in sorted(found.items())}


def compared(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return initialisations, shots and seeds of the starts compared before training, empty lists for none."""
    return config["starts"] or {"initialisations": [], "shots": [], "seeds": []}


def named(config: Mapping[str, Any]) -> list[str]:
    """Return every initialisation that a group names or that is compared before training."""
    groups = config["groups"].values()
    return in_order(
        [*(name for group in groups for name in group["initialisations"]), *compared(config)["initialisations"]]
    )


def in_order(initialisations: Iterable[str]) -> list[str]:
    """Return the distinct names in the vocabulary's order, a fixed K after the chosen one."""
    order = list(all_starts())

    def place(name: str) -> tuple[int, int, list[int]]:
        word, fixed = split_name(name)
        return order.index(word), fixed or 0, [list(ROWS).index(one) for one in rows_of(name)]

    return sorted(set(initialisations), key=place)


def measure_of(initialisation: str) -> str:
    """Return the measure by which a start blends rows, "" for none.

    >>> measure_of("wordnet-k1"), measure_of("random")
    ('wordnet', '')
    """
    return all_starts()[split_name(initialisation)[0]].measure


def used_measures(config: Mapping[str, Any]) -> list[str]:
    """Return the measures that some group starts from, or a start compared, in their fixed order."""
    used = {measure_of(name) for name in named(config)}
    return [measure for measure in MEASURES if measure in used]


def kernels(config: Mapping[str, Any]) -> list[str]:
    """Return the kernels that can say what classes mean: those of the config whose table or word vectors there are."""
    vectors = config["wordvectors"]["path"] or config["images"]["drawn"]
    there = {"taxonomy": True, "vectors": bool(vectors), "table": bool(config["semantics"]["table"])}
    return [word for word in config["semantics"]["kernels"] if all(there[part] for part in KERNELS[word].reads)]


def reads(config: Mapping[str, Any], part: str) -> bool:
    """Say whether anything that is used looks at this (`vectors`, `taxonomy`, `images`, `semantic`)."""
    starts = all_starts()
    used = {split_name(name)[0] for name in named(config)}
    found = {one for word in used for one in starts[word].reads}
    found |= {one for measure in used_measures(config) for one in MEASURES[measure].reads}
    if "semantic" in found:
        found |= {one for word in kernels(config) for one in KERNELS[word].reads}
    return part in found


def model_groups(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the groups whose runs are candidates for the model, with its shot count and their candidates alone.

    A strategy that does not share the trunk alters the network, and no library could load it.
    """
    shots, found = model_shots(config), {}
    for name, group in config["groups"].items():
        if "trunk" not in STRATEGIES[group["strategy"]].reads:
            continue
        starts = [start for start in group["initialisations"] if config["model"]["start"] in (None, start)]
        if config["model"]["group"] in (None, name) and starts and shots in group["shots"]:
            found[name] = {**group, "initialisations": starts, "shots": [shots]}
    return found


def model_shots(config: Mapping[str, Any]) -> int:
    """Return the training images per class of the model: those asked for, or the most of any candidate."""
    wanted, first = config["model"], compared(config)
    if wanted["shots"]:
        return wanted["shots"]
    groups = [group for name, group in config["groups"].items() if wanted["group"] in (None, name)]
    trained = [n for group in groups if wanted["start"] in (None, *group["initialisations"]) for n in group["shots"]]
    return max(trained or first["shots"], default=0)


def untrained(config: Mapping[str, Any]) -> list[str]:
    """Return the starts compared before training that are candidates for the model, as they are, trained or not.

    They are where they are compared with as many images, for every seed of the trainings.
    """
    wanted, first = config["model"], compared(config)
    there = model_shots(config) in first["shots"] and set(config["seeds"]) <= set(first["seeds"])
    if wanted["group"] or not there:
        return []
    return [name for name in first["initialisations"] if wanted["start"] in (None, name)]


def pupils(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return variant -> all options of the ways to anti-alias that are tried on the source task, none where none is."""
    wanted = (config["antialias"] or {}).get("runs", [])
    return {variant_of("ktft", options): complete("ktft", options) for options in wanted}


def shown_groups(config: Mapping[str, Any], section: str) -> list[str]:
    """Return the groups that `tables` or `figures` show.

    >>> shown_groups({"tables": {"group": "main"}}, "tables"), shown_groups({"tables": {"group": ["a", "b"]}}, "tables")
    (['main'], ['a', 'b'])
    """
    named = config[section]["group"]
    return [named] if isinstance(named, str) else list(named)


def several_strategies(config: Mapping[str, Any]) -> bool:
    """Say whether the tables show more than one strategy, so that there is something to compare."""
    return len({variant(config["groups"][name]) for name in shown_groups(config, "tables")}) > 1


def results_shown(config: Mapping[str, Any], table: Mapping[str, Result]) -> list[str]:
    """Return the tables or figures that a config has: those of starts and strategies only where these are compared."""
    there = {"starts": bool(config["starts"]), "strategies": several_strategies(config)}
    there |= dict.fromkeys(("antialias", "consistency"), bool(config["antialias"]))
    return [word for word, entry in table.items() if all(there.get(part, True) for part in entry.reads)]
