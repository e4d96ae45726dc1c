"""What tables say of classes of one's own: which are source classes themselves, and which have no synset."""

from __future__ import annotations

import pandas as pd


def remarks(classes: pd.DataFrame) -> list[str]:
    """Return a sentence for each of the two, nothing for classes that are named by wnids.

    >>> remarks(pd.DataFrame({"wnid": ["m4"], "role": ["target"], "lemmas": ["screw M4"], "synset": [""]}))
    ['No class has a synset of WordNet, so there is no start by a measure that needs one.']
    """
    if "synset" not in classes:
        return []
    targets = classes[classes["role"] == "target"]
    synsets = targets["synset"].fillna("")
    sources = set(classes.loc[classes["role"] == "source", "wnid"])
    same, without = (list(targets.loc[which, "lemmas"]) for which in (synsets.isin(sources), synsets == ""))
    said = []
    if same:
        said.append(f"Source classes themselves, which start from their own row by every measure: {'; '.join(same)}.")
    if len(without) == len(targets):
        said.append("No class has a synset of WordNet, so there is no start by a measure that needs one.")
    elif without:
        said.append(f"Without a synset, so that WordNet says nothing of them: {'; '.join(without)}.")
    return said
