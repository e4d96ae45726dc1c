import gc
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import nltk
import pandas as pd
import pytest

from headstart.measures.hypernyms import look_up, read_hypernyms
from headstart.measures.taxonomy import (
    FILES,
    ancestors,
    class_type,
    describe,
    find_wordnet,
    prepare_wordnet,
    read_taxonomy,
    read_taxonomy_table,
    wnid_of,
)

PROJECT = Path(__file__).parents[2]
DATA = Path(os.environ.get("HEADSTART_DATA", PROJECT.parent / "shared/data"))

# A piece of WordNet 3.0 with its true links (lemmas and glosses shortened): a dog is a canine and a domestic animal,
# which lies much higher, so that the shortest way up is not the longest.
TABLE = """\
wnid	name	parents	lemmas	gloss
n00001740	entity.n.01		entity	that which is
n00015388	animal.n.01	n00001740	animal, beast	a living organism
n01317541	domestic_animal.n.01	n00015388	domestic animal	tamed
n01471682	vertebrate.n.01	n00015388	vertebrate	with a backbone
n01861778	mammal.n.01	n01471682	mammal	any warm-blooded vertebrate
n02075296	carnivore.n.01	n01861778	carnivore	a meat-eating mammal
n02083346	canine.n.02	n02075296	canine, canid	with nonretractile claws
n02084071	dog.n.01	n02083346 n01317541	dog, domestic dog, Canis familiaris	a member of the genus Canis
n02085620	chihuahua.n.03	n02084071	Chihuahua	an old breed of tiny short-haired dog
n02112018	pomeranian.n.01	n02084071	Pomeranian	breed of toy dogs
n02121808	domestic_cat.n.01	n02120997 n01317541	house cat, Felis catus	"any" domesticated cat
n02120997	feline.n.01	n02075296	feline, felid	with a roundish head
n03094503	container.n.01	n00001740	container	any object that can hold things
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "some.tsv"
    path.write_text(TABLE)
    return read_taxonomy_table(path)


@pytest.fixture(scope="session")
def wordnet(wordnet_folder):
    return read_taxonomy(wordnet_folder / "data.noun")


def wup(synsets, first, second):
    return synsets[first].wup_similarity(synsets[second])


def test_table_gives_nltks_synsets(table):
    dog = table["n02084071"]
    assert wnid_of(dog) == "n02084071"
    assert dog.name() == "dog.n.01"
    assert dog.lemma_names() == ["dog", "domestic_dog", "Canis_familiaris"]
    assert dog.definition() == "a member of the genus Canis"
    assert {wnid_of(parent) for parent in dog.hypernyms()} == {"n02083346", "n01317541"}
    assert (dog.min_depth(), dog.max_depth()) == (3, 6)


def test_quotation_marks_in_a_table_are_text(table):
    assert table["n02121808"].definition() == '"any" domesticated cat'


def test_wu_palmer_worked_by_hand(table):
    # Container and dog meet in entity, depth 1: lengths 1 + 1 and 3 + 1 (by domestic animal), 2 * 1 / (2 + 4).
    assert wup(table, "n03094503", "n02084071") == 2 / 6
    # Canine and feline meet in carnivore, four links below entity: 2 * 5 / (6 + 6).
    assert wup(table, "n02083346", "n02120997") == 10 / 12


def test_lowest_common_ancestor_is_the_one_of_largest_shortest_depth(table):
    # Two dogs: dog has min_depth 3 by domestic animal, its parent canine 5, so they "meet" in canine at depth 6.
    # Chihuahua is two links below canine: 2 * 6 / (8 + 8), the same for a dog breed and itself.
    assert wup(table, "n02085620", "n02112018") == 12 / 16
    assert wup(table, "n02085620", "n02085620") == 12 / 16


def test_first_of_tied_ancestors_is_the_asking_synset_else_the_alphabetically_first(tmp_path):
    # Three synsets of min_depth 2: far, box, and pen, whose way up by far is longer. Both penboxes are below all three.
    rows = [
        ("n00000001", "entity.n.01", ""), ("n00000002", "near.n.01", "n00000001"),
        ("n00000003", "far.n.01", "n00000002"), ("n00000004", "pen.n.01", "n00000002 n00000003"),
        ("n00000005", "box.n.01", "n00000002"), ("n00000006", "penbox.n.01", "n00000004 n00000005"),
        ("n00000007", "boxpen.n.01", "n00000004 n00000005"),
    ]  # fmt: skip
    path = tmp_path / "ties.tsv"
    path.write_text("wnid\tname\tparents\tlemmas\tgloss\n" + "".join("\t".join(row) + "\tx\tx\n" for row in rows))
    ties = read_taxonomy_table(path)
    # Neither asks for itself: box is the first by name, at depth 3, each penbox one link below it.
    assert wup(ties, "n00000006", "n00000007") == 6 / (4 + 4)
    # Pen and penbox share pen and far. Pen asks: pen, depth 4. Penbox asks: far, depth 3, two links above itself.
    assert wup(ties, "n00000004", "n00000006") == 8 / (4 + 5)
    assert wup(ties, "n00000006", "n00000004") == 6 / (5 + 4)


def test_shipped_table_is_one_tree_with_one_root():
    synsets = read_taxonomy(PROJECT / "config/taxonomy/shapes.tsv")
    roots = {wnid_of(synset.root_hypernyms()[0]) for synset in synsets.values()}
    assert roots == {"n00001740"}


def test_shipped_table_agrees_with_wordnet(wordnet):
    for wnid, synset in read_taxonomy(PROJECT / "config/taxonomy/shapes.tsv").items():
        real = wordnet[wnid]
        assert synset.name() == real.name()
        assert synset.lemma_names() == real.lemma_names()
        parents = real.hypernyms() + real.instance_hypernyms()
        assert {wnid_of(parent) for parent in synset.hypernyms()} == {wnid_of(parent) for parent in parents}


def test_shipped_table_gives_the_similarities_of_wordnet(wordnet):
    table = read_taxonomy(PROJECT / "config/taxonomy/shapes.tsv")
    wnids = sorted(table)[::3]
    assert [wup(table, a, b) for a in wnids for b in wnids] == [wup(wordnet, a, b) for a in wnids for b in wnids]


@pytest.mark.parametrize("first, second, value, places", [
    ("bullet.n.01", "projectile.n.01", 0.9524, 4),
    ("lock.n.01", "rain_barrel.n.01", 0.5714, 4),
    ("fighter.n.02", "airliner.n.01", 0.923, 3),
    ("fighter.n.02", "warplane.n.01", 0.880, 3),
])  # fmt: skip
def test_wordnet_values_of_the_protocol(wordnet, first, second, value, places):
    reader = wordnet.reader
    assert round(reader.synset(first).wup_similarity(reader.synset(second)), places) == value


@pytest.mark.parametrize("person", ["father.n.01", "military_officer.n.01"])
def test_persons_are_nearest_to_fungi(wordnet, person):
    sources = look_up(wordnet, pd.read_csv(PROJECT / "config/sources/ilsvrc.tsv", sep="\t")["wnid"])
    asking = wordnet.reader.synset(person)
    values = [asking.wup_similarity(source) for source in sources]
    nearest = [source for source, value in zip(sources, values, strict=True) if value == max(values)]
    fungus = wordnet.reader.synset("fungus.n.01")
    assert all(wnid_of(fungus) in ancestors(source) for source in nearest)


def test_wordnet_is_a_mapping_of_wnids(wordnet):
    assert wordnet["n02084071"].name() == "dog.n.01"
    assert "n02084072" not in wordnet
    assert "n99999999" not in wordnet
    assert "dog" not in wordnet
    assert next(iter(wordnet)) == "n00001740"


def test_ancestors_are_all_above_at_any_depth(table):
    expected = "n00001740 n00015388 n01317541 n01471682 n01861778 n02075296 n02083346"
    assert sorted(ancestors(table["n02084071"])) == expected.split()
    assert ancestors(table["n00001740"]) == set()


def test_types_follow_links_at_any_depth(table):
    def of(target, *sources):
        return class_type(table[target], look_up(table, sources))

    assert of("n02085620", "n01471682", "n03094503") == ("included", ["n01471682"])
    assert of("n02075296", "n02112018", "n02085620", "n03094503") == ("inclusive", ["n02085620", "n02112018"])
    assert of("n02084071", "n02120997") == ("disjoint", [])


def test_target_that_is_a_source_is_refused(table):
    with pytest.raises(ValueError, match=r"target n02084071 \(dog.n.01\) is a source class"):
        class_type(table["n02084071"], look_up(table, ["n02084071"]))


def test_class_between_two_sources_needs_the_lists_word(table):
    dog, sources = table["n02084071"], look_up(table, ["n02083346", "n02085620"])
    with pytest.raises(ValueError, match=r"above \(n02083346\) and below \(n02085620\); write in the column `type`"):
        class_type(dog, sources)
    assert class_type(dog, sources, declared="included") == ("included", ["n02083346"])
    assert class_type(dog, sources, declared="inclusive") == ("inclusive", ["n02085620"])
    with pytest.raises(ValueError, match="is disjoint, the taxonomy says included and inclusive"):
        class_type(dog, sources, declared="disjoint")


def test_list_that_contradicts_the_taxonomy_is_refused_with_both_named(table):
    with pytest.raises(ValueError, match=r"dog.n.01\) is inclusive, the taxonomy says disjoint; correct the column"):
        describe(["n02084071"], ["inclusive"], ["n02120997"], table)


def test_described_classes_are_sorted_sources_then_targets_in_their_order(table):
    frame = describe(["n02084071", "n02083346"], ["", float("nan")], ["n03094503", "n02112018"], table)
    assert frame.values.tolist() == [
        ["n02112018", "source", 0, "", "Pomeranian", "breed of toy dogs", ""],
        ["n03094503", "source", 1, "", "container", "any object that can hold things", ""],
        ["n02084071", "target", 0, "inclusive", "dog, domestic dog, Canis familiaris", "a member of the genus Canis",
         "n02112018"],
        ["n02083346", "target", 1, "inclusive", "canine, canid", "with nonretractile claws", "n02112018"],
    ]  # fmt: skip
    assert list(frame.columns) == ["wnid", "role", "index", "type", "lemmas", "gloss", "related"]
    assert describe(["n02084071"], None, ["n02112018"], table)["type"].tolist() == ["", "inclusive"]


def test_unknown_wnids_are_all_named(table):
    with pytest.raises(ValueError, match="no synset n00000009, n12345678 in the taxonomy; a wnid is `n` and"):
        describe(["n00000009", "n02084071", "n12345678"], None, ["n02112018"], table)
    assert [synset.name() for synset in look_up(table, ["n02084071"])] == ["dog.n.01"]


def test_shipped_lists_have_the_types_of_wordnet(wordnet):
    sources = pd.read_csv(PROJECT / "config/sources/ilsvrc.tsv", sep="\t")["wnid"]
    photos = pd.read_csv(PROJECT / "config/targets/photos.tsv", sep="\t")
    described = describe(photos["wnid"], photos["type"], sources, wordnet)
    types = described[described["role"] == "target"]["type"]
    assert types.value_counts().to_dict() == {"disjoint": 40, "inclusive": 15, "included": 1}


def test_authors_classes_are_thirty_of_each_type(wordnet):
    path = DATA / "paper/synsets.txt"
    if not path.exists():
        pytest.skip(f"the authors' list is not there: {path}")
    sources = pd.read_csv(PROJECT / "config/sources/ilsvrc.tsv", sep="\t")["wnid"]
    described = describe(path.read_text().split(), None, sources, wordnet)
    types = described[described["role"] == "target"]["type"]
    assert types.value_counts().to_dict() == {"included": 30, "inclusive": 30, "disjoint": 30}


def test_shipped_shapes_have_their_listed_types():
    table = read_taxonomy(PROJECT / "config/taxonomy/shapes.tsv")
    targets = pd.read_csv(PROJECT / "config/targets/shapes.tsv", sep="\t")
    sources = pd.read_csv(PROJECT / "config/sources/shapes.tsv", sep="\t")["wnid"]
    described = describe(targets["wnid"], targets["type"], sources, table)
    assert described[described["role"] == "target"]["type"].tolist() == targets["type"].tolist()


def test_shipped_ilsvrc_list_holds_1000_sorted_wnids():
    wnids = pd.read_csv(PROJECT / "config/sources/ilsvrc.tsv", sep="\t")["wnid"].tolist()
    assert len(set(wnids)) == 1000
    assert wnids == sorted(wnids)
    assert (wnids[0], wnids[-1]) == ("n01440764", "n15075141")


@pytest.mark.parametrize("old, new, said", [
    ("gloss\n", "meaning\n", "expected tab-separated columns wnid, name, parents, lemmas, gloss, got"),
    ("n03094503", "n02084071", "once each, got 'n02084071'"),
    ("n03094503", "container", "expected wnids such as n02084071, once each, got 'container'"),
    ("canine.n.02", "dog.n.01", "names such as dog.n.01, once each, got 'dog.n.01' again"),
    ("n02120997 n01317541", "n02120997 n00000099", "no line for the parents n00000099; add them"),
    ("entity.n.01\t\t", "entity.n.01\tn02084071\t", "cycle: .*n00001740.*; correct them"),
    ("entity.n.01\t\t", "entity.n.01\tn00001740\t", "cycle: n00001740 n00001740; correct them"),
])  # fmt: skip
@pytest.mark.parametrize("read", [read_taxonomy_table, read_hypernyms])
def test_faulty_tables_are_refused_by_name(tmp_path, read, old, new, said):
    assert old in TABLE
    path = tmp_path / "faulty.tsv"
    path.write_text(TABLE.replace(old, new, 1))
    with pytest.raises(ValueError, match=f"faulty.tsv: .*{said}"):
        read(path)


def made_wordnet(folder, header=b"  14 WordNet 3.0 Copyright 2006\n"):
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / name).write_bytes(b"made\n")
    noun = bytearray(b" " * 2084071 + b"02084071 05 n 03 dog 0 domestic_dog 0\n")
    noun[: len(header)] = header
    (folder / "data.noun").write_bytes(noun)
    return folder


def test_wordnet_is_copied_and_completed(tmp_path):
    found, copy = made_wordnet(tmp_path / "found"), tmp_path / "copy"
    (found / "data.verb").unlink()
    (found / "data.verb").symlink_to(found / "data.adj")
    prepare_wordnet(found, copy)
    assert sorted(path.name for path in copy.iterdir()) == sorted([*FILES, "lexnames"])
    assert not any(path.is_symlink() for path in copy.iterdir())
    assert (copy / "data.noun").read_bytes() == (found / "data.noun").read_bytes()
    lines = (copy / "lexnames").read_text().splitlines()
    assert len(lines) == 45
    assert [lines[0], lines[5], lines[29], lines[44]] == [
        "00\tadj.all\t3", "05\tnoun.animal\t1", "29\tverb.body\t2", "44\tadj.ppl\t3",
    ]  # fmt: skip


def test_wordnet_is_copied_from_nltks_zip_file(tmp_path):
    found = made_wordnet(tmp_path / "wordnet")
    with zipfile.ZipFile(tmp_path / "wordnet.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in found.iterdir():
            archive.write(path, f"wordnet/{path.name}")
    prepare_wordnet(tmp_path / "wordnet.zip", tmp_path / "copy")
    assert (tmp_path / "copy/data.noun").read_bytes() == (found / "data.noun").read_bytes()


def test_other_versions_of_wordnet_are_refused(tmp_path):
    found = made_wordnet(tmp_path / "found", header=b"  14 WordNet 3.1 Copyright 2011\n")
    with pytest.raises(ValueError, match="is not WordNet 3.0, whose offsets are ImageNet's wnids; install it"):
        prepare_wordnet(found, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_shifted_offsets_are_refused(tmp_path):
    # As by Windows line ends: the version is right, but no synset lies where its wnid says.
    found = made_wordnet(tmp_path / "found")
    (found / "data.noun").write_bytes((found / "data.noun").read_bytes().replace(b"2006\n", b"2006\r\n"))
    with pytest.raises(ValueError, match="is not WordNet 3.0"):
        prepare_wordnet(found, tmp_path / "copy")


def test_incomplete_wordnet_is_refused(tmp_path):
    found = made_wordnet(tmp_path / "found")
    (found / "index.noun").unlink()
    with pytest.raises(FileNotFoundError, match="lacks index.noun; install it: `apt-get install wordnet-base"):
        prepare_wordnet(found, tmp_path / "copy")
    with pytest.raises(FileNotFoundError, match="lacks index.noun, lexnames; make it with prepare_wordnet"):
        read_taxonomy(found)


def test_wordnet_is_found_in_nltks_data_first(tmp_path, monkeypatch):
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    made_wordnet(tmp_path / "corpora/wordnet")
    assert find_wordnet() == tmp_path / "corpora/wordnet"


def test_named_folder_is_the_only_one_searched(tmp_path):
    assert find_wordnet(made_wordnet(tmp_path / "mine")) == tmp_path / "mine"
    with pytest.raises(FileNotFoundError, match=f"in {tmp_path}; install it: .*nltk.download"):
        find_wordnet(tmp_path)


def test_wordnet_is_fetched_only_where_none_is_found(tmp_path, monkeypatch):
    fetched = []
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    monkeypatch.setattr("headstart.measures.taxonomy.SYSTEM", tmp_path / "not installed")
    assert find_wordnet("wordnet", lambda: fetched.append(1) or tmp_path / "wordnet.zip") == tmp_path / "wordnet.zip"
    made_wordnet(tmp_path / "corpora/wordnet")
    assert find_wordnet("wordnet", lambda: fetched.append(2)) == tmp_path / "corpora/wordnet"
    with pytest.raises(FileNotFoundError):
        find_wordnet(tmp_path / "named", lambda: fetched.append(3))
    assert fetched == [1]


def test_papers_class_list_has_wordnets_types_and_first_lemmas(wordnet):
    listed = pd.read_csv(PROJECT / "config/targets/paper90.tsv", sep="\t")
    sources = pd.read_csv(PROJECT / "config/sources/ilsvrc.tsv", sep="\t")["wnid"]
    described = describe(listed["wnid"], None, sources, wordnet).query("role == 'target'")
    assert described["type"].tolist() == listed["type"].tolist()
    assert described["lemmas"].str.split(", ").str[0].tolist() == listed["lemma"].tolist()
    assert listed["type"].value_counts().to_dict() == {"included": 30, "inclusive": 30, "disjoint": 30}


def test_papers_class_list_has_the_authors_order():
    theirs = DATA / "paper/synsets.txt"
    if not theirs.exists():
        pytest.skip("the authors' list is not there; the class list is compared with WordNet alone")
    assert pd.read_csv(PROJECT / "config/targets/paper90.tsv", sep="\t")["wnid"].tolist() == theirs.read_text().split()


def test_table_is_read_without_a_warning_in_a_fresh_process(tmp_path):
    (tmp_path / "some.tsv").write_text(TABLE)
    code = (
        "import sys; from headstart.measures.taxonomy import read_taxonomy as read; s = read(sys.argv[1]);"
        "print(s['n02083346'].wup_similarity(s['n02120997']))"
    )
    command = [sys.executable, "-W", "error::UserWarning", "-c", code, str(tmp_path / "some.tsv")]
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "src")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert float(done.stdout) == 10 / 12


def test_wordnets_files_are_closed_when_nobody_reads_them_any_more(wordnet_folder):
    synsets = read_taxonomy(wordnet_folder / "data.noun")
    assert synsets["n02084071"].name() == "dog.n.01"
    opened = list(synsets.reader._data_file_map.values())
    del synsets
    gc.collect()
    assert opened and all(file.closed for file in opened)
