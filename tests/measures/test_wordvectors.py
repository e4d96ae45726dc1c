import bz2
import gzip
import lzma
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from headstart.measures.wordvectors import (
    embed_label,
    load_vectors,
    read_sentences,
    save_vectors,
    train_vectors,
    unpack,
    words_of,
)

PROJECT = Path(__file__).parents[2]
DATA = Path(os.environ.get("HEADSTART_DATA", PROJECT.parent / "shared/data"))
ROWS = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, -4.0], [3.0, 3.0, 3.0]], dtype=np.float32)
WORDS = ["bullet", "slug", "train", "line"]
SENTENCES = [f"a {shape} has {corners} corners." for shape, corners in [("square", "four"), ("triangle", "three")]] * 20


def vectors():
    made = KeyedVectors(3)
    made.add_vectors(WORDS, ROWS)
    return made


def bigfile(folder, words="bullet slug train line", shape="4 3", rows=ROWS):
    folder.mkdir(exist_ok=True)
    (folder / "id.txt").write_bytes(words.encode("latin-1"))
    (folder / "shape.txt").write_text(shape)
    rows.astype("<f4").tofile(folder / "feature.bin")
    return folder


def assert_same(found, words=WORDS):
    assert found.index_to_key == words
    assert found.vector_size == 3
    for word, row in zip(words, ROWS, strict=True):
        assert np.array_equal(found[word], row)


def test_bigfile_folder_is_read_row_by_row(tmp_path):
    folder = bigfile(tmp_path / "flickr")
    assert_same(load_vectors(folder))
    assert_same(load_vectors(folder / "feature.bin"))


def test_bigfile_words_in_another_encoding_keep_their_rows(tmp_path):
    # A latin-1 no-break space and an accent: neither may split a word or shift the rows after it.
    found = load_vectors(bigfile(tmp_path / "flickr", words="bullet caf\xe9 a\xa0b line\n"))
    assert np.array_equal(found["line"], ROWS[3])
    assert len(found.index_to_key) == 4


def packed(path, folder, names):
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            tar.add(folder / Path(name).name, name)
    return path


def test_packed_bigfile_is_unpacked_from_any_folder_and_nothing_else_is(tmp_path):
    folder = bigfile(tmp_path / "flickr")
    (folder / "readme.txt").write_text("more")
    names = [f"../word2vec/flickr4m/{name}" for name in ("feature.bin", "id.txt", "shape.txt", "readme.txt")]
    unpack(packed(tmp_path / "v.tar.gz", folder, names), tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["feature.bin", "id.txt", "shape.txt"]
    assert_same(load_vectors(tmp_path / "new"))


def test_packed_bigfile_that_is_cut_short_or_lacks_a_file_is_refused(tmp_path):
    folder = bigfile(tmp_path / "flickr")
    whole = packed(tmp_path / "v.tar.gz", folder, ["feature.bin", "id.txt", "shape.txt"])
    (tmp_path / "cut.tar.gz").write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"cannot unpack .*cut\.tar\.gz"):
        unpack(tmp_path / "cut.tar.gz", tmp_path / "new")
    with pytest.raises(ValueError, match="expected shape.txt, id.txt, feature.bin, once each, found id.txt, shape.txt"):
        unpack(packed(tmp_path / "two.tar.gz", folder, ["id.txt", "shape.txt"]), tmp_path / "new")
    assert not list((tmp_path / "new").glob("*"))


@pytest.mark.parametrize("changes, said", [
    ({"shape": "4"}, r"shape.txt: expected two numbers, rows and dimensions, got '4'"),
    ({"shape": "four three"}, "shape.txt: expected two numbers"),
    ({"shape": "4 4"}, "feature.bin has 48 bytes; 4 rows of 4 float32 in shape.txt make 64"),
    ({"rows": ROWS[:3]}, "feature.bin has 36 bytes; 4 rows of 3 float32 in shape.txt make 48"),
    ({"words": "bullet slug train"}, "id.txt has 3 words, shape.txt says 4"),
])  # fmt: skip
def test_contradictory_bigfile_is_refused(tmp_path, changes, said):
    with pytest.raises(ValueError, match=f"flickr.{said}"):
        load_vectors(bigfile(tmp_path / "flickr", **changes))


