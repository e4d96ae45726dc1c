"""Names looked up among nouns, senses chosen by what images show, and classes described without a synset."""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headstart.measures.choices import ABSENT, chosen, read_choices
from headstart.measures.choosing import UNKNOWN, propose, seen_senses, settled, several, write_choices
from headstart.measures.hypernyms import Node
from headstart.measures.own_classes import describe_own, relation
from headstart.measures.senses import SYSTEM, Nouns, find_nouns, installed_places, spellings

# Words, hypernym's place in this list, gloss; as data.noun has them.
SYNSETS = [
    (["thing"], None, 'what there is; "a thing of beauty"'),
    (["plant"], 0, "a living thing that stays where it is"),
    (["iris", "flag"], 1, "a plant with large flowers"),
    (["organ"], 0, "a part of a body"),
    (["iris"], 3, "a muscle in the eye"),
    (["eye"], 3, "an organ that sees"),
    (["tiger_lily"], 1, "a lily with spots"),
    (["daisy"], 1, "a small flower"),
]


@pytest.fixture
def wordnet(tmp_path):
    """A folder of a few nouns in WordNet's form; gives the wnids in the order above, and the path of data.noun."""
    offsets, text = [], ""
    for words, _, gloss in SYNSETS:
        offsets.append(len(text))
        text += line(0, words, 0, gloss)
    data = "".join(line(at, words, parent and offsets[parent], gloss, parent is not None and offsets[parent])
                   for at, (words, parent, gloss) in zip(offsets, SYNSETS, strict=True))  # fmt: skip
    senses: dict[str, list[int]] = {}
    for at, (words, _, _) in zip(offsets, SYNSETS, strict=True):
        for word in words:
            senses.setdefault(word, []).append(at)
    index = "".join(
        f"{word} n {len(found)} 0 {len(found)} 0 {' '.join(f'{at:08d}' for at in found)}  \n"
        for word, found in sorted(senses.items())
    )
    (tmp_path / "data.noun").write_text(data)
    (tmp_path / "index.noun").write_text("  1 licence\n" + index)
    return [f"n{at:08d}" for at in offsets], [str(tmp_path / "data.noun")]


def line(at: int, words: list[str], parent: int | None, gloss: str, above: int | bool = True) -> str:
    named = " ".join(f"{word} 0" for word in words)
    pointers = f"001 @ {above if above is not True else 0:08d} n 0000" if above is not False else "000" + " " * 18
    return f"{at:08d} 03 n {len(words):02x} {named} {pointers} | {gloss}  \n"


def nouns(wordnet) -> Nouns:
    return Nouns(Path(wordnet[1][0]).parent)


def test_every_sense_of_a_name_is_found_the_most_frequent_first(wordnet):
    wnids, _ = wordnet
    found = nouns(wordnet).senses("Iris")
    assert [(one.wnid, one.lemmas) for one in found] == [(wnids[2], "iris, flag"), (wnids[4], "iris")]
    assert nouns(wordnet).senses("thing")[0].gloss == "what there is"  # examples are no gloss


@pytest.mark.parametrize(
    "name", ["tiger lily", "Tiger_Lily", "tiger-lily", "  tiger  lily", "tiger lilies", "TIGER LILYS"]
)
def test_names_are_found_however_they_are_written(wordnet, name):
    assert [one.wnid for one in nouns(wordnet).senses(name)] == [wordnet[0][6]]


def test_a_wnid_is_its_own_sense_and_nonsense_has_none(wordnet):
    wnids, _ = wordnet
    assert [one.wnid for one in nouns(wordnet).senses(wnids[4])] == [wnids[4]]
    assert [nouns(wordnet).senses(name) for name in ("screw M4", "ölfleck", "", "n00000003", "s", "ir")] == [[]] * 6
    assert nouns(wordnet).sense(wnids[5].replace("n", "v")) is None
    assert all(spellings(name) for name in ("", "s", "-"))


def test_nltks_zip_file_is_read_as_a_folder_is(wordnet, tmp_path, monkeypatch):
    folder = Path(wordnet[1][0]).parent
    packed = tmp_path / "data" / "corpora" / "wordnet.zip"
    packed.parent.mkdir(parents=True)
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("index.noun", "data.noun"):
            archive.write(folder / name, f"wordnet/{name}")
    assert Nouns(packed).senses("iris") == nouns(wordnet).senses("iris")
    monkeypatch.setenv("NLTK_DATA", str(tmp_path / "data"))
    assert find_nouns() == packed
    assert find_nouns(str(folder)) == folder and find_nouns(str(tmp_path / "none")) is None


def test_wordnet_is_looked_for_where_nltk_looks():
    # Other tests give NLTK further places in this process.
    command = [sys.executable, "-c", "import nltk; print(*nltk.data.path, sep='\\n')"]
    folders = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    places = installed_places()
    assert folders
    for folder in folders:
        assert Path(folder, "corpora/wordnet") in places or not Path(folder).exists()
    assert places[-1] == SYSTEM


def choose(wordnet, names, rows, looks):
    wnids, paths = wordnet
    sources = [wnids[7], wnids[5]]  # daisy, eye
    senses = several(names, rows, nouns(wordnet))
    seen = seen_senses({name: np.array(looks[name]) for name in senses}, senses, sources, paths)
    return propose(names, rows, nouns(wordnet), seen)


