"""What a person sees in the terminal when a run has ended: Table 2, and where the rest is."""

import csv
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

SCORES = {"first": "First", "best": "Best"}


def closing_words(folder: Path, configs: Sequence[str], values: Mapping[str, object] | None = None) -> str:
    """Return Table 2 as text, if it is there, and the places of tables, figures, page and report.

    Args:
        folder: `results/<experiment>`.
        configs: the config files named on the command line, which the report needs again.
        values: those named there with `--config`, likewise.
    """
    table, page = folder / "tables/table2.csv", folder / "tables/table2.md"
    shown = []
    if table.exists() and page.exists():
        shown = [text_table(table), page.read_text().split("\n\n", 1)[1]]
        shown += [f"paper    its values stand beside ours in {page}\n"] if beside(table) else []
    named = f" --configfile {' '.join(configs)}" if configs else ""
    if values:
        named += " --config " + " ".join(shlex.quote(f"{key}={value}") for key, value in values.items())
    report = f"report   snakemake --report {folder}/report.html{named}"
    places = {
        "tables": f"tables   {folder}/tables/",
        "figures": f"figures  {folder}/figures/",
        "explore.html": f"explore  {folder}/explore.html (open it in a browser)",
        "provenance.json": f"origin   {folder}/provenance.json\n{report}",
    }
    return "\n".join(["", *shown, *(text for name, text in places.items() if (folder / name).exists()), ""])


def beside(path: Path) -> bool:
    """Say whether Table 2 shows a value of the paper."""
    with path.open(newline="") as lines:
        return any(row.get(f"published_{score}") for row in csv.DictReader(lines) for score in SCORES)


def text_table(path: Path) -> str:
    """Lay Table 2 out for a terminal: a line per initialisation and score, a column per number of images."""
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    shots = sorted({int(row["shots"]) for row in rows}, reverse=True)
    cells = {(row["initialisation"], int(row["shots"])): row for row in rows}
    names = list(dict.fromkeys(row["initialisation"] for row in rows))
    width = max([20, *(len(name) + 1 for name in names)])
    head = f"{'macro F, images per class':<{width + 7}}" + "".join(f"{n:>16}" for n in shots)
    text = [head, "-" * len(head)]
    for name in names:
        for score, title in SCORES.items():
            values = [f"{cell(cells.get((name, n), {}), score):>16}" for n in shots]
            text.append(f"{name if score == 'first' else '':<{width}}{title:<7}" + "".join(values))
    return "\n".join([*text, ""])


def cell(row: Mapping[str, str], score: str) -> str:
    """Return mean and half width of one score, empty where there is none.

    >>> cell({"best": "0.51234", "best_half_width": "0.0312"}, "best"), cell({}, "best")
    ('0.512 ± 0.031', '')
    """
    if not row.get(score):
        return ""
    half_width = row[f"{score}_half_width"]
    return f"{float(row[score]):.3f}" + (f" ± {float(half_width):.3f}" if half_width else "")