def test_incomplete_bigfile_is_refused(tmp_path):
    folder = bigfile(tmp_path / "flickr")
    (folder / "id.txt").unlink()
    with pytest.raises(FileNotFoundError, match="flickr lacks id.txt"):
        load_vectors(folder)


@pytest.mark.parametrize("name, binary", [("v.bin", True), ("v.txt", False), ("v.vec", False)])
def test_word2vec_files_are_read_by_suffix(tmp_path, name, binary):
    vectors().save_word2vec_format(str(tmp_path / name), binary=binary)
    assert_same(load_vectors(tmp_path / name))


def test_gensim_file_is_read(tmp_path):
    vectors().save(str(tmp_path / "v.kv"))
    assert_same(load_vectors(tmp_path / "v.kv"))


def test_saved_vectors_come_back_bit_for_bit(tmp_path):
    save_vectors(vectors(), tmp_path / "new" / "v.bin")
    assert_same(load_vectors(tmp_path / "new" / "v.bin"))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["v.bin"]


@pytest.mark.parametrize("name, content", [
    ("v.bin", b"not a header\n"),
    ("v.bin", b"4 3\nbullet \0\0"),
    ("v.txt", b"bullet 1 0 0\nslug 0 two 0\n"),
    ("v.kv", b"neither a pickle"),
])  # fmt: skip
def test_unreadable_file_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"cannot read .*{name} as word vectors .*expected word2vec's binary form"):
        load_vectors(tmp_path / name)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no word vectors at .*v.bin"):
        load_vectors(tmp_path / "v.bin")


def test_words_are_lower_case_parts_with_repeats():
    assert words_of("in-line skate, Roller_skate") == ["in", "line", "skate", "roller", "skate"]
    assert words_of(["in-line_skate", "Roller skate"]) == words_of("in-line skate, Roller_skate")
    assert words_of("St. Andrew's cross") == ["st.", "andrew's", "cross"]
    assert words_of(" - ") == []


def test_label_is_the_mean_of_all_known_words_of_all_lemmas():
    mean, known, unknown = embed_label(vectors(), "bullet, slug, bullet_train, zip-line")
    assert known == ["bullet", "slug", "bullet", "train", "line"]
    assert unknown == ["zip"]
    assert mean == pytest.approx(np.array([(1 + 0 + 1 + 0 + 3) / 5, (2 + 3) / 5, (-4 + 3) / 5]))


def test_one_known_word_is_enough():
    mean, known, unknown = embed_label(vectors(), "slug, limax")
    assert mean is not None and mean.tolist() == [0.0, 2.0, 0.0]
    assert (known, unknown) == (["slug"], ["limax"])


def test_label_without_known_words_has_no_vector():
    mean, known, unknown = embed_label(vectors(), "okapi, Okapia johnstoni")
    assert mean is None
    assert known == []
    assert unknown == ["okapi", "okapia", "johnstoni"]


def test_sentences_are_read_line_by_line_in_the_order_of_the_files(tmp_path):
    (tmp_path / "b.txt").write_text("one.\n\ntwo.\n")
    (tmp_path / "a.txt").write_text("three.")
    assert read_sentences([tmp_path / "b.txt", tmp_path / "a.txt"]) == ["one.", "two.", "three."]


def test_every_word_of_the_sentences_gets_a_vector():
    found = train_vectors(SENTENCES, dimensions=8, epochs=2, seed=0)
    assert sorted(found.index_to_key) == ["a", "corners", "four", "has", "square", "three", "triangle"]
    assert found.vectors.shape == (7, 8)