@pytest.mark.parametrize(("look", "place"), [([0.9, 0.1], 2), ([0.1, 0.9], 4)])
def test_images_choose_among_senses(wordnet, look, place):
    table = choose(wordnet, ["iris"], [], {"iris": look})
    assert [row["wnid"] for row in table] == [wordnet[0][2], wordnet[0][4]]  # every candidate is there
    assert chosen(table) == {"iris": wordnet[0][place]}
    why = next(row["why"] for row in table if row["why"])
    assert why.startswith("of 2 senses the nearest to what its images look like (0.")


def test_where_images_say_nothing_the_most_frequent_sense_counts_and_that_is_said(wordnet):
    table = choose(wordnet, ["iris", "daisy", "ölfleck"], [], {"iris": [0.5, 0.5]})
    assert chosen(table) == {"iris": wordnet[0][2], "daisy": wordnet[0][7], "ölfleck": ""}
    why = {row["class"]: row["why"] for row in table if row["why"]}
    assert "the most frequent; its images do not tell it from the next" in why["iris"]
    assert why["daisy"] == "its only sense" and why["ölfleck"] == UNKNOWN


def test_what_somebody_wrote_stays(wordnet, tmp_path):
    path = tmp_path / "classes.tsv"
    table = choose(wordnet, ["iris"], [], {"iris": [0.9, 0.1]})
    table[0]["why"], table[1]["why"] = "", "I have looked"
    write_choices(table, path)
    again = choose(wordnet, ["iris", "eye"], read_choices(path), {"iris": [0.9, 0.1]})
    assert chosen(again) == {"iris": wordnet[0][4], "eye": wordnet[0][5]}
    table[1]["why"] = ""
    assert chosen(choose(wordnet, ["iris"], table, {})) == {"iris": ""}  # no sense at all, as somebody wants it


def test_without_wordnet_the_table_says_so_until_there_is_one(wordnet):
    table = propose(["iris", "x"], [], None, {})
    assert [row["why"] for row in table] == [ABSENT, ABSENT] and chosen(table) == {"iris": "", "x": ""}
    assert settled(table, None) == table and settled(table, nouns(wordnet)) == []


@pytest.mark.parametrize(("rows", "said"), [
    ([{"class": "a", "wnid": "dog", "why": ""}], "class 'a': expected a wnid such as n02084071, or nothing, got 'dog'"),
    ([{"class": "a", "wnid": f"n0000000{number}", "why": "x"} for number in (1, 2)], "class 'a': both n00000001 and"),
    ([{"class": "a", "wnid": ""}], "expected columns class, wnid, gloss, why, separated by tabs, got class, wnid"),
])  # fmt: skip
def test_a_table_that_contradicts_itself_is_refused(rows, said):
    with pytest.raises(ValueError, match=said):
        chosen(rows)


def test_classes_are_described_with_and_without_a_synset(wordnet):
    wnids, paths = wordnet
    targets = [("iris-1", "Iris"), ("plant-2", "plants"), ("m4-3", "screw M4"), ("daisy-4", "my daisies")]
    synsets = {"Iris": wnids[2], "plants": wnids[1], "screw M4": "", "my daisies": wnids[7]}
    table = describe_own(targets, synsets, [wnids[7], wnids[5]], paths).set_index("wnid")
    assert list(table["role"]) == ["source"] * 2 + ["target"] * 4
    assert list(table["type"][2:]) == ["disjoint", "inclusive", "disjoint", "included"]
    assert list(table["related"][2:]) == ["", wnids[7], "", wnids[7]]
    assert table.loc["m4-3", ["lemmas", "gloss", "synset"]].tolist() == [
        "screw M4", "No synset: WordNet says nothing of it.", "",
    ]  # fmt: skip
    assert table.loc["daisy-4", "gloss"] == "a small flower"
    with pytest.raises(ValueError, match="no synset n99999999 in the taxonomy"):
        describe_own(targets, synsets | {"Iris": "n99999999"}, [wnids[7]], paths)


def test_without_wordnet_sources_are_called_as_timm_calls_them():
    table = describe_own([("a-1", "a"), ("b-2", "b")], {"a": "n02084071"}, ["n01440764", "n00000001"], [])
    assert list(table["lemmas"]) == ["n00000001", "tench, Tinca tinca", "a", "b"]
    assert table.loc[1, "gloss"].startswith("freshwater dace-like game fish") and set(table["synset"]) == {""}


def test_relations_follow_the_hypernyms_to_any_depth():
    tree = {"n1": Node("a", ()), "n2": Node("b", ("n1",)), "n3": Node("c", ("n2",)), "n4": Node("d", ("n1",))}
    assert relation(tree, "n3", ["n1", "n4"]) == ("included", ["n1"])
    assert relation(tree, "n1", ["n3", "n4"]) == ("inclusive", ["n3", "n4"])
    assert relation(tree, "n2", ["n1", "n3"]) == ("included", ["n1"])  # both above and below
    assert relation(tree, "n4", ["n3"]) == ("disjoint", [])
    assert pd.DataFrame([relation(tree, "n4", ["n4", "n1"])]).values.tolist() == [["included", ["n4"]]]
