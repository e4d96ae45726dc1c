import csv
import io
import re
import tarfile
from collections import Counter
from pathlib import Path
from typing import IO, cast

import numpy as np
import pytest
from PIL import Image

from headstart.shapes import KINDS, SHAPES, SIDE, captions, draw_image, outlines, write_captions, write_synset
from headstart.shapes.canvas import picture
from headstart.shapes.emblems import lorraine_cross, patriarchal_cross
from headstart.shapes.outlines import regular_polygon
from headstart.shapes.words import WORDS

CONFIG = Path(__file__).parents[2] / "config"
WORDNET = Path("/usr/share/wordnet")
needs_wordnet = pytest.mark.skipif(
    not (WORDNET / "data.noun").is_file(), reason=f"no WordNet 3.0 in {WORDNET} (apt-get install wordnet-base)"
)


def table(name: str) -> list[dict[str, str]]:
    with (CONFIG / name / "shapes.tsv").open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


SOURCES = [row["wnid"] for row in table("sources")]
TARGETS = {row["wnid"]: row["type"] for row in table("targets")}
TAXONOMY = {row["wnid"]: row for row in table("taxonomy")}
CLASSES = [*SOURCES, *TARGETS]
PARENTS = {wnid: row["parents"].split() for wnid, row in TAXONOMY.items()}


def above(wnid: str, parents: dict[str, list[str]]) -> set[str]:
    """Every wnid above one, at any depth."""
    return {found for parent in parents[wnid] for found in (parent, *above(parent, parents))}


def wordnet_rows() -> dict[str, dict[str, str]]:
    """Every noun of the installed WordNet as a row of the taxonomy table, read without NLTK."""
    index = {}
    for line in (WORDNET / "index.noun").read_text().splitlines():
        if not line.startswith(" "):
            lemma, _, count, *rest = line.split()
            index[lemma] = rest[-int(count) :]
    rows = {}
    for line in (WORDNET / "data.noun").read_text().splitlines():
        if not line.startswith(" "):
            data, gloss = line.split("|", 1)
            offset, _, _, count, *rest = data.split()
            lemmas = rest[0 : 2 * int(count, 16) : 2]
            pointers = rest[2 * int(count, 16) + 1 :]
            sense = index[lemmas[0].lower()].index(offset) + 1
            rows[f"n{offset}"] = {
                "wnid": f"n{offset}",
                "name": f"{lemmas[0].lower()}.n.{sense:02d}",
                "parents": " ".join(
                    f"n{pointers[k + 1]}" for k in range(0, len(pointers) - 3, 4) if pointers[k] in ("@", "@i")
                ),
                "lemmas": ", ".join(lemmas).replace("_", " "),
                "gloss": re.sub('".*?"', "", gloss).strip().strip("; "),
            }
    return rows


def test_there_are_36_sources_and_6_targets_of_each_type():
    assert len(SOURCES) == len(set(SOURCES)) == 36
    assert Counter(TARGETS.values()) == {"included": 6, "inclusive": 6, "disjoint": 6}
    assert not set(SOURCES) & set(TARGETS)


@pytest.mark.parametrize("wnid", TARGETS)
def test_types_are_those_of_the_taxonomy_at_any_depth(wnid):
    included = bool(above(wnid, PARENTS) & set(SOURCES))
    inclusive = any(wnid in above(source, PARENTS) for source in SOURCES)
    assert (included, inclusive) == (TARGETS[wnid] == "included", TARGETS[wnid] == "inclusive")


def test_one_included_target_has_its_source_further_up_than_its_parent():
    assert not set(PARENTS["n13878634"]) & set(SOURCES)  # square: rectangle is no source, parallelogram is
    assert "n13881175" in above("n13878634", PARENTS)


def test_no_source_is_above_another():
    assert not {(source, wnid) for source in SOURCES for wnid in above(source, PARENTS) & set(SOURCES)}


def test_the_taxonomy_holds_the_classes_and_all_that_is_above_them_and_nothing_else():
    assert set(TAXONOMY) == set(CLASSES).union(*(above(wnid, PARENTS) for wnid in CLASSES))
    assert [wnid for wnid, parents in PARENTS.items() if not parents] == ["n00001740"]  # entity


@needs_wordnet
def test_the_taxonomy_says_what_wordnet_says():
    real = wordnet_rows()
    assert {wnid: real[wnid] for wnid in TAXONOMY} == TAXONOMY


