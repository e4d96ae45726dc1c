"""Write a table as CSV, HTML, Markdown and LaTeX."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import pandas as pd

from headstart.jobs.files import replacing, write_table

MARKDOWN_SIGNS = re.compile(r"([\\`*_\[\]<>|#~])")
LATEX_SIGNS = {
    "\\": r"\textbackslash{}",
    **{sign: "\\" + sign for sign in "{}$&#_%"},
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "−": "$-$",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
}
# More columns than this do not fit a line of text unscaled.
LATEX_COLUMNS = 7
STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --faint: #767676; --rule: #d5d5d5; --page: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --faint: #999999; --rule: #3d3d3d; --page: #161616; } }
body { margin: 1.5rem; color: var(--ink); background: var(--page); font: 15px/1.45 system-ui, sans-serif; }
div { overflow-x: auto; }
table { border-collapse: collapse; border-bottom: 1.5px solid var(--ink); font-variant-numeric: tabular-nums; }
caption { text-align: left; max-width: 50rem; padding-bottom: .8rem; }
th, td { padding: .3rem .7rem; text-align: right; white-space: nowrap; }
th { font-weight: 600; }
th.text, td.text { text-align: left; }
thead tr:first-child th { border-top: 1.5px solid var(--ink); }
thead tr:last-child th { border-bottom: 1px solid var(--ink); }
th[colspan] { text-align: center; border-bottom: 1px solid var(--rule); }
tbody tr + tr > * { border-top: 1px solid var(--rule); }
tbody th { font-weight: normal; }
small { color: var(--faint); font-size: .85em; }
td.wrap { white-space: normal; min-width: 18rem; }
"""


@dataclass(frozen=True)
class Table:
    """A table as data and as read.

    Args:
        tidy: one row per fact, full precision; becomes the CSV.
        cells: the text of each cell; the first column names the row, columns have one or two levels.
        bold: True where a cell is set in bold; same shape as `cells`, or None.
        text: the columns of `cells`, by place, that hold words and not numbers.

    Raises ValueError where `bold` has another shape than `cells`.
    """

    tidy: pd.DataFrame
    cells: pd.DataFrame
    bold: pd.DataFrame | None = None
    text: frozenset[int] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        """Refuse marks that do not fit the cells."""
        if self.bold is not None and self.bold.shape != self.cells.shape:
            raise ValueError(f"bold marks have shape {self.bold.shape}, the cells {self.cells.shape}; make them equal")

    def header(self) -> list[list[tuple[str, int]]]:
        """The one or two rows of column names, each name with the number of columns it spans.

        Only the upper of two rows joins equal neighbours.
        """
        names = [name if isinstance(name, tuple) else (name,) for name in self.cells.columns]
        *upper, lowest = ([str(part) for part in row] for row in zip(*names, strict=True))
        joined = [[(name, len(list(run))) for name, run in groupby(row)] for row in upper]
        return [*joined, [(name, 1) for name in lowest]]

    def flat_header(self) -> list[str]:
        """One name for every column, its levels put together."""
        names = [name if isinstance(name, tuple) else (name,) for name in self.cells.columns]
        return [" ".join(dict.fromkeys(str(part) for part in name if part)) for name in names]

    def rows(self) -> list[list[tuple[str, bool]]]:
        """Every cell as text with its bold mark, row by row."""
        texts = self.cells.astype(str).to_numpy().tolist()
        marks = self.bold.to_numpy().tolist() if self.bold is not None else [[False] * len(row) for row in texts]
        return [list(zip(*pair, strict=True)) for pair in zip(texts, marks, strict=True)]


def escape_markdown(text: str) -> str:
    """Take the meaning from Markdown's signs.

    >>> print(escape_markdown("a|b *c*"))
    a\\|b \\*c\\*
    """
    return MARKDOWN_SIGNS.sub(r"\\\1", text).replace("\n", " ")


def escape_latex(text: str) -> str:
    """Take the meaning from LaTeX's signs, and write the few others that plain LaTeX lacks.

    >>> print(escape_latex("5 % of {a_b} ± 1"))
    5 \\% of \\{a\\_b\\} $\\pm$ 1
    """
    return "".join(LATEX_SIGNS.get(sign, sign) for sign in text)


def to_html(table: Table, caption: str) -> str:
    """The table as a page of its own, readable on a light and on a dark screen."""
    title = html.escape(caption.split(". ")[0])
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<div>\n{to_element(table, caption)}\n</div>\n</body>\n</html>\n"
    )


