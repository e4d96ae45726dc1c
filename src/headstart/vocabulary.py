"""The names of initialisations: a word, and for some a fixed number of neighbours."""

import re

FIXED_K = re.compile(r"(?P<word>[a-z0-9]+)-k(?P<K>[1-9][0-9]*)")


def split_name(initialisation: str) -> tuple[str, int | None]:
    """Split the name of an initialisation into its word and its fixed number of neighbours, if it has one.

    >>> split_name("inference-k10"), split_name("random")
    (('inference', 10), ('random', None))
    """
    match = FIXED_K.fullmatch(initialisation)
    return (match["word"], int(match["K"])) if match else (initialisation, None)