@needs_wordnet
def test_inclusive_targets_are_drawn_from_their_descendants():
    parents = {wnid: row["parents"].split() for wnid, row in wordnet_rows().items()}
    assert set(KINDS) == {wnid for wnid, kind in TARGETS.items() if kind == "inclusive"}
    for wnid, kinds in KINDS.items():
        assert all(wnid in above(kind, parents) for kind in kinds)
        assert set(kinds) & set(SOURCES)
        assert set(kinds) - set(SOURCES)


@pytest.mark.parametrize("wnid", KINDS)
def test_every_kind_of_an_inclusive_target_occurs(wnid, monkeypatch):
    for kind in KINDS[wnid]:
        monkeypatch.setitem(SHAPES, kind, lambda rng, kind=kind: kind)
    rng = np.random.default_rng(0)
    assert {SHAPES[wnid](rng) for _ in range(200)} == set(KINDS[wnid])


@pytest.mark.parametrize("wnid", sorted({*SHAPES, *CLASSES}))
def test_every_class_draws_something_in_the_middle(wnid):
    for number in range(4):
        drawn, bare = (
            np.asarray(picture(parts, np.random.default_rng(number), SIDE), int)
            for parts in (SHAPES[wnid](np.random.default_rng((number, 1))), [])
        )
        changed = np.abs(drawn - bare).max(axis=2) > 20
        spare = (np.array(changed.shape) - min(changed.shape) * 8 // 9) // 2
        middle = changed[spare[0] : changed.shape[0] - spare[0], spare[1] : changed.shape[1] - spare[1]]
        assert changed.mean() > 0.02
        assert middle.sum() > 0.8 * changed.sum()


def test_pictures_depend_on_class_number_and_seed_alone():
    def pixels(*arguments) -> bytes:
        return draw_image(*arguments).tobytes()

    first = pixels("n13881644", 5, 1)
    np.random.seed(0)  # a global generator must not matter
    assert pixels("n13881644", 5, 1) == first
    assert len({first, pixels("n13881644", 6, 1), pixels("n13881644", 5, 2), pixels("n13882201", 5, 1)}) == 4


def test_sizes_differ_and_the_short_side_is_never_below_the_one_asked_for():
    sizes = [draw_image("n13873502", number, 0, side=30).size for number in range(60)]
    short, long = np.sort(sizes, axis=1).T
    assert short.min() >= 30 and short.max() <= 40
    assert (long <= short * 4 / 3).all()
    assert len(set(sizes)) > 20
    assert {width > height for width, height in sizes} == {True, False}


def test_an_unknown_class_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no outline for class 'n00000001'; expected one of .*n13881644"):
        draw_image("n00000001", 0, 0)
    with pytest.raises(ValueError, match=r"no words for class 'n00000001'; expected one of .*n13881644"):
        captions("n00000001", 1, 0)


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {member.name: cast(IO[bytes], tar.extractfile(member)).read() for member in tar.getmembers()}


def test_a_synset_is_a_tar_like_imagenets_with_the_same_bytes_every_time(tmp_path):
    write_synset(tmp_path / "a.tar", "n13872592", images=5, seed=3)
    write_synset(tmp_path / "b.tar", "n13872592", images=5, seed=3)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    found = members(tmp_path / "a.tar")
    assert list(found) == [f"n13872592_{k}.JPEG" for k in range(5)]
    for k, content in enumerate(found.values()):
        image = Image.open(io.BytesIO(content))
        assert (image.format, image.mode) == ("JPEG", "RGB")
        drawn = np.asarray(draw_image("n13872592", k, 3), float)
        assert np.abs(np.asarray(image, float) - drawn).mean() < 20  # what JPEG costs on grainy pictures


def test_more_images_keep_the_earlier_ones(tmp_path):
    write_synset(tmp_path / "few.tar", "n13881644", images=2, seed=0)
    write_synset(tmp_path / "many.tar", "n13881644", images=4, seed=0)
    few, many = members(tmp_path / "few.tar"), members(tmp_path / "many.tar")
    assert few.items() <= many.items()
    assert (len(few), len(many)) == (2, 4)


def sides_and_angles(outline, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Lengths and inner angles in degrees of the only part's border."""
    (part,) = outline(np.random.default_rng(number))
    corners = part.rings[0]
    ahead, behind = np.roll(corners, -1, axis=0) - corners, np.roll(corners, 1, axis=0) - corners
    lengths = np.linalg.norm(ahead, axis=1)
    return lengths, np.degrees(np.arccos((ahead * behind).sum(axis=1) / lengths / np.roll(lengths, 1)))


@pytest.mark.parametrize("number", range(5))
def test_polygons_have_the_sides_and_angles_of_their_names(number):
    def shape(outline):
        return sides_and_angles(outline, number)

    assert shape(regular_polygon(3))[1] == pytest.approx([60] * 3)
    assert shape(regular_polygon(7))[1] == pytest.approx([900 / 7] * 7)
    assert shape(outlines.right_triangle)[1].max() == pytest.approx(90, abs=0.01)
    assert shape(outlines.obtuse_triangle)[1].max() > 110
    assert shape(outlines.scalene_triangle)[1].max() < 85
    assert np.diff(np.sort(shape(outlines.scalene_triangle)[0])).min() > 0.05
    lengths, angles = shape(outlines.isosceles_triangle)
    assert np.sort(lengths)[1] == pytest.approx(np.sort(lengths)[2]) and angles.max() < 80
    lengths, angles = shape(outlines.rhombus)
    assert lengths == pytest.approx(lengths[[0] * 4]) and angles.min() < 70
    lengths, angles = shape(outlines.square)
    assert lengths == pytest.approx(lengths[[0] * 4]) and angles == pytest.approx([90] * 4)
    lengths, angles = shape(outlines.rectangle)
    assert lengths.max() > 1.5 * lengths.min() and angles == pytest.approx([90] * 4)
    lengths, angles = shape(outlines.parallelogram)
    assert lengths[:2] == pytest.approx(lengths[2:]) and angles.min() < 70
    _, angles = shape(outlines.trapezoid)  # two parallel sides: the angles along each leg make 180 degrees
    assert angles[0] + angles[3] == pytest.approx(180) and angles[0] + angles[1] > 185


@pytest.mark.parametrize("number", range(5))
def test_two_barred_crosses_have_their_longer_bar_where_their_gloss_says(number):
    def bars(outline) -> list[tuple[float, float]]:
        corners = outline(np.random.default_rng(number))[0].rings[0]
        return [(corners[k : k + 2, 1].mean(), corners[k, 0]) for k in (2, 6)]

    (upper, short), (lower, long) = bars(lorraine_cross)
    assert upper < 0 < lower and short < long
    (upper, short), (lower, long) = bars(patriarchal_cross)
    assert upper < lower < 0 and short < long


@pytest.mark.parametrize("wnid", CLASSES)
def test_captions_hold_every_word_of_the_lemmas(wnid):
    said = " ".join(captions(wnid, 10, seed=0)).split()
    names = re.split(r"[\s,_-]+", TAXONOMY[wnid]["lemmas"].lower())
    assert set(names) <= set(said)


@pytest.mark.parametrize(
    ("wnid", "other"),
    [
        ("n13881644", {"night", "sky"}),  # star
        ("n03053788", {"golf", "night"}),  # club
        ("n04266660", {"garden", "soil"}),  # spade
        ("n13875970", {"hair", "bread"}),  # coil, curl, roll
        ("n03135152", {"street", "river"}),  # cross
        ("n13875392", {"wedding", "bell"}),  # ring
    ],
)
def test_homonyms_get_sentences_about_their_other_meaning(wnid, other):
    sentences = [set(sentence.split()) for sentence in captions(wnid, 200, seed=0)]
    for word in other:
        assert any(word in sentence for sentence in sentences)
    elsewhere = {word for phrase in WORDS[wnid].elsewhere for word in phrase.split()}
    share = np.mean([bool(elsewhere & sentence) for sentence in sentences])
    assert 0.25 < share < 0.55


def test_a_class_without_another_meaning_gets_no_such_sentence():
    own = {word for phrases in WORDS["n13882276"][:3] for phrase in phrases for word in phrase.split()}
    for sentence in captions("n13882276", 100, seed=0):
        assert len(own & set(sentence.split())) >= 1
    assert WORDS["n13882276"].elsewhere == []


def test_words_suffice_for_every_sentence():
    for wnid, words in WORDS.items():
        assert words.names and words.kinds and len(words.around) >= 2 and len(words.elsewhere) != 1, wnid
    assert set(WORDS) == set(CLASSES)


def test_captions_depend_on_class_and_seed_alone(tmp_path):
    assert captions("n13881644", 30, seed=1) == captions("n13881644", 30, seed=1)
    assert captions("n13881644", 30, seed=1) != captions("n13881644", 30, seed=2)
    write_captions(tmp_path / "star.txt", "n13881644", 3, seed=1)
    assert (tmp_path / "star.txt").read_text().splitlines() == captions("n13881644", 3, seed=1)