def test_words_used_alike_come_closer():
    shapes = ["square", "rhombus", "oblong"]
    fruits = ["apple", "pear", "plum"]
    rng = np.random.default_rng(0)
    sentences = []
    for _ in range(300):
        sentences.append(f"the {rng.choice(shapes)} has straight sides and four corners")
        sentences.append(f"my sweet juicy ripe {rng.choice(fruits)} grew here")
    found = train_vectors(sentences, dimensions=16, epochs=20, seed=0)
    assert found.similarity("square", "rhombus") > found.similarity("square", "pear") + 0.1
    assert found.similarity("apple", "pear") > found.similarity("apple", "oblong") + 0.1


def test_training_is_the_same_in_every_process():
    code = (
        "import hashlib; from headstart.measures.wordvectors import train_vectors;"
        f"v = train_vectors({SENTENCES!r}, 8, 3, seed=1);"
        "print(v.index_to_key, hashlib.sha256(v.vectors.tobytes()).hexdigest())"
    )
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "src")}
    printed = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=environment | {"PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert printed[0] == printed[1] != ""


def test_training_depends_on_the_seed():
    one, two = (train_vectors(SENTENCES, 8, 3, seed=seed).vectors for seed in (1, 2))
    assert not np.array_equal(one, two)


def test_training_without_sentences_is_refused():
    with pytest.raises(ValueError, match="expected sentences to train word vectors on, got none"):
        train_vectors([".", ""], 8, 3, seed=1)


def test_real_bigfile_is_read():
    folder = DATA / "wordvectors/gloss200"
    if not folder.exists():
        pytest.skip(f"the word vectors are not there: {folder}")
    found = load_vectors(folder)
    assert found.vectors.shape == (15768, 200)
    assert found.index_to_key[:3] == ["of", "the", "or"]
    raw = np.fromfile(folder / "feature.bin", dtype="<f4").reshape(15768, 200)
    assert np.array_equal(found["dog"], raw[found.index_to_key.index("dog")])


@pytest.mark.parametrize("pack", [gzip.open, bz2.open, lzma.open])
@pytest.mark.parametrize("suffix", [".bin", ".txt", ".vec"])
def test_packed_files_are_read_as_they_are(tmp_path, suffix, pack):
    vectors().save_word2vec_format(str(tmp_path / f"v{suffix}"), binary=suffix == ".bin")
    ending = {gzip.open: ".gz", bz2.open: ".bz2", lzma.open: ".xz"}[pack]
    with pack(tmp_path / f"packed{suffix}{ending}", "wb") as file:
        file.write((tmp_path / f"v{suffix}").read_bytes())
    assert_same(load_vectors(tmp_path / f"packed{suffix}{ending}"))


GLOVE = "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in zip(WORDS, ROWS.tolist(), strict=True))


@pytest.mark.parametrize("name", ["glove.6B.3d.txt", "glove.vec", "glove.txt.gz", "glove.vec.bz2"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_gloves_text_without_a_first_line_of_numbers_is_read(tmp_path, name, start):
    opened = {".gz": gzip.open, ".bz2": bz2.open}.get(Path(name).suffix, open)
    with opened(tmp_path / name, "wb") as file:
        file.write((start + GLOVE).encode())
    assert_same(load_vectors(tmp_path / name))


def test_gloves_words_may_have_spaces_come_twice_or_be_in_another_encoding(tmp_path):
    content = GLOVE.encode() + b". . . 1 2 3\nslug 7 7 7\n\ncaf\xe9 4 5 6\n"
    (tmp_path / "glove.txt").write_bytes(content)
    found = load_vectors(tmp_path / "glove.txt")
    assert found.index_to_key == [*WORDS, ". . .", "caf\\xe9"]
    assert found[". . ."].tolist() == [1, 2, 3] and found["slug"].tolist() == ROWS[1].tolist()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it has no words"),
        (b"a 1 2\nb 3\n", "line 2 has 2 parts, expected a word and 2"),
        (b"a 1\nb x\n", "b?'x'"),
    ],
)
def test_gloves_text_with_other_lines_is_refused(tmp_path, content, said):
    (tmp_path / "glove.txt").write_bytes(content)
    with pytest.raises(ValueError, match=said):
        load_vectors(tmp_path / "glove.txt")
