"""Every word stands for code that is there; what others read off the words follows from the tables."""

import re

import pytest

from headstart import vocabulary
from headstart.entries import Measure
from headstart.naming import read_start, start_pattern, variant_of
from headstart.vocabulary import (
    FIGURES,
    MEASURES,
    STARTS,
    STRATEGIES,
    TABLES,
    all_starts,
    code_of,
    codes,
)


@pytest.mark.parametrize("table", [MEASURES, all_starts(), STRATEGIES, TABLES, FIGURES])
def test_every_word_names_code_that_can_be_called(table):
    for word, entry in table.items():
        assert callable(code_of(entry.code)), word
        assert re.fullmatch("[a-z][a-z0-9_]*", word)


def test_every_measure_is_a_start_between_random_and_the_others():
    assert list(all_starts()) == ["random", *MEASURES, *list(STARTS)[1:]]
    assert list(MEASURES) == ["inference", "wordnet", "word2vec", "path", "lch", "res", "lin", "jcn", "meaning", "soft"]


def test_a_new_measure_is_a_start_with_and_without_a_fixed_k_at_once(monkeypatch):
    monkeypatch.setitem(MEASURES, "shared", Measure("S", "measures.similarity:measure_wordnet", reads=("taxonomy",)))
    start, fixed = read_start("shared-k3")
    assert (start.measure, fixed) == ("shared", 3)
    assert re.search(start_pattern(), "shared") and re.search(start_pattern(), "shared-k10")


def test_labels_and_titles_are_told_apart():
    for table in (MEASURES, all_starts(), STRATEGIES):
        labels = [entry.label for entry in table.values()]
        assert len(set(labels)) == len(labels)
    titles = [entry.title for entry in (*TABLES.values(), *FIGURES.values())]
    assert len(set(titles)) == len(titles)


def test_what_an_entry_reads_is_known():
    known = {"images", "taxonomy", "vectors", "counts", "semantic"}
    assert {part for measure in MEASURES.values() for part in measure.reads} <= known
    assert {part for strategy in STRATEGIES.values() for part in strategy.reads} <= {
        *("trunk", "features", "sources", "nearest"),
    }


def test_a_variant_tells_the_options_that_are_no_defaults_in_one_order():
    assert variant_of("l2sp", {"beta": 2, "alpha": 1}) == variant_of("l2sp", {"alpha": 1, "beta": 2})
    assert variant_of("l2sp", {"beta": 2, "alpha": 1}) == "l2sp,alpha=1,beta=2"
    assert variant_of("l2sp", {"alpha": STRATEGIES["l2sp"].options["alpha"]["default"]}) == "l2sp"


def test_codes_are_each_named_once():
    assert codes(all_starts(), ["wordnet", "inference"]) == [vocabulary.BLENDED]
