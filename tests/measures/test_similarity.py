import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from gensim.models import KeyedVectors

from headstart.jobs.files import write_table
from headstart.measures.hypernyms import read_hypernyms
from headstart.measures.metrics import READINGS
from headstart.measures.similarity import inference, known_words, read_similarity, word2vec, wordnet
from headstart.measures.taxonomy import read_taxonomy
from headstart.measures.wordvectors import load_vectors

PROJECT = Path(__file__).parents[2]
DATA = Path(os.environ.get("HEADSTART_DATA", PROJECT.parent / "shared/data"))
SHAPES = PROJECT / "config/taxonomy/shapes.tsv"


def vectors():
    made = KeyedVectors(2)
    rows = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 0.0], [1.0, 1.0]], dtype=np.float32)
    made.add_vectors(["bullet", "slug", "shell", "lipstick"], rows)
    return made


def test_inference_counts_what_the_network_sees():
    # Class 0 has two images, seen as sources 1 and 2; class 1 has one, seen as source 2: F = 2 TP / (n + A).
    found = inference([0, 0, 1], [[0, 3, 1], [-2, -3, 0], [5, 5, 6]], targets=2)
    assert found.tolist() == [[0, 2 / 3, 2 / 4], [0, 0, 2 / 3]]


def test_inference_reads_the_paper_as_told():
    labels, logits = [0, 0, 1], np.log([[0.7, 0.3], [0.4, 0.6], [0.5, 0.5]])
    found = {reading: inference(labels, logits, 2, reading) for reading in READINGS}
    # Source 0 has the largest logit of the first and, first of two, of the third image.
    assert found["argmax"].tolist() == [[2 / 4, 2 / 3], [2 / 3, 0]]
    assert found["soft"] == pytest.approx(2 * np.array([[1.1, 0.9], [0.5, 0.5]]) / [[3.6, 3.4], [2.6, 2.4]])
    # Class 0: by source 0, the first image alone (F = 2 / 3) or all three (F = 4 / 5).
    assert found["threshold"] == pytest.approx(np.array([[4 / 5, 4 / 5], [2 / 3, 2 / 3]]))
    assert np.array_equal(inference(labels, logits, 2), found["argmax"])


def test_an_unknown_reading_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown reading 'hard'; use one of argmax, soft, threshold"):
        inference([0], [[0.0]], 1, "hard")


def test_wordnet_lets_the_target_ask_as_nltk_does():
    targets, sources = ["n13878634", "n03457578"], ["n13881644", "n03282591", "n13883346"]
    found = wordnet(read_hypernyms(SHAPES), targets, sources)
    synsets = read_taxonomy(SHAPES)
    assert found.tolist() == [
        [synsets[target].wup_similarity(synsets[source]) for source in sources] for target in targets
    ]
    assert found.dtype == np.float64
    # A square is a rectangle, as it is no star.
    assert found[0, 2] > found[0, 0] > found[0, 1]


def test_word2vec_is_the_cosine_of_mean_vectors():
    # "bullet, slug" has the mean (0.5, 1).
    found = word2vec(vectors(), ["bullet, slug"], ["lipstick", "slug", "bullet", "shell"])
    expected = np.array([[1.5 / np.sqrt(2), 1.0, 0.5, -0.5]]) / np.sqrt(1.25)
    assert found == pytest.approx(expected)
    assert found.dtype == np.float64


def test_targets_without_known_words_are_all_named():
    with pytest.raises(ValueError, match='know no word of "okapi", "ibis, stork", so these targets have no'):
        word2vec(vectors(), ["okapi", "slug", "ibis, stork"], ["bullet"])


def test_words_that_cancel_out_count_as_unknown():
    with pytest.raises(ValueError, match='know no word of "bullet, shell"'):
        word2vec(vectors(), ["bullet, shell"], ["bullet"])


def test_sources_without_known_words_are_reported_and_never_similar():
    with pytest.warns(UserWarning, match='source classes "okapi", "ibis"; their similarity is 0'):
        found = word2vec(vectors(), ["slug"], ["okapi", "slug", "ibis"])
    assert found.tolist() == [[0.0, 1.0, 0.0]]


def test_known_and_unknown_words_are_listed_by_label():
    report = known_words(vectors(), ["bullet, silver_bullet", "okapi"])
    assert report.values.tolist() == [["bullet, silver_bullet", "bullet bullet", "silver"], ["okapi", "", "okapi"]]


def test_similarity_is_read_in_the_order_of_the_classes(tmp_path):
    frame = pd.DataFrame([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], index=["a", "b", "c"], columns=["x", "y"])
    write_table(frame, tmp_path / "wordnet.parquet")
    found = read_similarity(tmp_path / "wordnet.parquet", ["c", "a"], ["y", "x"])
    assert found is not None and found.tolist() == [[0.6, 0.5], [0.2, 0.1]]
    assert read_similarity(None, ["c"], ["x"]) is None
    with pytest.raises(ValueError, match=re.escape("lacks the classes d, z; measure the similarity again")):
        read_similarity(tmp_path / "wordnet.parquet", ["a", "d"], ["z", "x"])


def test_real_word_vectors_place_a_sunflower_nearer_to_a_daisy_than_to_a_zebra():
    folder = DATA / "wordvectors/gloss200"
    if not folder.exists():
        pytest.skip(f"the word vectors are not there: {folder}")
    found = word2vec(load_vectors(folder), ["okapi, Okapia johnstoni", "sunflower, helianthus"], ["daisy", "zebra"])
    assert found[1, 0] > found[1, 1]
