"""The names of starts, with their neighbours and rows, and of runs: a strategy with its options, and a start."""

import re
from collections.abc import Mapping
from typing import Any

from headstart.entries import Start
from headstart.vocabulary import PLAIN, ROWS, STRATEGIES, all_starts

BLEND = re.compile(r"(?P<word>[a-z][a-z0-9_]*)(-k(?P<K>[1-9][0-9]*))?(?P<rows>(-[a-z]+)*)")


def split_name(initialisation: str) -> tuple[str, int | None]:
    """Split the name of an initialisation into its word and its fixed number of neighbours, if it has one.

    >>> split_name("inference-k10"), split_name("random"), split_name("inference-centred")
    (('inference', 10), ('random', None), ('inference', None))
    """
    match = BLEND.fullmatch(initialisation)
    return (match["word"], int(match["K"]) if match["K"] else None) if match else (initialisation, None)


def rows_of(initialisation: str) -> list[str]:
    """Return the words of ROWS that an initialisation names.

    >>> rows_of("inference-k10-centred-unit"), rows_of("random")
    (['centred', 'unit'], [])
    """
    match = BLEND.fullmatch(initialisation)
    return match["rows"].split("-")[1:] if match else []


def read_start(initialisation: str) -> tuple[Start, int | None]:
    """Return the start that an initialisation names, and its fixed number of neighbours, if it has one.

    Raises ValueError where there is no such start, or one without neighbours to fix.

    >>> read_start("wordnet-k3")[0].label, read_start("wordnet-k3")[1]
    ('WordNet', 3)
    """
    if not re.fullmatch(start_pattern(), initialisation):
        added = "".join(f"[-{word}]" for word in ROWS)
        raise ValueError(
            f"unknown initialisation {initialisation!r}; use one of {', '.join(all_starts())}, or "
            f"<measure>[-k<K>]{added}"
        )
    word, fixed = split_name(initialisation)
    return all_starts()[word], fixed


def start_pattern() -> str:
    """Return the regular expression of all names of initialisations."""
    starts = all_starts()
    blended = "|".join(word for word, start in starts.items() if start.measure)
    plain = "|".join(word for word, start in starts.items() if not start.measure)
    return f"^({plain}|({blended})(-k[1-9][0-9]*)?{''.join(f'(-{word})?' for word in ROWS)})$"


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
