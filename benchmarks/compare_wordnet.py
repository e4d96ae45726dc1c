"""Wu-Palmer similarity: NLTK asked pair by pair against `measures.wupalmer`; the same bits, 500 times as fast.

`python benchmarks/compare_wordnet.py`, where WordNet 3.0 is installed; about a minute. The paper's 90 targets x 1000
sources are compared three times. The fast form always reads WordNet's files; NLTK finds its synsets ready, reads them
first, or is imported and reads them first (then the fast form's imports count, too; numpy and pandas, which the rule
needs anyway, are there before). 20,000 random pairs of all nouns are compared in 200 blocks of 10 x 10, each at once;
no ratio is asked of them. A differing bit or a ratio below the one asked ends in an error.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from comparison import Row, measure, report

Matrix = NDArray[np.float64]

CONFIG = Path(__file__).parent.parent / "config"
ASKED = 500


def read_wnids(name: str) -> list[str]:
    """Return the wnids of a class list."""
    return pd.read_csv(CONFIG / name, sep="\t")["wnid"].tolist()


def by_nltk(synsets: Mapping[str, Any], targets: Sequence[str], sources: Sequence[str]) -> Matrix:
    """Return the similarity of each target with each source, (T, S), asking NLTK for each pair."""
    asked = [synsets[source] for source in sources]
    return np.array([[synsets[target].wup_similarity(source) for source in asked] for target in targets])


def papers_matrix(folder: Path, plain_import: float, fast_import: float) -> list[Row]:
    """Compare both forms on the paper's 90 x 1000 classes."""
    from headstart.measures.hypernyms import read_hypernyms
    from headstart.measures.taxonomy import read_taxonomy
    from headstart.measures.wupalmer import wu_palmer

    targets, sources = read_wnids("targets/paper90.tsv"), read_wnids("sources/ilsvrc.tsv")
    fast, found = measure(lambda: wu_palmer(read_hypernyms(folder), targets, sources), 10)
    reading, synsets = measure(lambda: read_taxonomy(folder), 1)
    pairs, expected = measure(lambda: by_nltk(synsets, targets, sources), 1)
    assert np.array_equal(found, expected), f"{(found != expected).sum()} of {found.size} values differ from NLTK's"
    return [
        Row("90 x 1000, NLTK's synsets ready", pairs, fast, ASKED),
        Row("90 x 1000, with NLTK's reading", reading + pairs, fast, ASKED),
        Row("90 x 1000, with imports", plain_import + reading + pairs, fast_import + fast, ASKED),
    ]


def random_pairs(folder: Path) -> Row:
    """Compare both forms on 20,000 random pairs of all nouns, in blocks."""
    from headstart.measures.hypernyms import read_hypernyms
    from headstart.measures.taxonomy import read_taxonomy
    from headstart.measures.wupalmer import wu_palmer

    nouns, synsets = read_hypernyms(folder), read_taxonomy(folder)
    blocks = np.random.default_rng(0).choice(list(nouns), (200, 2, 10)).tolist()
    fast, found = measure(lambda: [wu_palmer(nouns, *block) for block in blocks], 1)
    plain, expected = measure(lambda: [by_nltk(synsets, *block) for block in blocks], 1)
    differ = (np.array(found) != np.array(expected)).sum()
    assert not differ, f"{differ} of 20000 random pairs differ from NLTK's"
    return Row("20,000 random pairs, in blocks", plain, fast, 0)


def main() -> bool:
    """Compare, print the table, and say whether the fast form is as fast as asked."""
    fast_import, _ = measure(lambda: import_module("headstart.measures.wupalmer"), 1)
    plain_import, taxonomy = measure(lambda: import_module("headstart.measures.taxonomy"), 1)
    with TemporaryDirectory() as folder:
        taxonomy.prepare_wordnet(taxonomy.find_wordnet(), Path(folder))
        rows = [*papers_matrix(Path(folder), plain_import, fast_import), random_pairs(Path(folder))]
    print("all bits equal")
    return report(rows)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
