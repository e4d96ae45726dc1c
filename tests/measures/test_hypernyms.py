import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from headstart.measures.hypernyms import Node, all_parents, look_up, read_hypernyms
from headstart.measures.taxonomy import read_taxonomy, wnid_of

PROJECT = Path(__file__).parents[2]
SHAPES = PROJECT / "config/taxonomy/shapes.tsv"


def as_node(synset):
    parents = synset.hypernyms() + synset.instance_hypernyms()
    return synset.name(), {wnid_of(parent) for parent in parents}


def plain(node):
    return node.name, set(node.parents)


def made_folder(folder, lemmas):
    """A folder of nouns, two of each lemma, the second an instance of the first of them all."""
    folder.mkdir()
    data, senses = " a header | as long as the first number\n" * 3, {}
    for at, lemma in enumerate([*lemmas, *reversed(lemmas)]):
        offset = f"{len(data):08d}"
        senses.setdefault(lemma, []).append(offset)
        up = f"002 @{'i' * (at >= len(lemmas))} {senses[lemmas[0]][0]} n 0000 @ 00000001 n 0101" if at else "000"
        data += f"{offset} 03 n 02 {lemma.upper()} 0 @ 0 {up} | @ 00000007 n 0000 in the gloss\n"
    index = [f"{lemma} n 2 1 @ 2 0 {' '.join(senses[lemma])}  \n" for lemma in sorted(lemmas)]
    (folder / "data.noun").write_text(data)
    (folder / "index.noun").write_text("  1 A header\n  2 and more  \n" + "".join(index))
    return senses


def test_table_and_wordnet_give_names_and_parents(tmp_path):
    table = read_hypernyms(SHAPES)
    assert table["n00001740"] == Node("entity.n.01", ())
    assert table["n13878634"] == Node("square.n.01", ("n13883346", "n13867133"))
    senses = made_folder(tmp_path / "made", ["dog", "dog's_life", "dogma", ".22", "zoo"])
    nouns = read_hypernyms(tmp_path / "made")
    (root, second), (_, instance) = (map("n{}".format, senses[lemma]) for lemma in ("dog", "zoo"))
    assert nouns[root] == Node("dog.n.01", ())
    assert nouns[instance] == Node("zoo.n.02", (root,))
    assert nouns[second] == Node("dog.n.02", (root,))


def test_names_are_found_wherever_their_line_lies_in_the_index(tmp_path):
    # Lemmas of many lengths, so that lines begin, end and lie across the borders of what is searched at once.
    rng = random.Random(0)
    lemmas = sorted({"".join(rng.choices("ab'-_.z0", k=rng.randint(1, 90))) for _ in range(1500)})
    senses = made_folder(tmp_path / "made", lemmas)
    assert (tmp_path / "made/index.noun").stat().st_size > 20 * 4096
    nouns = read_hypernyms(tmp_path / "made/data.noun")
    for lemma in lemmas:
        assert [nouns[f"n{offset}"].name for offset in senses[lemma]] == [f"{lemma}.n.01", f"{lemma}.n.02"]


def test_nouns_are_a_mapping_of_wnids(tmp_path):
    senses = made_folder(tmp_path / "made", ["one", "two", "three"])
    nouns = read_hypernyms(tmp_path / "made")
    assert sorted(nouns) == sorted(f"n{offset}" for offsets in senses.values() for offset in offsets)
    assert len(nouns) == 6
    first = next(iter(nouns))
    for strange in ("n00000000", "n00000007", "n99999999", f"{first}0", f"v{first[1:]}", first[:-1], "one", ""):
        assert strange not in nouns


def test_parents_read_at_once_are_those_read_one_by_one(tmp_path):
    made_folder(tmp_path / "made", ["one", "two", "three"])
    for hypernyms in (read_hypernyms(tmp_path / "made"), read_hypernyms(SHAPES)):
        assert all_parents(hypernyms) == {wnid: hypernyms[wnid].parents for wnid in hypernyms}


def test_wordnets_nouns_have_nltks_names_and_parents(wordnet_folder):
    nouns, synsets = read_hypernyms(wordnet_folder), read_taxonomy(wordnet_folder)
    wnids = sorted(nouns)
    assert len(wnids) == 82115
    parents = all_parents(nouns)
    assert sorted(parents) == wnids
    for wnid in random.Random(0).sample(wnids, 2000):
        assert plain(nouns[wnid]) == as_node(synsets[wnid])
        assert nouns[wnid].parents == parents[wnid]


def test_shapes_table_says_the_same_to_both_readers():
    synsets = read_taxonomy(SHAPES)
    nodes = read_hypernyms(SHAPES)
    assert {wnid: plain(node) for wnid, node in nodes.items()} == {wnid: as_node(synsets[wnid]) for wnid in synsets}


def test_unknown_wnids_are_all_named():
    nodes = read_hypernyms(SHAPES)
    assert look_up(nodes, iter(["n00001930", "n00001740", "n00001930"])) == [
        nodes["n00001930"], nodes["n00001740"], nodes["n00001930"],
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no synset n00000009, n12345678 in the taxonomy; a wnid is `n` and"):
        look_up(nodes, ["n00000009", "n00001740", "n12345678"])


def test_incomplete_folder_is_refused(tmp_path):
    made_folder(tmp_path / "made", ["one"])
    (tmp_path / "made/index.noun").unlink()
    with pytest.raises(FileNotFoundError, match="made lacks index.noun; make it with prepare_wordnet"):
        read_hypernyms(tmp_path / "made")


@pytest.mark.parametrize("old, new", [("two n 2", "tow n 2"), ("zoo n 2", "zop n 2")])
def test_index_that_does_not_fit_the_nouns_is_refused(tmp_path, old, new):
    senses = made_folder(tmp_path / "made", ["one", "two", "zoo"])
    index = tmp_path / "made/index.noun"
    assert old in index.read_text()
    index.write_text(index.read_text().replace(old, new))
    lost = old.split()[0]
    with pytest.raises(
        ValueError, match=f"made: index.noun does not list {senses[lost][0]} among the senses of {lost}"
    ):
        read_hypernyms(tmp_path / "made")[f"n{senses[lost][0]}"]


def test_similarities_of_wordnet_need_no_nltk():
    code = (
        "import sys; from headstart.measures.hypernyms import read_hypernyms;"
        "from headstart.measures.similarity import wordnet;"
        "print(wordnet(read_hypernyms(sys.argv[1]), ['n13878634'], ['n13878634'])); assert 'nltk' not in sys.modules"
    )
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "src")}
    command = [sys.executable, "-c", code, str(SHAPES)]
    assert subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout == "[[1.]]\n"
