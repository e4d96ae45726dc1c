"""Put sections into the interactive page that is there already."""

from __future__ import annotations

import os
from collections.abc import Iterable

from headstart.jobs.files import replacing

# What stands in the page before each addition.
LAST_LINK = '<li><a href="#heatmap">Similarity</a></li>'
END, HEAD = "\n</main>", "</head>"


def add_section(page: str, link: str, title: str, section: str, style: str = "") -> str:
    """Return the page with a section at its end, a link to it, and the style that it wants.

    Args:
        page: from `explorer.page.write_page`.
        link: id of the section.
        title: of the link.

    Raises:
        ValueError: a page that has no place for the section.
    """
    added = {
        LAST_LINK: f'{LAST_LINK}\n    <li><a href="#{link}">{title}</a></li>',
        END: f"\n{section}\n{END}",
    }
    if style:
        added[HEAD] = f"<style>\n{style}</style>\n{HEAD}"
    for place, more in added.items():
        if place not in page:
            raise ValueError(f"the page has no {place.strip()!r}, so nothing can be added there; build it again")
        page = page.replace(place, more, 1)
    return page


def as_many(pieces: Iterable[str], page: str, limit: int) -> list[str]:
    """Return the first pieces, as many as keep the page below a limit in bytes.

    >>> as_many(["ab", "cd", "ef"], page="12345", limit=9)
    ['ab', 'cd']
    """
    found, spent = [], len(page.encode())
    for piece in pieces:
        spent += len(piece.encode())
        if spent > limit:
            break
        found.append(piece)
    return found


def write_html(page: str, path: str | os.PathLike[str]) -> None:
    """Write a page."""
    with replacing(path) as partial:
        partial.write_text(page, encoding="utf-8")
