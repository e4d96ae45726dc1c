"""The names of runs: a strategy with its options, and a start."""

from collections.abc import Mapping
from typing import Any

from headstart.vocabulary import PLAIN, STRATEGIES


def complete(strategy: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of a strategy, defaults where nothing is given.

    >>> complete("l2sp", {"alpha": 1})
    {'alpha': 1, 'beta': 0.01}
    """
    return {name: options.get(name, one["default"]) for name, one in STRATEGIES[strategy].options.items()}


def variant_of(strategy: str, options: Mapping[str, Any]) -> str:
    """Name a strategy with the options that are not its defaults, as in paths and tables.

    >>> variant_of("l2sp", {"alpha": 1, "beta": 0.01}), variant_of("finetune", {})
    ('l2sp,alpha=1', 'finetune')
    """
    known = STRATEGIES[strategy].options
    changed = [f"{name}={value}" for name, value in sorted(options.items()) if value != known[name]["default"]]
    return ",".join([strategy, *changed])


def label_of_variant(variant: str) -> str:
    """Return what a strategy with its options is called.

    >>> label_of_variant("l2sp,alpha=1")
    'L2-SP (alpha = 1)'
    """
    word, *changed = variant.split(",")
    options = ", ".join(part.replace("=", " = ") for part in changed)
    return STRATEGIES[word].label + (f" ({options})" if options else "")


def run_name(strategy: str, initialisation: str) -> str:
    """Name runs of one strategy and start; the paper's strategy is left unsaid.

    >>> run_name("finetune", "random"), run_name("l2sp", "inference-k1")
    ('random', 'inference-k1+l2sp')
    """
    return initialisation if strategy == PLAIN else f"{initialisation}+{strategy}"


def split_run(name: str) -> tuple[str, str]:
    """Return strategy and start of runs named by `run_name`.

    >>> split_run("inference-k1+l2sp")
    ('l2sp', 'inference-k1')
    """
    initialisation, _, strategy = name.partition("+")
    return strategy or PLAIN, initialisation
