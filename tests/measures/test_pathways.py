import math

import numpy as np
import pandas as pd
import pytest
from made_graphs import CONFIG, asked, graph, grown, wnids
from nltk.corpus.reader.wordnet import Synset

from headstart.measures.hypernyms import read_hypernyms
from headstart.measures.material import Material
from headstart.measures.pathways import (
    count_links,
    greatest_depth,
    leacock_chodorow,
    measure_lch,
    measure_path,
    path,
)
from headstart.measures.taxonomy import read_taxonomy, wnid_of

SHAPES = CONFIG / "taxonomy/shapes.tsv"
BOTH = [(path, Synset.path_similarity), (leacock_chodorow, Synset.lch_similarity)]


def with_depth(synsets):
    """NLTK's synsets of a table, whose reader knows how deep they reach, as that of WordNet would."""
    reader = next(iter(synsets.values()))._wordnet_corpus_reader
    reader._max_depth = {("n", False): max(synset.max_depth() for synset in synsets.values())}
    return synsets


@pytest.fixture(scope="module")
def deep(synsets):
    # NLTK takes half a minute to find this depth among all synsets.
    synsets.reader._max_depth["n", False] = 19
    return synsets


DOGS = """
entity:
animal: entity
pet: animal
carnivore: animal
canine: carnivore
dog: canine pet
poodle: dog
cat: carnivore
"""


def test_links_are_counted_over_the_nearest_common_hypernym_worked_by_hand():
    animals = graph(DOGS)
    # Poodle, dog, canine, carnivore, cat; a pet is nearer to a dog than a cat is; carnivore and pet meet in animal.
    assert count_links(animals, ["poodle", "pet"], ["cat", "dog", "pet", "carnivore"]).tolist() == [
        [4, 1, 2, 3], [3, 1, 0, 2],
    ]  # fmt: skip
    assert path(animals, ["poodle"], ["cat", "poodle"]).tolist() == [[1 / 5, 1]]
    # The longest way up from a poodle has five links.
    assert greatest_depth(animals) == 5
    assert leacock_chodorow(animals, ["poodle"], ["cat", "poodle"]).tolist() == [[-math.log(5 / 10), -math.log(1 / 10)]]


@pytest.mark.parametrize("count, parents, tables", [(6, 2, 100), (14, 3, 30), (30, 2, 5)])
def test_random_graphs_have_nltks_bits_in_every_pair(tmp_path, count, parents, tables):
    for seed in range(tables):
        file = tmp_path / f"{seed}.tsv"
        file.write_text(grown(np.random.default_rng((seed, count)), count, parents))
        nodes, synsets = read_hypernyms(file), with_depth(read_taxonomy(file))
        for ours, theirs in BOTH:
            expected = asked(theirs, synsets, list(nodes), list(nodes))
            assert np.array_equal(ours(nodes, list(nodes), list(nodes)), expected), file.read_text()


@pytest.mark.parametrize("ours, theirs", BOTH)
def test_every_pair_of_the_shapes_taxonomy_has_nltks_bits(ours, theirs):
    nodes = read_hypernyms(SHAPES)
    found = ours(nodes, list(nodes), list(nodes))
    assert np.array_equal(found, asked(theirs, with_depth(read_taxonomy(SHAPES)), list(nodes), list(nodes)))
    assert np.array_equal(found, found.T)
    assert np.array_equal(found.argmax(axis=1), range(len(nodes)))


@pytest.mark.parametrize("ours, theirs", BOTH)
def test_pairs_of_the_papers_matrix_have_nltks_bits(nouns, deep, ours, theirs):
    targets, sources = wnids("targets/paper90.tsv"), wnids("sources/ilsvrc.tsv")
    found = ours(nouns, targets, sources)
    assert found.shape == (90, 1000) and found.dtype == np.float64
    for at in np.random.default_rng(2).choice(found.size, 3000, replace=False):
        row, column = divmod(int(at), 1000)
        assert found[row, column] == theirs(deep[targets[row]], deep[sources[column]])


