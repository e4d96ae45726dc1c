"""Map names of classes to synsets: every sense goes into a table, with the reason for the one that counts.

Rows of a class that is in the table already are never written again.

Letters in shapes: S source classes.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from headstart.jobs.files import replacing
from headstart.measures.choices import ABSENT, COLUMNS, Row
from headstart.measures.hypernyms import read_hypernyms
from headstart.measures.senses import Nouns, Sense
from headstart.measures.wupalmer import wu_palmer

UNKNOWN = "no noun of WordNet is called so"
# Senses whose scores differ by less look alike, and the more frequent one counts.
ALIKE = 0.01


def write_choices(rows: Iterable[Row], path: str | os.PathLike[str]) -> None:
    """Write the table."""
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, delimiter="\t", lineterminator="\n", extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)


def settled(rows: Iterable[Row], nouns: Nouns | None) -> list[Row]:
    """Return the rows that stay: all but those written when there was no WordNet, once there is one."""
    return [row for row in rows if nouns is None or row["why"] != ABSENT]


def several(names: Iterable[str], rows: Iterable[Row], nouns: Nouns | None) -> dict[str, list[Sense]]:
    """Return name -> senses of the classes that are not in the table yet and have more than one."""
    known = {row["class"] for row in rows}
    found = {name: nouns.senses(name) for name in names if name not in known} if nouns else {}
    return {name: senses for name, senses in found.items() if len(senses) > 1}


def seen_senses(
    looks: Mapping[str, NDArray[Any]],
    senses: Mapping[str, Sequence[Sense]],
    sources: Sequence[str],
    taxonomy: Sequence[str],
) -> dict[str, list[float]]:
    """Return name -> how near each of its senses is to what its images look like.

    That is the Wu-Palmer similarity of the sense with a source class, averaged over the sources with the probabilities
    that the network gives them for these images.

    Args:
        looks: name -> these probabilities, (S,).
        senses: name -> its senses.
        sources: wnids of the S source classes.
        taxonomy: paths of WordNet's files, none where there is none.
    """
    if not looks:
        return {}
    hypernyms = read_hypernyms(taxonomy[0])
    return {
        name: (wu_palmer(hypernyms, [sense.wnid for sense in senses[name]], sources) @ seen).tolist()
        for name, seen in looks.items()
    }


def propose(
    names: Sequence[str], rows: Sequence[Row], nouns: Nouns | None, seen: Mapping[str, list[float]]
) -> list[Row]:
    """Return the table: the rows that are there, then all senses of the classes that are not.

    Args:
        names: of all classes.
        rows: those that stay.
        nouns: None where WordNet is not installed.
        seen: name -> score of each of its senses, for names with several.
    """
    known = {row["class"] for row in rows}
    return [*rows, *(row for name in names if name not in known for row in rows_of(name, nouns, seen.get(name, [])))]


def rows_of(name: str, nouns: Nouns | None, scores: Sequence[float]) -> list[Row]:
    """Return the rows of one class, one of them with a reason."""
    senses = nouns.senses(name) if nouns else []
    if not senses:
        return [{"class": name, "wnid": "", "gloss": "", "why": UNKNOWN if nouns else ABSENT}]
    best = next((at for at, score in enumerate(scores) if score >= max(scores) - ALIKE), 0)
    why = "its only sense" if len(senses) == 1 else reason(scores, best)
    return [
        {"class": name, "wnid": one.wnid, "gloss": f"{one.lemmas}: {one.gloss}", "why": why if at == best else ""}
        for at, one in enumerate(senses)
    ]


def reason(scores: Sequence[float], best: int) -> str:
    """Say why a sense was chosen among several.

    >>> reason([0.31, 0.62, 0.3], best=1)
    'of 3 senses the nearest to what its images look like (0.62, next 0.31)'
    """
    following = max(score for at, score in enumerate(scores) if at != best)
    among = f"of {len(scores)} senses"
    if following >= scores[best] - ALIKE:
        return f"{among} the most frequent; its images do not tell it from the next ({following:.2f})"
    return f"{among} the nearest to what its images look like ({scores[best]:.2f}, next {following:.2f})"
