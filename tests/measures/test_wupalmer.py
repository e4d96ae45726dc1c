import numpy as np
import pytest
from made_graphs import CONFIG, graph, grown, wnids

from compare_wordnet import by_nltk
from headstart.measures.hypernyms import read_hypernyms
from headstart.measures.taxonomy import ancestors, read_taxonomy, wnid_of
from headstart.measures.wupalmer import wu_palmer


def test_one_line_of_ancestry_worked_by_hand():
    animals = graph("entity:\n animal: entity\n cat: animal\n dog: animal\n poodle: dog")
    # Dog and poodle meet in dog, depth 3; cat and poodle in animal, depth 2: 2 * 2 / (3 + 4).
    found = wu_palmer(animals, ["dog", "cat"], ["poodle", "dog", "entity"])
    assert found.tolist() == [[6 / 7, 1, 2 / 4], [4 / 7, 4 / 6, 2 / 4]]
    assert found.dtype == np.float64


DOGS = """
entity:
animal: entity
pet: animal
vertebrate: animal
mammal: vertebrate
carnivore: mammal
canine: carnivore
dog: canine pet
poodle: dog
pug: dog
"""


def test_shortest_way_up_chooses_where_two_meet():
    # A dog is 3 links below entity by pet, a canine 5: two dogs meet in canine, at depth 6 and 2 links above them.
    assert wu_palmer(graph(DOGS), ["poodle"], ["pug"]) == 12 / 16


def test_a_synset_may_have_less_than_one_with_itself():
    assert np.diag(wu_palmer(graph(DOGS), ["poodle", "dog", "canine"], ["poodle", "dog", "canine"])).tolist() == [
        12 / 16, 12 / 14, 1.0,
    ]  # fmt: skip


TIES = """
entity:
near: entity
far: near
pen: near far
box: near
penbox: pen box
boxpen: pen box
"""


def test_of_tied_meeting_places_the_first_by_name_counts():
    # Far, box and pen are all 2 links below entity by the shortest way.
    assert wu_palmer(graph(TIES), ["penbox"], ["boxpen"]) == 6 / (4 + 4)
    # Were the box called zox, it would be far: depth 3, 2 links above each.
    assert wu_palmer(graph(TIES.replace("\nbox:", "\nzox:").replace(" box", " zox")), ["penbox"], ["boxpen"]) == 6 / 10


def test_of_tied_meeting_places_the_target_goes_first_and_the_source_does_not():
    ties = graph(TIES)
    # Pen asks: pen, whose longest way up makes its depth 4. Penbox asks: box, depth 3; far is above pen, box is not.
    assert wu_palmer(ties, ["pen"], ["penbox"]) == 8 / (4 + 5)
    assert wu_palmer(ties, ["penbox"], ["pen"]) == 6 / (5 + 4)
    # In one matrix each target has its own preference.
    assert wu_palmer(ties, ["penbox", "pen", "far"], ["pen", "penbox"]).tolist() == [
        [6 / (5 + 4), 1], [8 / (4 + 4), 8 / (4 + 5)], [6 / (3 + 4), 6 / (3 + 5)],
    ]  # fmt: skip


def test_the_path_to_the_meeting_place_may_pass_above_it():
    # Six links lead from the deep one up to the meeting place, three by way of entity.
    lines = "entity:\n middle: entity\n meeting: middle\n one: meeting\n a: meeting\n b: a\n c: b\n d: c\n e: d\n"
    deep = graph(lines + "deep: e entity")
    assert wu_palmer(deep, ["one"], ["deep"]) == 6 / ((1 + 3) + (3 + 3))
    assert wu_palmer(deep, ["deep"], ["one"]) == 6 / ((3 + 3) + (1 + 3))


def test_synsets_without_common_ancestor_are_named():
    pair = graph("one: \n below: one\n other:")
    with pytest.raises(ValueError, match=r"below.n.01 and other.n.01 have no common ancestor; .* one root above all"):
        wu_palmer(pair, ["below", "one"], ["one", "other"])


def test_unknown_wnids_are_all_named_whether_targets_or_sources():
    with pytest.raises(ValueError, match="no synset n00000001, n00000002 in the taxonomy; a wnid is"):
        wu_palmer(graph(DOGS), ["dog", "n00000001"], ["n00000002", "pug"])


def test_order_and_repeats_of_classes_are_kept():
    animals = graph(DOGS)
    whole = wu_palmer(animals, list(animals), list(animals))
    rows, columns = [9, 0, 7, 7, 3], [2, 2, 8, 1]
    names = list(animals)
    found = wu_palmer(animals, [names[at] for at in rows], [names[at] for at in columns])
    assert np.array_equal(found, whole[np.ix_(rows, columns)])


