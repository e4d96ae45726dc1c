"""The page's charts as Vega-Lite specifications: curves of F against a number, for a light and for a dark page.

The page feeds every chart its rows, in a data set named `rows`: look (initialisation or measure), name, x, mean, low,
high, text, and where they are to be marked filled and hollow (heights or null).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt

from headstart.report.charts import round_numbers

THEMES = {
    "light": {"ink": "#1c1c1c", "faint": "#5f6368", "rule": "#e4e6e9", "page": "#ffffff"},
    "dark": {"ink": "#e8e8e8", "faint": "#a3a8ad", "rule": "#33373b", "page": "#1a1c1e"},
}
# matplotlib's markers by the names of Vega, or as paths in a square from -1 to 1 where it has none.
SHAPES = {
    **{"o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "X": "cross"},
    **{"v": "triangle-down", "<": "triangle-left", ">": "triangle-right"},
    "d": "M0,-1L.5,0L0,1L-.5,0Z",
    "p": "M0,-1L.95,-.31L.59,.81L-.59,.81L-.95,-.31Z",
    "h": "M0,-1L.87,-.5L.87,.5L0,1L-.87,.5L-.87,-.5Z",
    "H": "M-1,0L-.5,-.87L.5,-.87L1,0L.5,.87L-.5,.87Z",
    "P": "M-.35,-1L.35,-1L.35,-.35L1,-.35L1,.35L.35,.35L.35,1L-.35,1L-.35,.35L-1,.35L-1,-.35L-.35,-.35Z",
    "8": "M-.4,-1L.4,-1L1,-.4L1,.4L.4,1L-.4,1L-1,.4L-1,-.4Z",
    "*": "M0,-1L.22,-.31L.95,-.31L.36,.12L.59,.81L0,.38L-.59,.81L-.36,.12L-.95,-.31L-.22,-.31Z",
    "+": "M-.12,-1L.12,-1L.12,-.12L1,-.12L1,.12L.12,.12L.12,1L-.12,1L-.12,.12L-1,.12L-1,-.12L-.12,-.12Z",
    "|": "M-.15,-1L.15,-1L.15,1L-.15,1Z",
    "1": "M-.12,0L-.12,1L.12,1L.12,0L.93,-.4L.81,-.6L0,-.14L-.81,-.6L-.93,-.4Z",
    "2": "M-.12,0L-.12,-1L.12,-1L.12,0L.93,.4L.81,.6L0,.14L-.81,.6L-.93,.4Z",
    "_": "M-1,-.15L1,-.15L1,.15L-1,.15Z",
}
HEIGHT = 230
LINE = 2
FONT = "system-ui, sans-serif"
# So much an interval may add to the height of an axis; what is beyond is cut, as few seeds have wide intervals.
ROOM = 0.1


def all_specs(facts: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return theme -> chart -> specification of every kind of chart on the page."""
    last = max(facts["steps"])
    largest = max((row["K"] for row in facts["sweep"]), default=2)
    steps = {"title": "Optimiser step", "scale": alt.Scale(type="symlog", constant=1, domain=[0, max(last, 1)])}
    steps["ticks"] = [0, *round_numbers(last)]
    Ks = {"title": "Source neighbours K", "scale": alt.Scale(type="log", domain=[1, max(largest, 2)])}
    Ks["ticks"] = round_numbers(largest, few=100)
    shots = {"title": "Training images per class", "ticks": facts["shots"]}
    shots["scale"] = alt.Scale(type="log", domain=[min(facts["shots"]), max(*facts["shots"], min(facts["shots"]) + 1)])
    macro = ceiling(value for shown in facts["macro"].values() for part in shown.values() for value in heights(part))
    points = [
        value for row in facts["table2"] for value in (height(row["mean"], row["half_width"]), row["hollow"] or 0)
    ]
    before = ceiling(height(row["mean"], row["half_width"]) for row in facts["sweep"])
    return {
        theme: {
            "macro": curves(facts["looks"], theme, steps, "Macro F", macro),
            "class": curves(facts["looks"], theme, steps, "F of this class", 1.0),
            "neighbours": curves(facts["looks"], theme, Ks, "Macro F before training", before, markers=False),
            "shots": curves(facts["looks"], theme, shots, "Macro F", ceiling(points)),
        }
        for theme in THEMES
    }


def heights(curve: Sequence[Any]) -> list[float]:
    """Return how high the points of one curve (means, half widths) want their axis to be."""
    return [height(mean, half) for mean, half in zip(*curve, strict=True)]


def height(mean: float | None, half: float | None) -> float:
    """Return how high a mean with its interval wants the axis to be.

    >>> height(0.5, 0.05), height(0.5, 1.2), height(0.5, None)
    (0.55, 0.6, 0.5)
    """
    return (mean or 0) + min(half or 0, ROOM)


