"""Add to the interactive page, for some target images, the source images that look most like them."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from headstart.data.images import PixelStore
from headstart.explorer.additions import add_section, as_many
from headstart.explorer.facts import labels
from headstart.explorer.thumbnails import thumbnail

# Bytes of the page with these pictures; what the model gets wrong may still come after them.
LIMIT = 4_960_000
# Target images, source images of each, and pixels of a picture's side.
SHOWN, NEAREST, SIDE = 12, 6, 64


def add_selected(
    page: str,
    described: pd.DataFrame,
    nearest: np.ndarray,
    classes: pd.DataFrame,
    store: PixelStore,
    examples: Sequence[str] = (),
) -> str:
    """Return the page with a section on one target image of each class and its nearest source images.

    Args:
        page: from `explorer.page.write_page`.
        described: the images (columns name, role), first the targets (N), then the sources.
        nearest: of each target image the places of its nearest sources among the sources, (N, K).
        classes: all of them (columns wnid, lemmas).
        store: their pictures.
        examples: wnids of the classes that come first.

    Raises:
        ValueError: a page that has no place for the section.
    """
    called = labels(classes, list(classes["wnid"]))
    targets, sources = (list(described.loc[described["role"] == role, "name"]) for role in ("target", "source"))
    found = (
        _row([targets[row], *(sources[place] for place in nearest[row, :NEAREST])], called, store)
        for row in _chosen(targets, examples)
    )
    section = _section(as_many(found, page, LIMIT), len(targets))
    return add_section(page, "selected", "Selected sources", section)


def _chosen(targets: Sequence[str], examples: Sequence[str]) -> Iterator[int]:
    """Yield the rows of the first image of each class, the examples first."""
    first: dict[str, int] = {}
    for row, name in enumerate(targets):
        first.setdefault(_wnid(name), row)
    order = [*(wnid for wnid in examples if wnid in first), *(wnid for wnid in first if wnid not in examples)]
    yield from (first[wnid] for wnid in order[:SHOWN])


def _section(rows: Sequence[str], images: int) -> str:
    body = "".join(rows)
    return (
        '<section id="selected" aria-labelledby="selected-title">\n'
        '  <h2 id="selected-title">Source images selected for target images</h2>\n'
        f'  <p class="hint">Joint fine-tuning trains on source images that filters answer to as they do to a target '
        f"image, the nearest first. {len(rows)} of {images} target images are shown, "
        f"with {NEAREST} source images at most.</p>\n"
        '  <div class="scroll" tabindex="0" role="region" aria-label="Selected source images"><table>\n'
        '    <thead><tr><th scope="col">Target image</th><th scope="col">Class</th>'
        f'<th scope="col" colspan="{NEAREST}">Nearest source images</th></tr></thead>\n'
        f"    <tbody>\n{body}    </tbody>\n  </table></div>\n</section>"
    )


def _row(names: Sequence[str], called: Mapping[str, str], store: PixelStore) -> str:
    target, *sources = ((_picture(name, store), html.escape(_label(name, called))) for name in names)
    cells = [f"<td>{target[0]}</td><td>{target[1]}</td>"]
    cells += [f'<td>{picture}<br><span class="faint">{label}</span></td>' for picture, label in sources]
    return f"    <tr>{''.join(cells)}</tr>\n"


def _picture(name: str, store: PixelStore) -> str:
    src = thumbnail(store.pixels(name), SIDE)
    return f'<img class="picture" src="{src}" width="{SIDE}" height="{SIDE}" alt="{html.escape(name)}">'


def _label(name: str, called: Mapping[str, str]) -> str:
    """Call a picture by the first lemma of its class."""
    return called.get(_wnid(name), _wnid(name)).partition(",")[0]


def _wnid(name: str) -> str:
    return name.partition("_")[0]
