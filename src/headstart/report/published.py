"""The paper's values beside ours: Table 2 with both, the points that figures mark, and what is said about them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from headstart.report.palette import style
from headstart.report.rendering import Table
from headstart.report.scores import COLUMNS, is_best, score_text

SCORES = ("first", "best")
# The paper prints two decimals; a difference from them has no more.
DIGITS = 2
SOURCE = "Pascal, Bost, Huet (2019)"
TABLE1 = f"Paper: the sources in Table 1 of {SOURCE}."


def other_classes(ours: int, papers: int) -> str:
    """What to add to a name of the paper's values where ours are means over another number of classes.

    >>> other_classes(90, 90), other_classes(88, 90)
    ('', ' (90 classes)')
    """
    return "" if ours == papers else f" ({papers} classes)"


def place_beside(
    plotted: pd.DataFrame, published: pd.DataFrame | None, shots: int, by: str, scores: Sequence[str] = SCORES
) -> pd.DataFrame:
    """Add the paper's values for one number of images, in columns `published_<score>` and `published_classes`.

    Args:
        plotted: what a figure shows.
        published: columns shots, initialisation, first, best, classes; or None.
        shots: training images per class behind `plotted`.
        by: the column of `plotted` that names initialisations.
        scores: those of first and best that the figure shows.

    Returns:
        `plotted` as it was where the paper has none of these initialisations at that number of images.
    """
    if published is None:
        return plotted
    papers = published[published["shots"] == shots].set_index("initialisation")
    if not papers.index.isin(plotted[by]).any():
        return plotted
    values = {f"published_{score}": plotted[by].map(papers[score]) for score in scores}
    return plotted.assign(**values, published_classes=int(papers["classes"].iloc[0]))


def shows_published(tidy: pd.DataFrame) -> bool:
    """Say whether a frame of `tables.table2` holds any value of the paper."""
    return bool(tidy[[f"published_{score}" for score in SCORES]].notna().any(axis=None))


def lay_out_beside(tidy: pd.DataFrame, digits: int = 3) -> Table:
    """Table 2 with the paper's values: rows = images per class, falling, and initialisation; First, then Best.

    Of each score ours, the paper's and the difference ours - paper; the best of ours at each number of images in
    bold. Where ours are means over fewer classes than the paper's, the names of the columns say so.
    """
    ours, papers = int(tidy["classes"].iloc[0]), int(tidy["published_classes"].iloc[0])
    words = (f"Ours{other_classes(papers, ours)}", f"Paper{other_classes(ours, papers)}", "Difference")
    names = [("", "Images per class"), ("", "Initialisation")]
    names += [(COLUMNS[score], word) for score in SCORES for word in words]
    rows, bold = [], []
    for shots, group in tidy.sort_values("shots", ascending=False, kind="stable").groupby("shots", sort=False):
        for place, (_, row) in enumerate(group.iterrows()):
            head = [f"{shots}" if place == 0 else "", style(row["initialisation"]).name]
            rows.append(head + [text for score in SCORES for text in _beside_texts(row, score, digits)])
            best = [is_best(group, row["shots"], row[score], score, digits) for score in SCORES]
            bold.append([False, False, best[0], False, False, best[1], False, False])
    columns = pd.MultiIndex.from_tuples(names)
    return Table(tidy, pd.DataFrame(rows, columns=columns), pd.DataFrame(bold, columns=columns), text=frozenset({1}))


def _beside_texts(row: pd.Series, score: str, digits: int) -> tuple[str, str, str]:
    ours = score_text(row, score, digits)
    if pd.isna(row[f"published_{score}"]):
        return ours, "–", "–"
    # Adding 0 makes a difference that rounds to -0 a plain 0.
    difference = round(float(row[f"difference_{score}"]), DIGITS) + 0
    return ours, f"{row[f'published_{score}']:.{DIGITS}f}", f"{difference:+.{DIGITS}f}".replace("-", "−")


def caption_beside(tidy: pd.DataFrame, published: pd.DataFrame | None) -> str:
    """Say where the paper's values in Table 2 come from, over how many classes they are means, or why none show.

    Args:
        tidy: the frame of `tables.table2`.
        published: the paper's table whether it shows or not; None where the experiment names none.
    """
    if published is None:
        return ""
    ours, papers = int(tidy["classes"].iloc[0]), int(published["classes"].iloc[0])
    if not shows_published(tidy) and "published_classes" in tidy:
        return f"{SOURCE} has no values for these initialisations at these numbers of images per class."
    if not shows_published(tidy):
        return f"The paper's values are means over {papers} classes and are left out beside means over {ours}."
    text = f"Paper: the values of Table 2 of {SOURCE}, one run, two decimals."
    if ours == papers:
        return text
    return (
        f"{text} Means over {ours} of the paper's {papers} classes beside the paper's means over all {papers}: "
        "not the same quantity."
    )
