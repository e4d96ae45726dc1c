"""Add the pictures that the model gets wrong to the interactive page; their classes open in its explorer."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from headstart.data.images import PixelStore
from headstart.explorer.additions import add_section, as_many
from headstart.explorer.thumbnails import SIDE, thumbnail

HERE = Path(__file__).parent
STYLE = "mistakes.css"
# Bytes of the page with the pictures, and pictures at most.
LIMIT, SHOWN = 4_990_000, 60


def add_mistakes(
    page: str, images: pd.DataFrame, card: Mapping[str, Any], stores: Sequence[str | os.PathLike[str]]
) -> str:
    """Return the page with a section on the test images that the model calls something else, the surest first.

    Args:
        page: from `explorer.page.write_page`.
        images: of the test, with what the model says (columns name, wnid, true, class, probability).
        card: the model's.
        stores: pixel stores with these images.

    Raises:
        ValueError: a page that has no place for the section.
    """
    wrong = images[images["true"] != images["class"]].sort_values("probability", ascending=False, kind="stable")
    wnids = {one["name"]: one["wnid"] for one in card["classes"]}
    store = PixelStore([Path(path) for path in stores])
    found = (
        _item(row, wnids[row["class"]], thumbnail(store.pixels(row["name"])))
        for row in wrong.head(SHOWN).to_dict("records")
    )
    section = _section(as_many(found, page, LIMIT), len(wrong), len(images), card["chosen"])
    return add_section(page, "mistakes", "Wrong pictures", section, (HERE / STYLE).read_text(encoding="utf-8"))


def _section(items: Sequence[str], wrong: int, images: int, chosen: Mapping[str, Any]) -> str:
    trained = f"trained for {chosen['step']} steps" if chosen["step"] else "not trained at all"
    model = html.escape(f"{chosen['label']}, {trained}, {chosen['shots']} images per class, seed {chosen['seed']}")
    some = f" The {len(items)} surest are shown." if len(items) < wrong else " The surest come first."
    rest = f"{some} A name opens its class above." if wrong else ""
    body = f'<ul class="mistakes">\n{"".join(items)}</ul>\n' if items else ""
    return (
        '<section id="mistakes" aria-labelledby="mistakes-title">\n'
        '  <h2 id="mistakes-title">Pictures the model gets wrong</h2>\n'
        f'  <p class="hint">The model to take home ({model}) calls {wrong} of {images} test pictures something else.'
        f"{rest}</p>\n{body}</section>"
    )


def _item(row: Mapping[str, Any], called: str, picture: str) -> str:
    true, other = html.escape(row["true"]), html.escape(row["class"])
    return (
        f'<li><img class="picture" src="{picture}" width="{SIDE}" height="{SIDE}" '
        f'alt="Test picture {html.escape(row["name"])}"><p><a href="#{row["wnid"]}">{true}</a>'
        f'<span class="faint"> called </span><a href="#{called}">{other}</a> '
        f'<span class="faint">{row["probability"]:.2f}</span></p></li>\n'
    )
