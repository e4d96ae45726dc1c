"""The tables that the vocabulary names: what each is made from."""

from __future__ import annotations

import pandas as pd

from headstart.report.antialiasing import caption_antialias, lay_out_antialias, table_antialias
from headstart.report.claims import caption_claims, check_claims, lay_out_claims
from headstart.report.consistency import caption_consistency, lay_out_consistency, table_consistency
from headstart.report.own import remarks
from headstart.report.palette import style
from headstart.report.published import TABLE1, caption_beside, lay_out_beside, shows_published
from headstart.report.rendering import Table
from headstart.report.results import Results, label_of
from headstart.report.scores import caption, lay_out_table2, table2
from headstart.report.starts import (
    caption_measures,
    caption_starts,
    lay_out_measures,
    lay_out_starts,
    table_measures,
    table_starts,
)
from headstart.report.strategies import caption_strategies, lay_out_strategies, table_strategies
from headstart.report.tables import (
    caption_neighbours,
    lay_out_neighbours,
    lay_out_table1,
    table1,
    table_neighbours,
)
from headstart.vocabulary import TABLES, code_of

NEAREST = (
    "Nearest source class of some target classes under each measure, with its similarity; of equally similar sources "
    "the first in class order is named, and how many there are."
)
SEEDS = (
    "A seed changes training images, crops, dropout and random rows, never the test images; what depends on none of "
    "these shows ± 0.000."
)


def tabulate(name: str, results: Results) -> tuple[Table, str]:
    """Lay out a table by name, and say in its caption which classes are left out, if any, or are none of WordNet's."""
    table, text = code_of(TABLES[name].code)(results)
    return table, " ".join([text, *remarks(results.classes), *dropped(results)])


def dropped(results: Results) -> list[str]:
    """Name the target classes that were dropped for having too few images, in a sentence, or not at all."""
    audit = results.audit
    lost = audit[~audit["kept"]] if len(audit) else audit
    if not len(lost):
        return []
    named = "; ".join(f"{label_of(results.classes, str(wnid))} ({wnid})" for wnid in lost["wnid"])
    return [f"{len(audit) - len(lost)} of {len(audit)} target classes; dropped for too few images: {named}."]


def correspondences(results: Results) -> tuple[Table, str]:
    """Lay out Table 1, the nearest sources of some classes, and the paper's where it names any."""
    tidy = table1(results.examples, results.similarities, results.classes, results.published.get("table1"))
    papers = TABLE1 if "published_source" in tidy else ""
    return lay_out_table1(tidy), " ".join(filter(None, [NEAREST, results.sample, papers]))


def reduction(results: Results) -> tuple[Table, str]:
    """Lay out Table 2, First and Best against the number of training images, beside the paper's values if there are."""
    tidy = table2(results.history, results.beside())
    parts = [caption(tidy, results.rule), SEEDS, *rounded(results), *lonely(results), listed(results)]
    # Last, as the classes that were dropped are named next.
    parts.append(caption_beside(tidy, results.published.get("table2")))
    return (lay_out_beside if shows_published(tidy) else lay_out_table2)(tidy), " ".join(filter(None, parts))


def endings(results: Results) -> tuple[Table, str]:
    """Lay out what Table 2 leaves open: the last step, and a best step not chosen on the test images."""
    tidy = table2(results.history)
    columns = ("best", "final", "clean_best")
    parts = [caption(tidy, results.rule, columns), SEEDS, *rounded(results), *lonely(results), listed(results)]
    return lay_out_table2(tidy, columns), " ".join(filter(None, parts))


def rounded(results: Results) -> list[str]:
    """Say in which precision a GPU computed, in a sentence, nothing where all was real float32."""
    found = results.history.get("precision", pd.Series(dtype=str)).unique()
    return [f"Computed in {' and '.join(sorted(found))} on a GPU."] if set(found) - {"float32"} else []


def listed(results: Results) -> str:
    """Say how many of the images on published lists were found, nothing where no lists are used."""
    if "listed" not in results.audit:
        return ""
    found, wanted = (int(results.audit[column].sum()) for column in ("listed_found", "listed"))
    return f"{found:,} of {wanted:,} listed images were found."


def lonely(results: Results) -> list[str]:
    """Name the target classes to which a measure finds no source similar, a sentence for each such measure."""
    found = {
        measure: [label_of(results.classes, str(wnid)) for wnid in frame.index[~(frame > 0).any(axis=1)]]
        for measure, frame in results.similarities.items()
    }
    return [
        f"{style(measure).name} knows no source class similar to {'; '.join(labels)}: a random row there."
        for measure, labels in found.items()
        if labels
    ]


def chosen_neighbours(results: Results) -> tuple[Table, str]:
    """Lay out the K chosen by either rule."""
    tidy = table_neighbours(results.neighbours)
    return lay_out_neighbours(tidy), caption_neighbours(tidy)


def claims(results: Results) -> tuple[Table, str]:
    """Lay out the paper's claims and whether they hold here."""
    tidy = check_claims(results.history, results.sweep)
    return lay_out_claims(tidy), caption_claims(tidy)


def starts(results: Results) -> tuple[Table, str]:
    """Lay out every start before training, its differences to the references, and what training makes of it."""
    tidy = table_starts(results.starts, results.history)
    return lay_out_starts(tidy), " ".join([caption_starts(tidy), *lonely(results)])


def strategies(results: Results) -> tuple[Table, str]:
    """Lay out every strategy from every start, beside plain fine-tuning."""
    tidy = table_strategies(results.history)
    return lay_out_strategies(tidy), " ".join([caption_strategies(tidy), *rounded(results)])


def antialias(results: Results) -> tuple[Table, str]:
    """Lay out what anti-aliasing does to the source network, with and without knowledge transfer."""
    tidy = table_antialias(results.antialias)
    return lay_out_antialias(tidy), caption_antialias(tidy)


def consistency(results: Results) -> tuple[Table, str]:
    """Lay out F of every run beside its consistency under shifts."""
    tidy = table_consistency(results.history, results.consistency)
    return lay_out_consistency(tidy), caption_consistency(tidy)


def measures(results: Results) -> tuple[Table, str]:
    """Lay out which measure finds the best sources."""
    tidy = table_measures(results.sweep)
    return lay_out_measures(tidy), caption_measures(tidy, results.sweep_shots)
