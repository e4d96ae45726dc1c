"""Say what was found in a folder of one's own, and what follows from it (`make plan`)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from headstart.measures.choices import ABSENT
from pipeline.config.own import senses_found
from pipeline.config.survey import Survey, survey

WIDTH = 100
SHOWN = 12


def found_lines(config: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines on a folder's classes, and on what was chosen for them.

    Args:
        config: with defaults.
        asked: the groups as written, before starts were left out.
    """
    found, images = survey(config["images"]["folder"]), config["images"]
    yield f"FOUND  in {images['folder']}"
    for one in found.classes[:SHOWN]:
        yield f"  {one.name:<30}{pictures(one.pictures):<32}{meaning(config, one.name)}".rstrip()
    if len(found.classes) > SHOWN:
        yield f"  and {len(found.classes) - SHOWN} more"
    yield from aside(found)
    share = f"{images['test_share']:.0%} test" if images["test_share"] else f"up to {images['test']} test"
    numbers = f"{share}, up to {images['validation']} validate, {images['train']} or more train"
    told = ", as the folders say" if found.parted else ""
    yield from wrapped(f"of each class {numbers}{told}; damaged, tiny and double pictures are counted and left out")
    for name, group in config["groups"].items():
        yield f"  group {name}: {', '.join(group['initialisations'])}; n = {', '.join(map(str, group['shots']))}"
        lost = [start for start in asked[name]["initialisations"] if start not in group["initialisations"]]
        if lost:
            yield f"    left out: {', '.join(lost)} ({reason(config)})"
    yield from wrapped(
        f"what names mean is written to {config['classes']['targets']}, with every sense; edit it and run again"
    )


def pictures(counts: Mapping[str, int]) -> str:
    """Write the number of pictures of a class, by part where there are parts.

    >>> pictures({"": 20}), pictures({"train": 9, "test": 3})
    ('20 pictures', '9 train, 3 test')
    """
    return f"{counts['']} pictures" if "" in counts else ", ".join(f"{count} {part}" for part, count in counts.items())


def meaning(config: Mapping[str, Any], name: str) -> str:
    """Say how many senses the name of a class has, or which was chosen already."""
    chosen, senses = senses_found(config).get(name, ("", []))
    if chosen:
        return chosen
    return {0: "no synset", 1: "one sense"}.get(len(senses), f"{len(senses)} senses")


def reason(config: Mapping[str, Any]) -> str:
    """Say why starts were left out."""
    words = [] if config["wordvectors"]["path"] else ["there are no word vectors"]
    if not config["classes"]["taxonomy"]:
        words.append(ABSENT)
    elif not any(chosen or senses for chosen, senses in senses_found(config).values()):
        words.append("no class has a synset")
    return ", ".join(words)


def aside(found: Survey) -> Iterator[str]:
    """Yield a line on files that belong to no class."""
    if found.aside:
        yield from wrapped(f"{len(found.aside)} files lie in no class and are left aside, first {found.aside[0]}")


def wrapped(text: str) -> Iterator[str]:
    """Yield a line for a terminal, or as many as it takes."""
    yield from textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
