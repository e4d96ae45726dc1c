"""Put the interactive page together: one file that holds its text, looks, numbers, pictures and code."""

from __future__ import annotations

import functools
import html
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import vl_convert

from headstart.data.images import PixelStore
from headstart.explorer.doubles import doubles_section
from headstart.explorer.facts import gather, labels, nearest_first, number
from headstart.explorer.specs import all_specs
from headstart.explorer.thumbnails import picture_classes
from headstart.jobs.files import replacing
from headstart.report.published import other_classes
from headstart.report.rendering import to_element
from headstart.report.results import Results
from headstart.report.scores import table2
from headstart.report.tabulation import tabulate

HERE = Path(__file__).parent
TEMPLATE, STYLE = "page.html", "page.css"
SCRIPTS = ("elements.js", "curves.js", "explorer.js", "listing.js", "heatmap.js", "start.js")
SCORES = ("first", "best")
# Bytes of the page; pictures fill what everything else leaves of it.
LIMIT = 4_900_000
STARTS = """
<section id="starts" aria-labelledby="starts-title">
  <h2 id="starts-title">Starts before any training</h2>
  <div class="scroll" tabindex="0" role="region" aria-label="Starts">
{}
  </div>
</section>
"""


def write_page(
    title: str,
    results: Results,
    runs: pd.DataFrame,
    sweep: pd.DataFrame,
    stores: Sequence[str | os.PathLike[str]],
    path: str | os.PathLike[str],
    doubles: pd.DataFrame | None = None,
) -> None:
    """Write the interactive page of an experiment, one file that needs no other.

    Args:
        title: the experiment's name.
        results: as for the tables.
        runs: histories of every group of the tables' strategy.
        sweep: the numbers of Figure 3.
        stores: pixel stores with pictures of target and source classes.
        path: of the page.
        doubles: pictures that come twice, as `data.doubles.find_doubles` gives them.
    """
    facts = gather(results, runs, sweep)
    facts["experiment"] = title
    facts["rule"] = results.rule
    tidy = table2(results.history, results.beside())
    facts["table2"], facts["papers"] = score_rows(tidy), papers_classes(tidy)
    facts["specs"] = all_specs(facts)
    tables = {"table2": to_element(*tabulate("table2", results)), "starts": starts_section(results)}
    targets = [target["wnid"] for target in facts["targets"]]
    store = PixelStore([Path(one) for one in stores])
    if doubles is not None:
        tables["doubles"] = doubles_section(doubles, labels(results.classes, targets), store)
    left = LIMIT - len(fill(facts | {"pictures": {}}, tables).encode())
    facts["pictures"] = picture_classes(store, targets, nearest_first(facts), left)
    with replacing(path) as partial:
        partial.write_text(fill(facts, tables), encoding="utf-8")


def starts_section(results: Results) -> str:
    """Return the table of starts as a section of the page; nothing where none are compared."""
    if results.starts.empty:
        return ""
    return STARTS.format(to_element(*tabulate("starts", results)))


def papers_classes(tidy: pd.DataFrame) -> str:
    """Return over how many classes the paper's values are means, in brackets, where ours are over another number."""
    beside = "published_classes" in tidy
    return other_classes(int(tidy["classes"].iloc[0]), int(tidy["published_classes"].iloc[0])) if beside else ""


def score_rows(tidy: pd.DataFrame) -> list[dict[str, Any]]:
    """Return Table 2 as rows of a chart: a score of an initialisation at a number of images, and the paper's value."""
    rows = []
    for row in tidy.to_dict("records"):
        for score in SCORES:
            rows.append(
                {
                    "score": score,
                    "look": row["initialisation"],
                    "shots": int(row["shots"]),
                    "mean": number(row[score]),
                    "half_width": number(row[f"{score}_half_width"]),
                    "hollow": number(row[f"published_{score}"]),
                }
            )
    return rows


def fill(facts: Mapping[str, Any], tables: Mapping[str, str]) -> str:
    """Fill the template with facts, tables as HTML by their place, style sheet, scripts and the charts' library."""
    scripts = "\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    parts = {
        "title": html.escape(facts["experiment"]),
        "style": (HERE / STYLE).read_text(encoding="utf-8"),
        "doubles": "",
        **tables,
        "facts": as_json(facts),
        "library": closed(library()),
        "script": closed(scripts),
    }
    pieces = (HERE / TEMPLATE).read_text(encoding="utf-8").split("{{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, rest = piece.split("}}", 1)
        filled += [parts[name], rest]
    return "".join(filled)


@functools.cache
def library() -> str:
    """Return the JavaScript that draws charts: Vega, Vega-Lite and Vega-Embed in one script."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


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