@pytest.mark.parametrize("targets, sources", [([], ["dog"]), (["dog"], []), ([], [])])
def test_no_classes_give_an_empty_matrix(targets, sources):
    assert wu_palmer(graph(DOGS), targets, sources).shape == (len(targets), len(sources))


@pytest.mark.parametrize("count, parents, tables", [(6, 2, 300), (9, 3, 200), (14, 2, 60), (30, 3, 6), (30, 1, 3)])
def test_random_graphs_have_nltks_bits_in_every_pair(tmp_path, count, parents, tables):
    for seed in range(tables):
        path = tmp_path / f"{seed}.tsv"
        path.write_text(grown(np.random.default_rng((seed, count)), count, parents))
        nodes = read_hypernyms(path)
        expected = by_nltk(read_taxonomy(path), list(nodes), list(nodes))
        assert np.array_equal(wu_palmer(nodes, list(nodes), list(nodes)), expected), path.read_text()


def test_random_graphs_with_several_roots_fail_where_nltk_finds_nothing(tmp_path):
    outcomes = set()
    for seed in range(20):
        path = tmp_path / f"{seed}.tsv"
        path.write_text(grown(np.random.default_rng(seed), 8, 2, roots=3))
        nodes, synsets = read_hypernyms(path), read_taxonomy(path)
        for target, source in np.random.default_rng(seed).choice(list(nodes), (20, 2)).tolist():
            expected = synsets[target].wup_similarity(synsets[source])
            outcomes.add(expected is None)
            if expected is None:
                with pytest.raises(ValueError, match="have no common ancestor"):
                    wu_palmer(nodes, [target], [source])
            else:
                assert wu_palmer(nodes, [target], [source]) == expected
    assert outcomes == {True, False}


def test_every_pair_of_the_shapes_taxonomy_has_nltks_bits():
    path = CONFIG / "taxonomy/shapes.tsv"
    nodes = read_hypernyms(path)
    expected = by_nltk(read_taxonomy(path), list(nodes), list(nodes))
    assert np.array_equal(wu_palmer(nodes, list(nodes), list(nodes)), expected)


def test_pairs_of_the_papers_matrix_have_nltks_bits(nouns, synsets):
    # All 90,000 take NLTK half a minute: benchmarks/compare_wordnet.py.
    targets, sources = wnids("targets/paper90.tsv"), wnids("sources/ilsvrc.tsv")
    found = wu_palmer(nouns, targets, sources)
    assert found.shape == (90, 1000)
    for at in np.random.default_rng(0).choice(found.size, 2000, replace=False):
        row, column = divmod(int(at), 1000)
        assert found[row, column] == synsets[targets[row]].wup_similarity(synsets[sources[column]])


def test_random_pairs_of_all_nouns_have_nltks_bits(nouns, synsets):
    for targets, sources in np.random.default_rng(1).choice(list(nouns), (40, 2, 5)).tolist():
        assert np.array_equal(wu_palmer(nouns, targets, sources), by_nltk(synsets, targets, sources))


@pytest.mark.parametrize("first, second, value, places", [
    ("bullet.n.01", "projectile.n.01", 0.9524, 4),
    ("lock.n.01", "rain_barrel.n.01", 0.5714, 4),
    ("fighter.n.02", "airliner.n.01", 0.923, 3),
    ("fighter.n.02", "warplane.n.01", 0.880, 3),
])  # fmt: skip
def test_values_of_the_protocol(nouns, synsets, first, second, value, places):
    target, source = synsets.reader.synset(first), synsets.reader.synset(second)
    found = wu_palmer(nouns, [wnid_of(target)], [wnid_of(source)]).item()
    assert round(found, places) == value
    assert found == target.wup_similarity(source)


@pytest.mark.parametrize("person", ["father.n.01", "military_officer.n.01"])
def test_persons_are_nearest_to_fungi(nouns, synsets, person):
    asking, sources = wnid_of(synsets.reader.synset(person)), wnids("sources/ilsvrc.tsv")
    values = wu_palmer(nouns, [asking], sources)[0]
    fungus = wnid_of(synsets.reader.synset("fungus.n.01"))
    nearest = [sources[at] for at in np.flatnonzero(values == values.max())]
    assert all(fungus in ancestors(synsets[source]) for source in nearest)


def test_papers_targets_have_as_many_tied_nearest_sources_as_the_protocol_says(nouns):
    found = wu_palmer(nouns, wnids("targets/paper90.tsv"), wnids("sources/ilsvrc.tsv"))
    tied = (found == found.max(axis=1, keepdims=True)).sum(axis=1)
    assert ((tied > 1).sum(), tied.max()) == (31, 23)


def test_107_sources_have_less_than_one_with_themselves(nouns):
    sources = wnids("sources/ilsvrc.tsv")
    assert (np.diag(wu_palmer(nouns, sources, sources)) < 1).sum() == 107