def to_element(table: Table, caption: str) -> str:
    """The table as an element of an HTML page."""
    head = "\n".join(f"<tr>{_html_header(row, table.text)}</tr>" for row in table.header())
    body = "\n".join(f"<tr>{_html_row(row, table.text)}</tr>" for row in table.rows())
    return (
        f"<table>\n<caption>{html.escape(caption)}</caption>\n"
        f"<thead>\n{head}\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )


def _html_header(row: list[tuple[str, int]], text: frozenset[int]) -> str:
    cells, place = [], 0
    for name, width in row:
        scope = f' colspan="{width}" scope="colgroup"' if width > 1 else ' scope="col"'
        kind = ' class="text"' if width == 1 and (place == 0 or place in text) else ""
        cells.append(f"<th{scope}{kind}>{html.escape(name)}</th>")
        place += width
    return "".join(cells)


def _html_row(row: list[tuple[str, bool]], text: frozenset[int]) -> str:
    cells = [f'<th scope="row" class="text">{_html_cell(*row[0])}</th>']
    for place, (value, bold) in enumerate(row[1:], start=1):
        wrap = " wrap" if len(value) > 40 else ""
        kind = f' class="text{wrap}"' if place in text else ""
        cells.append(f"<td{kind}>{_html_cell(value, bold)}</td>")
    return "".join(cells)


def _html_cell(value: str, bold: bool) -> str:
    mean, sign, half_width = html.escape(value).partition(" ± ")
    mean = f"<strong>{mean}</strong>" if bold else mean
    return f"{mean} <small>± {half_width}</small>" if sign else mean


def to_markdown(table: Table, caption: str) -> str:
    """The table in the pipe form of GitHub; two levels of column names are put into one."""
    names = table.flat_header()
    rules = [":--" if place == 0 or place in table.text else "--:" for place in range(len(names))]
    lines = [[escape_markdown(name) for name in names], rules]
    lines += [[_markdown_cell(*cell) for cell in row] for row in table.rows()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + f"\n\n{escape_markdown(caption)}\n"


def _markdown_cell(value: str, bold: bool) -> str:
    return f"**{escape_markdown(value)}**" if bold else escape_markdown(value)


def to_latex(table: Table, caption: str) -> str:
    """The table as a LaTeX float; it needs no package, except graphicx where many columns must fit the line."""
    width = table.cells.shape[1]
    columns = "".join("l" if place == 0 or place in table.text else "r" for place in range(width))
    head = [_latex_header(row) + r" \\" for row in table.header()]
    body = [" & ".join(_latex_cell(*cell) for cell in row) + r" \\" for row in table.rows()]
    tabular = [f"\\begin{{tabular}}{{{columns}}}", r"\hline", *head, r"\hline", *body, r"\hline", r"\end{tabular}"]
    if width > LATEX_COLUMNS:
        tabular = [r"% \usepackage{graphicx}", r"\resizebox{\linewidth}{!}{%", *tabular[:-1], tabular[-1] + "}"]
    opening = [r"\begin{table}", r"\centering\small", f"\\caption{{{escape_latex(caption)}}}"]
    return "\n".join([*opening, *tabular, r"\end{table}", ""])


def _latex_header(row: list[tuple[str, int]]) -> str:
    return " & ".join(
        escape_latex(name) if width == 1 else f"\\multicolumn{{{width}}}{{c}}{{{escape_latex(name)}}}"
        for name, width in row
    )


def _latex_cell(value: str, bold: bool) -> str:
    mean, sign, half_width = value.partition(" ± ")
    text = f"\\textbf{{{escape_latex(mean)}}}" if bold else escape_latex(mean)
    return f"{text} {{\\footnotesize $\\pm$ {escape_latex(half_width)}}}" if sign else text


WRITERS: dict[str, Callable[[Table, str], str]] = {".html": to_html, ".md": to_markdown, ".tex": to_latex}


def write_all(table: Table, caption: str, paths: Iterable[str | os.PathLike[str]]) -> None:
    """Write the table to every path, in the form of its suffix: .csv, .html, .md or .tex.

    The CSV holds the tidy numbers; the others the table as read, with its caption. Raises ValueError for another
    suffix, before anything is written.
    """
    wanted = [Path(path) for path in paths]
    unknown = [str(path) for path in wanted if path.suffix not in (".csv", *WRITERS)]
    if unknown:
        raise ValueError(f"cannot write a table to {', '.join(unknown)}; use .csv, {', '.join(WRITERS)}")
    for path in wanted:
        if path.suffix == ".csv":
            write_table(table.tidy, path)
        else:
            with replacing(path) as partial:
                partial.write_text(WRITERS[path.suffix](table, caption), encoding="utf-8")
