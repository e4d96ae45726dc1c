import math
import subprocess
import sys
from pathlib import Path

import nltk
import numpy as np
import pandas as pd
import pytest
from made_graphs import CONFIG, asked, graph, grown, wnids
from nltk.corpus.reader import wordnet as reference
from nltk.corpus.reader.wordnet import Synset, WordNetICCorpusReader

from headstart.measures.hypernyms import all_parents, read_hypernyms
from headstart.measures.information import (
    NEAREST,
    counted_information,
    jiang_conrath,
    lin,
    measure_jcn,
    measure_lin,
    measure_res,
    resnik,
    structural_information,
)
from headstart.measures.material import Material
from headstart.measures.taxonomy import ancestors, read_taxonomy, wnid_of

SHAPES = CONFIG / "taxonomy/shapes.tsv"
ALL = [
    (resnik, Synset.res_similarity),
    (lin, Synset.lin_similarity),
    (jiang_conrath, Synset.jcn_similarity),
]
NAMES = [("dog", "cat"), ("bullet", "projectile"), ("lock", "rain_barrel"), ("dog", "dog"), ("father", "fungus")]
NAMES += [("entity", "dog"), ("dog", "entity"), ("dog", "poodle"), ("car", "abstraction"), ("whole", "whole")]


def by_nltk(theirs, information, synsets, targets, sources):
    """NLTK's values where the information of a synset is what we say, not what a count gives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "information_content", lambda synset, ic: information.get(wnid_of(synset), 1e300))
        return asked(lambda target, source: at_most_nearest(theirs, target, source, {}), synsets, targets, sources)


def at_most_nearest(theirs, target, source, ic):
    """What NLTK says of a pair, but NEAREST for 1e+300, and 0 where it divides nothing by nothing."""
    try:
        found = theirs(target, source, ic)
    except ZeroDivisionError:
        assert theirs is Synset.lin_similarity
        return 0.0
    assert found == 1e300 or found < NEAREST
    return min(found, NEAREST)


def write_counts(folder, parents, rng, share):
    """A file of counts: a share of all synsets is spoken of, each of these and of all above it."""
    counts = dict.fromkeys(parents, 0.0)
    for wnid in rng.choice(sorted(parents), int(share * len(parents)), replace=False).tolist():
        said, above = float(rng.choice([1.0, 2.0, 0.25, 1 / 3])), {wnid}
        while above:
            for one in above:
                counts[one] += said
            above = {parent for one in above for parent in parents[one]}
    rows = [f"{int(wnid[1:])}n {count!r}{'' if parents[wnid] else ' ROOT'}\n" for wnid, count in counts.items()]
    (folder / "made.dat").write_text("wnver::made\n" + "".join(rows) + "1740v 7 ROOT\n2137v 3\n")
    return folder / "made.dat"


def read_by_nltk(file, monkeypatch):
    monkeypatch.setattr(nltk.data, "path", [str(file.parent)])
    return WordNetICCorpusReader(str(file.parent), [file.name]).ic(file.name)


@pytest.fixture(scope="module")
def structure(nouns):
    return structural_information(nouns)


DOGS = """
entity:
animal: entity
pet: animal
carnivore: animal
dog: carnivore pet
poodle: dog
cat: carnivore
"""


def test_structure_informs_the_more_the_fewer_are_below_worked_by_hand():
    found = structural_information(graph(DOGS))
    # Four of seven are below animal besides pet, the dog counted once though it comes two ways.
    below = {"entity": 6, "animal": 5, "pet": 2, "carnivore": 3, "dog": 1, "poodle": 0, "cat": 0}
    assert found == {name: 1 - math.log(count + 1) / math.log(7) for name, count in below.items()}
    assert (found["entity"], found["cat"]) == (0, 1)


def test_values_worked_by_hand():
    animals, information = graph(DOGS), {"entity": 0.0, "animal": 1.0, "carnivore": 2.0, "pet": 3.0}
    information |= {"dog": 5.0, "cat": 4.0, "poodle": 6.0}
    given = animals, information, ["dog", "entity"], ["cat", "pet", "poodle", "dog", "entity"]
    # The most informative, not the nearest or deepest, of all above both.
    assert resnik(*given).tolist() == [[2, 3, 5, 5, 0], [0, 0, 0, 0, 0]]
    assert lin(*given).tolist() == [[4 / 9, 6 / 8, 10 / 11, 1, 0], [0, 0, 0, 0, 0]]
    assert jiang_conrath(*given).tolist() == [[1 / 5, 1 / 2, 1, NEAREST, 0], [0, 0, 0, 0, NEAREST]]


@pytest.mark.parametrize("count, parents, tables", [(6, 2, 60), (14, 3, 20), (30, 2, 4)])
def test_random_graphs_have_nltks_bits_in_every_pair_by_structure_and_by_counts(
    tmp_path, monkeypatch, count, parents, tables
):
    for seed in range(tables):
        rng = np.random.default_rng((seed, count))
        file = tmp_path / f"{seed}.tsv"
        file.write_text(grown(rng, count, parents, roots=1 + seed % 2))
        nodes, synsets = read_hypernyms(file), read_taxonomy(file)
        by_structure = structural_information(nodes)
        below = {wnid: sum(wnid in ancestors(synset) for synset in synsets.values()) for wnid in synsets}
        assert by_structure == {wnid: 1 - math.log(below[wnid] + 1) / math.log(count) for wnid in synsets}
        counts = write_counts(tmp_path, all_parents(nodes), rng, share=0.4)
        by_counts, ic = counted_information(counts), read_by_nltk(counts, monkeypatch)
        for ours, theirs in ALL:
            expected = by_nltk(theirs, by_structure, synsets, list(nodes), list(nodes))
            assert np.array_equal(ours(nodes, by_structure, list(nodes), list(nodes)), expected), file.read_text()
            expected = asked(lambda t, s: at_most_nearest(theirs, t, s, ic), synsets, list(nodes), list(nodes))  # noqa: B023
            assert np.array_equal(ours(nodes, by_counts, list(nodes), list(nodes)), expected), counts.read_text()


@pytest.mark.parametrize("ours, theirs", ALL)
def test_every_pair_of_the_shapes_taxonomy_has_nltks_bits(ours, theirs):
    nodes = read_hypernyms(SHAPES)
    information = structural_information(nodes)
    found = ours(nodes, information, list(nodes), list(nodes))
    assert np.array_equal(found, by_nltk(theirs, information, read_taxonomy(SHAPES), list(nodes), list(nodes)))
    assert np.array_equal(found, found.T)
    assert np.array_equal(np.diag(found), found.max(axis=1))


@pytest.mark.parametrize("ours, theirs", ALL)
def test_pairs_of_wordnet_have_nltks_bits_by_structure(nouns, synsets, structure, ours, theirs):
    targets, sources = wnids("targets/paper90.tsv"), wnids("sources/ilsvrc.tsv")
    found = ours(nouns, structure, targets, sources)
    assert found.shape == (90, 1000) and found.dtype == np.float64
    rng = np.random.default_rng(4)
    rows, columns = rng.permutation(90)[:40], rng.permutation(1000)[:50]
    chosen = [targets[at] for at in rows], [sources[at] for at in columns]
    assert np.array_equal(found[np.ix_(rows, columns)], by_nltk(theirs, structure, synsets, *chosen))
    chosen = rng.choice(sorted(nouns), (2, 50)).tolist()
    assert np.array_equal(ours(nouns, structure, *chosen), by_nltk(theirs, structure, synsets, *chosen))


@pytest.mark.parametrize("ours, theirs", ALL)
def test_nltk_given_counts_of_the_same_information_says_nearly_the_same(nouns, synsets, structure, ours, theirs):
    # It takes the logarithm of a count; an information of our own has first to be made a count, which rounds it.
    ic = {"n": {int(wnid[1:]): math.exp(-value) for wnid, value in structure.items()} | {0: 1.0}}
    chosen = np.random.default_rng(5).choice(sorted(nouns), (2, 40)).tolist()
    found = ours(nouns, structure, *chosen)
    expected = asked(lambda target, source: at_most_nearest(theirs, target, source, ic), synsets, *chosen)
    assert np.abs(found / np.where(found, expected, 1) - (found > 0)).max() < 1e-13
    assert np.array_equal(found > 0, expected > 0)


@pytest.mark.parametrize("share", [0.02, 1.0])
def test_pairs_of_wordnet_have_nltks_bits_by_counts(nouns, synsets, tmp_path, monkeypatch, share):
    file = write_counts(tmp_path, all_parents(nouns), np.random.default_rng(6), share)
    information, ic = counted_information(file), read_by_nltk(file, monkeypatch)
    chosen = np.random.default_rng(7).choice(sorted(nouns), (2, 45)).tolist()
    some = [wnid_of(synsets.reader.synset(f"{name}.n.01")) for pair in NAMES for name in pair]
    chosen = [[*part, *some] for part in chosen]
    for ours, theirs in ALL:
        expected = asked(lambda t, s: at_most_nearest(theirs, t, s, ic), synsets, *chosen)  # noqa: B023
        assert np.array_equal(ours(nouns, information, *chosen), expected)


@pytest.mark.parametrize("first, second", NAMES)
def test_named_pairs_have_nltks_bits(nouns, synsets, structure, first, second):
    pair = [[wnid_of(synsets.reader.synset(f"{name}.n.01"))] for name in (first, second)]
    for ours, theirs in ALL:
        assert np.array_equal(ours(nouns, structure, *pair), by_nltk(theirs, structure, synsets, *pair))


def test_structure_of_wordnet_counts_what_nltk_finds_below(structure, synsets):
    for name in ("dog.n.01", "bird.n.01", "warplane.n.01", "poodle.n.01", "capital.n.03"):
        found, todo = set(), [synsets.reader.synset(name)]
        while todo:
            one = todo.pop()
            todo += {*one.hyponyms(), *one.instance_hyponyms()} - found
            found.add(one)
        assert structure[wnid_of(synsets.reader.synset(name))] == 1 - math.log(len(found)) / math.log(82115)
    assert structure["n00001740"] == min(structure.values()) == 0
    assert max(structure.values()) == 1 and len(structure) == 82115


@pytest.mark.parametrize("name", ["targets/photos.tsv", "targets/paper90.tsv"])
def test_every_target_has_a_source_that_is_near(nouns, structure, name):
    for ours, _ in ALL:
        found = ours(nouns, structure, wnids(name), wnids("sources/ilsvrc.tsv"))
        assert (found >= 0).all() and (found.max(axis=1) > 0).all() and found.max() < NEAREST


def test_a_synset_that_no_one_speaks_of_is_nearest_to_itself_and_far_from_all_others():
    animals, information = graph(DOGS), {"entity": 0.0, "animal": 1.0, "carnivore": 2.0, "cat": 2.0}
    given = animals, information, ["dog"], ["dog", "poodle", "cat", "carnivore"]
    assert resnik(*given).tolist() == [[NEAREST, NEAREST, 2, 2]]
    assert lin(*given).tolist() == [[1, 1, 4e-300, 4e-300]]
    assert jiang_conrath(*given).tolist() == [[NEAREST, NEAREST, 1e-300, 1e-300]]
    # Cat and carnivore are counted as often.
    assert jiang_conrath(animals, information, ["cat"], ["carnivore"]) == NEAREST


def test_strangers_share_nothing_as_in_nltk():
    apart, information = graph("one: \n below: one\n other:"), {"one": 1.0, "below": 2.0, "other": 2.0}
    given = apart, information, ["below"], ["other", "one"]
    assert [measure(*given).tolist() for measure, _ in ALL] == [[[0, 1]], [[0, 2 / 3]], [[1 / 4, 1]]]


def test_unknown_wnids_are_all_named_and_no_classes_give_an_empty_matrix():
    animals = graph(DOGS)
    for ours, _ in ALL:
        with pytest.raises(ValueError, match="no synset n00000001, n00000002 in the taxonomy; a wnid is"):
            ours(animals, {}, ["dog", "n00000001"], ["n00000002"])
        assert ours(animals, {}, [], ["dog"]).shape == (0, 1)
        assert ours(animals, {}, ["dog"], []).shape == (1, 0)


@pytest.mark.parametrize("text, said", [
    ("1740n 5 ROOT\n1930n 3\n", "line 1: expected a title and then lines such as `1740n 1915712 ROOT`, got '1740n 5"),
    ("wnver::x\n1740n 5 ROOT\n1930 3\n", "line 3: .* got '1930 3'"),
    ("wnver::x\n1740n -5 ROOT\n", "line 2: .* got '1740n -5 ROOT'"),
    ("wnver::x\n1740n 5\n1740v 5 ROOT\n", "no noun is marked ROOT, or counted there"),
    ("", "no noun is marked ROOT"),
])  # fmt: skip
def test_faulty_counts_are_refused_with_their_line(tmp_path, text, said):
    (tmp_path / "ic.dat").write_text(text)
    with pytest.raises(ValueError, match=rf"ic.dat.*{said}"):
        counted_information(tmp_path / "ic.dat")


def materials(**files):
    tables = {part: pd.DataFrame({"wnid": wnids(f"{part}/minimal.tsv")}) for part in ("targets", "sources")}
    return Material(**tables, taxonomy=str(SHAPES), **files)


def test_measures_take_information_from_counts_where_they_are_given(tmp_path):
    nodes, plain = read_hypernyms(SHAPES), materials()
    file = write_counts(tmp_path, all_parents(nodes), np.random.default_rng(8), share=1.0)
    counted = materials(counts=str(file))
    lists = [list(part["wnid"]) for part in (plain.targets, plain.sources)]
    for measure, ours in [(measure_res, resnik), (measure_lin, lin), (measure_jcn, jiang_conrath)]:
        assert np.array_equal(measure(plain), ours(nodes, structural_information(nodes), *lists))
        assert np.array_equal(measure(counted), ours(nodes, counted_information(file), *lists))
        assert not np.array_equal(measure(counted), measure(plain))


def test_classes_that_no_one_speaks_of_are_reported(tmp_path):
    (tmp_path / "ic.dat").write_text("wnver::x\n1740n 5 ROOT\n13879320n 2\n13880811n 0\n13876371n 1\n3530642n 1.5\n")
    with pytest.warns(
        UserWarning, match=r"counts 7 of 10 classes as zero or not at all \(n13880811, n03646695, .*\.\.\.\)"
    ):
        measure_lin(materials(counts=str(tmp_path / "ic.dat")))


def test_no_measure_of_a_taxonomy_needs_nltk():
    code = (
        "import sys; import pandas as pd; from headstart.measures.material import Material;"
        "from headstart.vocabulary import MEASURES, code_of;"
        "square = pd.DataFrame({'wnid': ['n13878634']});"
        "given = Material(targets=square, sources=square, taxonomy=sys.argv[1]);"
        "used = [measure.code for measure in MEASURES.values() if 'taxonomy' in measure.reads];"
        "print(*[code_of(code)(given).item() > 0 for code in used]); assert 'nltk' not in sys.modules"
    )
    command = [sys.executable, "-c", code, str(SHAPES)]
    environment = {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert run.stdout.split() == ["True"] * 6
