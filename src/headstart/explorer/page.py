"""Put the interactive page together: one file that holds its text, its looks, its numbers, its pictures and its code."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import vl_convert

from headstart.explorer.facts import gather, nearest_first, number
from headstart.explorer.specs import all_specs
from headstart.explorer.thumbnails import picture_classes
from headstart.files import replacing
from headstart.images import PixelStore
from headstart.palette import style
from headstart.rendering import to_element
from headstart.results import Results
from headstart.tables import score_text, table2
from headstart.tabulation import tabulate

HERE = Path(__file__).parent
TEMPLATE, STYLE = "page.html", "page.css"
SCRIPTS = ("elements.js", "curves.js", "explorer.js", "listing.js", "heatmap.js", "start.js")
SCORES = ("first", "best")


def write_page(
    title: str,
    results: Results,
    runs: pd.DataFrame,
    sweep: pd.DataFrame,
    stores: Sequence[str | os.PathLike[str]],
    path: str | os.PathLike[str],
) -> None:
    """Write the interactive page of an experiment, one file that needs no other.

    Args:
        title: the experiment's name.
        results: as for the tables.
        runs: histories of every group of the tables' strategy.
        sweep: the numbers of Figure 3.
        stores: pixel stores with pictures of target and source classes.
        path: of the page.
    """
    facts = gather(results, runs, sweep)
    facts["experiment"] = title
    facts["rule"] = results.rule
    facts["table2"] = score_rows(results)
    wnids = [target["wnid"] for target in facts["targets"]]
    facts["pictures"] = picture_classes(PixelStore([Path(store) for store in stores]), wnids, nearest_first(facts))
    facts["specs"] = all_specs(facts)
    with replacing(path) as partial:
        partial.write_text(fill(facts, to_element(*tabulate("table2", results))), encoding="utf-8")


def score_rows(results: Results) -> list[dict[str, Any]]:
    """Return Table 2 as rows of a chart: a score of an initialisation at a number of images, and the paper's value."""
    rows = []
    for row in table2(results.history, results.beside()).to_dict("records"):
        for score in SCORES:
            mean, half = row[score], number(row[f"{score}_half_width"])
            rows.append(
                {
                    "score": score,
                    "look": row["initialisation"],
                    "name": style(row["initialisation"]).name,
                    "x": int(row["shots"]),
                    "mean": number(mean),
                    "low": None if half is None else number(mean - half),
                    "high": None if half is None else number(mean + half),
                    "text": score_text(pd.Series(row), score, digits=3),
                    "hollow": number(row[f"published_{score}"]),
                }
            )
    return rows


def fill(facts: Mapping[str, Any], table: str) -> str:
    """Fill the template with facts, Table 2 as HTML, style sheet, scripts and the library that draws charts."""
    library = vl_convert.javascript_bundle()
    scripts = "\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    parts = {
        "title": html.escape(facts["experiment"]),
        "style": (HERE / STYLE).read_text(encoding="utf-8"),
        "table2": table,
        "facts": as_json(facts),
        "library": closed(library),
        "script": closed(scripts),
    }
    pieces = (HERE / TEMPLATE).read_text(encoding="utf-8").split("{{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, rest = piece.split("}}", 1)
        filled += [parts[name], rest]
    return "".join(filled)


def as_json(facts: Mapping[str, Any]) -> str:
    """Return facts as JSON that cannot end the element which holds it.

    >>> as_json({"name": "</script>"})
    '{"name":"\\\\u003c/script>"}'
    """
    text = json.dumps(facts, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def closed(script: str) -> str:
    """Return a script in which nothing reads as the end of the element that holds it.

    >>> closed("'</script>'")
    "'<\\\\/script>'"
    """
    return script.replace("</script", "<\\/script")
