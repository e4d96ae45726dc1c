"""The part of the page on pictures that come twice; plain HTML, and nothing at all where there are none."""

from __future__ import annotations

import html
from collections.abc import Mapping

import pandas as pd

from headstart.data.images import PixelStore
from headstart.explorer.thumbnails import thumbnail

SHOWN = 24
KINDS = {"same": "the same picture in two classes", "near": "nearly the same picture in training and test"}


def doubles_section(doubles: pd.DataFrame, labels: Mapping[str, str], store: PixelStore) -> str:
    """Return the section of the page, "" where no picture comes twice.

    Args:
        doubles: of `data.doubles.find_doubles`.
        labels: what classes are called, by wnid.
        store: the pictures.
    """
    if doubles.empty:
        return ""
    counts = "; ".join(f"{KINDS[kind]}: {count}" for kind in KINDS if (count := int((doubles["kind"] == kind).sum())))
    # Those that make labels wrong come first.
    shown = doubles.sort_values("kind", key=lambda kinds: kinds != "same", kind="stable").head(SHOWN)
    rows = "\n".join(_row(row, labels, store) for row in shown.to_dict("records"))
    more = "" if len(doubles) <= SHOWN else f" The first {SHOWN} are shown; doubles.csv has all."
    return f"""

<section id="doubles" aria-labelledby="doubles-title">
  <h2 id="doubles-title">Pictures that come twice</h2>
  <p class="hint">Pairs of {html.escape(counts)}. The first make labels wrong, the others scores too good.{more}</p>
  <div class="scroll" tabindex="0" role="region" aria-label="Pictures that come twice"><table>
    <thead><tr><th scope="col">Picture</th><th scope="col">Class</th><th scope="col">Its double</th>
      <th scope="col">Class</th></tr></thead>
    <tbody>
{rows}
    </tbody>
  </table></div>
</section>"""


def _row(row: Mapping[str, str], labels: Mapping[str, str], store: PixelStore) -> str:
    cells = []
    for name, wnid, part in (("name", "wnid", "part"), ("twin", "twin_wnid", "twin_part")):
        text, label = html.escape(row[name]), html.escape(f"{labels.get(row[wnid], row[wnid])} ({row[part]})")
        src = thumbnail(store.pixels(row[name]))
        cells.append(f'<td><img class="picture" src="{src}" width="96" height="96" alt="{text}"></td><td>{label}</td>')
    return f"    <tr>{''.join(cells)}</tr>"
