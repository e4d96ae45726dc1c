"""Say what classes of one's own are: by the synsets chosen for their names, where there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from headstart.measures.hypernyms import Node, look_up, read_hypernyms
from headstart.measures.senses import Nouns

COLUMNS = ["wnid", "role", "index", "type", "lemmas", "gloss", "related", "synset"]
UNKNOWN = "No synset: WordNet says nothing of it."


def describe_own(
    targets: Sequence[tuple[str, str]], chosen: Mapping[str, str], sources: Sequence[str], wordnet: Sequence[str]
) -> pd.DataFrame:
    """Describe all classes as `taxonomy.describe` does, with a further column: synset, empty for sources.

    A target that is itself a source class is `included`, with itself as the source that makes it so; one without a
    synset counts as `disjoint`, since no source is known to be above or below it.

    Args:
        targets: key and name of each class.
        chosen: name -> wnid, "" for none.
        sources: wnids.
        wordnet: paths of WordNet's files, none where it is not installed.

    Raises ValueError for wnids that WordNet does not have.
    """
    ordered = sorted(sources)
    hypernyms = read_hypernyms(wordnet[0]) if wordnet else {}
    synsets = [chosen.get(name, "") if wordnet else "" for _, name in targets]
    said = labels_of([*ordered, *filter(None, synsets)], wordnet) | {"": ("", UNKNOWN)}
    rows = [(wnid, "source", at, "", *said[wnid], "", "") for at, wnid in enumerate(ordered)]
    for at, ((key, name), synset) in enumerate(zip(targets, synsets, strict=True)):
        kind, related = relation(hypernyms, synset, ordered)
        rows.append((key, "target", at, kind, name, said[synset][1], " ".join(related), synset))
    return pd.DataFrame(rows, columns=COLUMNS)


def relation(hypernyms: Mapping[str, Node], wnid: str, sources: Sequence[str]) -> tuple[str, list[str]]:
    """Return the type of a class of one's own, and the sources that make it so.

    >>> animals = {"n1": Node("animal.n.01", ()), "n2": Node("cat.n.01", ("n1",)), "n3": Node("dog.n.01", ("n1",))}
    >>> relation(animals, "n2", ["n2", "n3"]), relation(animals, "n1", ["n3"]), relation(animals, "", ["n3"])
    (('included', ['n2']), ('inclusive', ['n3']), ('disjoint', []))
    """
    if not wnid:
        return "disjoint", []
    over = [source for source in sources if source in above(hypernyms, wnid)]
    # PAPER: no class of its has sources both above and below; where one has, those above count, without asking.
    kind, related = ("included", over) if over else ("inclusive", [s for s in sources if wnid in above(hypernyms, s)])
    return (kind, [wnid] if wnid in related else related) if related else ("disjoint", [])


def above(hypernyms: Mapping[str, Node], wnid: str) -> set[str]:
    """Return the wnids at and above a synset."""
    found, todo = set(), [wnid]
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += hypernyms[one].parents if one in hypernyms else ()
    return found


def labels_of(wnids: Sequence[str], wordnet: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return wnid -> words and gloss: from WordNet, where it is not installed from timm's list of ImageNet's classes.

    Raises ValueError for wnids that WordNet does not have.
    """
    if wordnet:
        nouns = Nouns(Path(wordnet[0]).parent)
        found = {wnid: sense for wnid in wnids if (sense := nouns.sense(wnid))}
        return {sense.wnid: (sense.lemmas, sense.gloss) for sense in look_up(found, wnids)}
    from timm.data import ImageNetInfo

    listed = ImageNetInfo("imagenet-22k")
    known = {*wnids} & {*listed.label_names()}
    texts = {wnid: listed.label_name_to_description(wnid, detailed=True) for wnid in known}
    parts = {wnid: texts.get(wnid, wnid).partition(": ") for wnid in wnids}
    return {wnid: (words, gloss) for wnid, (words, _, gloss) in parts.items()}