def ceiling(values: Iterable[float]) -> float:
    """Return where an axis of scores ends: a tenth at or above the highest value, 1 at most.

    >>> ceiling([0.31, 0.52]), ceiling([1.2]), ceiling([])
    (0.6, 1.0, 1.0)
    """
    highest = max(values, default=1.0)
    return min(1.0, max(0.1, math.ceil(10 * highest) / 10))


def curves(
    looks: Mapping[str, Mapping[str, Any]],
    theme: str,
    x: Mapping[str, Any],
    y: str,
    top: float,
    markers: bool = True,
) -> dict[str, Any]:
    """Return a chart of curves with bands, whose nearest point tells its numbers.

    Args:
        looks: name -> colours, dashes and marker.
        theme: of `THEMES`.
        x: title, scale and ticks of the horizontal axis.
        y: title of the vertical axis, which runs from 0 to `top`.
        markers: whether every point is marked, or only the one that is pointed at.
    """
    page = THEMES[theme]["page"]
    vertical = alt.Scale(domain=[0, top], clamp=True)
    base = alt.Chart(alt.NamedData("rows")).encode(
        x=alt.X("x:Q", title=x["title"], scale=x["scale"], axis=alt.Axis(values=x["ticks"], format=",d")),
        color=alt.Color("look:N", legend=None, scale=by_look(looks, [one[theme] for one in looks.values()])),
    )
    band = base.mark_area(opacity=0.14, clip=True).transform_filter("isValid(datum.low)")
    line = base.mark_line(strokeWidth=LINE).encode(
        y=alt.Y("mean:Q", title=y, scale=vertical),
        strokeDash=alt.StrokeDash(
            "look:N",
            legend=None,
            scale=by_look(looks, [[LINE * part for part in one["dashes"]] for one in looks.values()]),
        ),
    )
    pointed = alt.selection_point(on="pointerover", clear="pointerout", nearest=True, empty=False)
    fills = [page if one["hollow"] else one[theme] for one in looks.values()]
    shape = alt.Shape(
        "look:N", legend=None, scale=by_look(looks, [SHAPES[str(one["marker"])] for one in looks.values()])
    )
    points = base.mark_point(size=38, opacity=1).encode(
        y=alt.Y("mean:Q", title=y, scale=vertical),
        shape=shape,
        fill=alt.Fill("look:N", legend=None, scale=by_look(looks, fills)),
        size=alt.condition(pointed, alt.value(130), alt.value(38)),
        opacity=alt.value(1) if markers else alt.condition(pointed, alt.value(1), alt.value(0)),
        tooltip=alt.value(alt.ExprRef(told(x["title"]))),
    )
    layers = [
        band.encode(y=alt.Y("low:Q", title=y, scale=vertical), y2="high:Q"),
        line,
        *(mark(base, shape, vertical, y, kind) for kind in ("hollow", "filled")),
        points.add_params(pointed),
    ]
    chart = alt.layer(*layers).properties(width="container", height=HEIGHT).configure(**config(theme))
    spec = chart.to_dict()
    del spec["$schema"]  # an address that nothing here needs
    return spec


def told(x: str) -> str:
    """Return the expression of what a point tells when it is pointed at."""
    # The nearest point is found by cells around all points. There the row is `datum.datum`, which Vega-Lite's own list
    # of fields forgets for words.
    row = "(datum.datum || datum)"
    return f"{{'Start': {row}.name, {json.dumps(x)}: format({row}.x, ',d'), 'F': {row}.text}}"


def mark(base: alt.Chart, shape: alt.Shape, vertical: alt.Scale, y: str, kind: str) -> alt.Chart:
    """Return the marks at the heights named `hollow` (large) or `filled`."""
    style = {"size": 170, "strokeWidth": 1.6} if kind == "hollow" else {"size": 70, "filled": True}
    marks = base.mark_point(opacity=1, **style).transform_filter(f"isValid(datum.{kind})")
    return marks.encode(y=alt.Y(f"{kind}:Q", title=y, scale=vertical), shape=shape)


def by_look(looks: Mapping[str, Any], values: Sequence[Any]) -> alt.Scale:
    """Return a scale that gives every look its value."""
    return alt.Scale(domain=list(looks), range=list(values))


def config(theme: str) -> dict[str, Any]:
    """Return the colours and sizes of axes on a page of this theme."""
    colours = THEMES[theme]
    axis = {
        "labelColor": colours["faint"],
        "titleColor": colours["faint"],
        "titleFontWeight": "normal",
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titlePadding": 8,
        "gridColor": colours["rule"],
        "domain": False,
        "ticks": False,
        "labelPadding": 6,
        "labelOverlap": True,
        "labelFlush": False,
    }
    return {
        "background": "transparent",
        "font": FONT,
        "axis": axis,
        "axisX": {"grid": False},
        "axisY": {"tickCount": 5, "format": ".1f"},
        "view": {"stroke": None},
        "aria": False,
    }
