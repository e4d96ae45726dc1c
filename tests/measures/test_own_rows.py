"""Classes of one's own among the measures: without a synset, and source classes themselves."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from headstart.heads.starts import HeadInputs, initialise
from headstart.measures.hypernyms import COLUMNS
from headstart.measures.material import Material, measured, measured_on, with_own_rows
from headstart.measures.similarity import measure_wordnet
from headstart.report.own import remarks

SOURCES = pd.DataFrame({"wnid": ["n00000002", "n00000003"], "lemmas": ["dog", "cat"]})
TARGETS = pd.DataFrame({"wnid": ["a-1", "b-2", "c-3"], "lemmas": ["screw", "cats", "pet"],
                        "synset": ["", "n00000003", "n00000004"]})  # fmt: skip


@pytest.fixture
def material(tmp_path):
    tree = [("1", "animal", ""), ("2", "dog", "n00000001"), ("3", "cat", "n00000001"), ("4", "pet", "n00000002")]
    rows = [(f"n0000000{number}", f"{name}.n.01", parent, name, "x") for number, name, parent in tree]
    table = tmp_path / "made.tsv"
    table.write_text("\n".join("\t".join(row) for row in [tuple(COLUMNS), *rows]) + "\n")
    return Material(targets=TARGETS, sources=SOURCES, taxonomy=str(table))


def test_a_class_without_synset_is_unknown_and_a_source_class_is_like_itself_alone(material):
    found = measured(measure_wordnet, ("taxonomy",), material)
    assert np.isnan(found[0]).all()
    assert found[1].tolist() == [0.0, 1.0]
    assert 0 < found[2, 1] < found[2, 0]
    known = measured(measure_wordnet, ("taxonomy",), replace(material, targets=TARGETS[2:]))
    np.testing.assert_array_equal(found[2:], known)  # nothing depends on who else is there


def test_without_any_synset_nothing_is_read(material):
    empty = replace(material, targets=TARGETS.assign(synset=""), taxonomy="gone.tsv")
    assert np.isnan(measured(measure_wordnet, ("taxonomy",), empty)).all()


def test_other_measures_keep_what_they_say_of_the_others(material):
    plain = np.arange(6.0).reshape(3, 2)
    for found in (measured(lambda _: plain, ("images",), material), measured_on(lambda _: plain, material, None, None)):
        assert found.tolist() == [[0.0, 1.0], [0.0, 1.0], [4.0, 5.0]]
    assert plain[1].tolist() == [2.0, 3.0]  # not written over


def test_classes_by_wnid_are_left_as_they_were(material):
    targets = pd.DataFrame({"wnid": ["n00000003"], "lemmas": ["cat"]})
    plain = np.array([[0.25, 0.5]])
    assert with_own_rows(plain, replace(material, targets=targets)) is plain


def test_the_start_of_a_source_class_is_its_own_row_and_of_an_unknown_one_random(material):
    weight, bias = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), np.array([0.5, -0.5], np.float32)
    inputs = HeadInputs(names=list(TARGETS["wnid"]), source_weight=weight, source_bias=bias, lonely="random")
    similarity = measured(measure_wordnet, ("taxonomy",), material)
    for neighbours in (1, 2):
        head = initialise(["wordnet"], inputs, {"wordnet": similarity}, {"wordnet": np.full(3, neighbours)})["wordnet"]
        np.testing.assert_array_equal(head.weight[1], weight[1])
        assert head.bias[1] == bias[1] and head.sources[1, 0] == 1 and head.sources[0, 0] == -1


def test_tables_say_which_classes_these_are():
    sources = SOURCES.assign(role="source", synset="")
    classes = pd.concat([sources, TARGETS.assign(role="target")])
    assert remarks(classes) == [
        "Source classes themselves, which start from their own row by every measure: cats.",
        "Without a synset, so that WordNet says nothing of them: screw.",
    ]
    assert remarks(pd.concat([sources, TARGETS.assign(role="target", synset=float("nan"))])) == [
        "No class has a synset of WordNet, so there is no start by a measure that needs one."
    ]
    assert remarks(classes.drop(columns="synset")) == []