@pytest.mark.parametrize("ours, theirs", BOTH)
def test_random_pairs_of_all_nouns_have_nltks_bits(nouns, deep, ours, theirs):
    chosen = np.random.default_rng(3).choice(sorted(nouns), (2, 60))
    found = ours(nouns, *chosen.tolist())
    assert np.array_equal(found, asked(theirs, deep, *chosen.tolist()))


@pytest.mark.parametrize("first, second, links", [
    ("dog.n.01", "cat.n.01", 4),
    ("bullet.n.01", "projectile.n.01", 1),
    ("lock.n.01", "rain_barrel.n.01", 9),
    ("fighter.n.02", "warplane.n.01", 1),
    ("dog.n.01", "dog.n.01", 0),
    ("father.n.01", "fungus.n.01", 8),
    ("entity.n.01", "poodle.n.01", 9),
])  # fmt: skip
def test_named_pairs_have_nltks_bits(nouns, deep, first, second, links):
    target, source = deep.reader.synset(first), deep.reader.synset(second)
    pair = [wnid_of(target)], [wnid_of(source)]
    assert count_links(nouns, *pair) == links
    assert path(nouns, *pair) == target.path_similarity(source) == 1 / (links + 1)
    assert leacock_chodorow(nouns, *pair) == target.lch_similarity(source) == -math.log((links + 1) / 38)


def test_depth_of_wordnet_is_that_of_its_deepest_noun(nouns, deep):
    assert greatest_depth(nouns) == 19
    # NLTK's own documentation says 2.028 of dog and cat.
    assert round(leacock_chodorow(nouns, ["n02084071"], ["n02121620"]).item(), 3) == 2.028
    assert deep.reader.synset("rock_hind.n.01").max_depth() <= 19


@pytest.mark.parametrize("name", ["targets/photos.tsv", "targets/paper90.tsv"])
def test_every_target_has_a_source_that_is_near(nouns, name):
    for measure in (path, leacock_chodorow):
        assert (measure(nouns, wnids(name), wnids("sources/ilsvrc.tsv")) > 0).all()


def test_the_farthest_pair_may_be_less_than_not_similar_by_leacock_and_chodorow_as_in_nltk():
    forks = graph("entity:\n left: entity\n right: entity")
    assert leacock_chodorow(forks, ["left"], ["right"]).item() == -math.log(3 / 2) < 0


def test_unknown_wnids_and_strangers_are_named():
    apart = graph("one: \n below: one\n other:")
    for measure in (path, leacock_chodorow):
        with pytest.raises(ValueError, match="no synset n00000001, n00000002 in the taxonomy; a wnid is"):
            measure(apart, ["one", "n00000001"], ["n00000002", "other"])
        with pytest.raises(ValueError, match=r"below.n.01 and other.n.01 have no common ancestor; .* one root above"):
            measure(apart, ["below"], ["one", "other"])


def test_order_and_repeats_of_classes_are_kept():
    animals = graph(DOGS)
    whole, names = count_links(animals, list(animals), list(animals)), list(animals)
    rows, columns = [6, 0, 7, 7, 3], [2, 2, 5, 1]
    found = count_links(animals, [names[at] for at in rows], [names[at] for at in columns])
    assert np.array_equal(found, whole[np.ix_(rows, columns)])


@pytest.mark.parametrize("targets, sources", [([], ["dog"]), (["dog"], []), ([], [])])
def test_no_classes_give_an_empty_matrix(targets, sources):
    for measure in (path, leacock_chodorow):
        assert measure(graph(DOGS), targets, sources).shape == (len(targets), len(sources))


def test_measures_read_classes_and_taxonomy_from_their_material():
    tables = {part: pd.DataFrame({"wnid": wnids(f"{part}/minimal.tsv")}) for part in ("targets", "sources")}
    material, nodes = Material(**tables, taxonomy=str(SHAPES)), read_hypernyms(SHAPES)
    lists = [list(tables[part]["wnid"]) for part in ("targets", "sources")]
    assert np.array_equal(measure_path(material), path(nodes, *lists))
    assert np.array_equal(measure_lch(material), leacock_chodorow(nodes, *lists))
    assert measure_lch(material).min() > 0
