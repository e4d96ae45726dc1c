"""Kernels describe classes by what they share; what nobody knows is at right angles to everything."""

import numpy as np
import pandas as pd
import pytest
from gensim.models import KeyedVectors

from headstart.measures.kernels import (
    blocks,
    centred,
    kernel_gloss,
    kernel_hypernyms,
    kernel_lemmas,
    kernel_table,
    read_descriptions,
)
from headstart.measures.material import Material
from running import PROJECT

SHAPES = str(PROJECT / "config/taxonomy/shapes.tsv")


def table(*rows):
    return pd.DataFrame(rows, columns=["wnid", "lemmas", "gloss"])


@pytest.fixture
def vectors(tmp_path):
    words = KeyedVectors(3)
    words.add_vectors(
        ["dog", "cat", "car", "the"], np.array([[1, 0, 0], [0.9, 0.1, 0], [0, 0, 1], [5, 5, 5]], np.float32)
    )
    words.save(str(tmp_path / "words.kv"))
    return str(tmp_path / "words.kv")


def test_classes_with_rare_synsets_above_them_in_common_are_alike():
    # Square and rhombus are both parallelograms of a kind; a spade is a card.
    sources = table(("n13878634", "", ""), ("n04266660", "", ""))
    material = Material(targets=table(("n13882961", "", ""), ("n99999999", "", "")), sources=sources, taxonomy=SHAPES)
    described = kernel_hypernyms(material)
    square, spade = blocks(described, 2)[1][0]
    assert 1 > square > spade
    assert not described[3].any()  # a synset of one's own, of which the taxonomy knows nothing


def test_words_of_lemmas_and_glosses_are_averaged_and_stop_words_left_out(vectors):
    sources = table(("n1", "dog", "the dog"), ("n2", "car", "the car"))
    targets = table(("n3", "cat", "the cat"), ("n4", "okapi", "the"))
    material = Material(targets=targets, sources=sources, vectors=vectors)
    for kernel in (kernel_lemmas, kernel_gloss):
        described = kernel(material)
        alike = blocks(described, 2)[1]
        assert alike[0, 0] > alike[0, 1] and not described[3].any()
        assert alike[1].tolist() == pytest.approx([np.exp(-4)] * 2)


def test_a_target_is_described_alike_whichever_other_targets_there_are(vectors):
    sources = table(("n1", "dog", ""), ("n2", "car", ""))
    one, two = table(("n3", "cat", "")), table(("n3", "cat", ""), ("n4", "dog car", ""))
    found = [kernel_lemmas(Material(targets=part, sources=sources, vectors=vectors))[2] for part in (one, two)]
    assert np.array_equal(*found)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_vectors_of_ones_own_are_read_by_wnid(tmp_path, suffix):
    path = tmp_path / f"own.{suffix}"
    frame = pd.DataFrame({"wnid": ["n1", "n2", "n3"], "legs": [4, 0, 4], "wheels": [0, 4, 0]})
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    sources, targets = table(("n1", "", ""), ("n2", "", "")), table(("n3", "", ""), ("n4", "", ""))
    described = kernel_table(Material(targets=targets, sources=sources, table=str(path)))
    assert described[2] @ described[0] == pytest.approx(1) and not described[3].any()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class,a\nn1,1\n", "expected a column wnid"),
        ("wnid,a\nn1,x\n", "no numbers in a"),
        ("wnid,a\nn1,1\nn1,2\n", "each class once"),
    ],
)
def test_a_faulty_table_is_refused(tmp_path, text, said):
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(ValueError, match=said):
        read_descriptions(tmp_path / "own.csv")
    with pytest.raises(ValueError, match=r"cannot read vectors of classes from .*own\.txt"):
        read_descriptions(tmp_path / "own.txt")


def test_centred_rows_lose_the_sources_mean_alone():
    rows = np.array([[1.0, 0.0], [3.0, 0.0], [2.0, 5.0], [np.nan, 1.0]])
    assert centred(rows, 2).tolist() == [[-1, 0], [1, 0], [0, 1], [0, 0]]
    assert not centred(np.full((2, 2), np.nan), 1).any()
