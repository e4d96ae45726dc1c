"""Word vectors: load them, train them on sentences, and give each class label one vector.

gensim is imported only where it is called, because the jobs that only read similarities start faster without it.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from headstart.jobs.files import replacing

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

PACKED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
BIGFILE = ("shape.txt", "id.txt", "feature.bin")


def load_vectors(path: str | os.PathLike[str]) -> KeyedVectors:
    """Load word vectors of any of the usual forms.

    A folder, or a file `feature.bin` in it, is the BigFile form of li-xirong/hierse; `.bin` is word2vec's binary form,
    `.txt` and `.vec` its text form, with a first line of two numbers, or GloVe's without it; all three may be packed
    (`.gz`, `.bz2`, `.xz`). Any other file is one saved by gensim (which unpickles: open only files you trust).

    Raises:
        FileNotFoundError: nothing is there, or the folder is not complete.
        ValueError: the file cannot be read as what its name says.
    """
    place = Path(path)
    if place.is_dir():
        return _load_bigfile(place)
    if not place.is_file():
        raise FileNotFoundError(f"no word vectors at {path}; correct the path")
    if place.name == "feature.bin":
        return _load_bigfile(place.parent)
    try:
        return LOADERS.get(_unpacked_name(place).suffix.lower(), _load_gensim)(place)
    except Exception as error:  # whatever a file of another form makes gensim or pickle stumble over
        raise ValueError(
            f"cannot read {path} as word vectors ({type(error).__name__}: {error}); expected word2vec's binary form in "
            "`.bin`, its text form in `.txt` or `.vec` (with or without a first line of the numbers of words and of "
            "dimensions), any of these packed as .gz, .bz2 or .xz, or a file saved by gensim"
        ) from error


def save_vectors(vectors: KeyedVectors, path: str | os.PathLike[str]) -> None:
    """Write word vectors in word2vec's binary form, to be read as a `.bin` file."""
    with replacing(path) as partial:
        vectors.save_word2vec_format(str(partial), binary=True)


def unpack(archive: str | os.PathLike[str], folder: str | os.PathLike[str]) -> None:
    """Take the three files of the BigFile form out of a packed tar, from whatever folder they lie in there.

    Raises:
        ValueError: no tar, damaged, or one of the files is not there exactly once.
    """
    try:
        with tarfile.open(archive) as tar:
            members = [member for member in tar.getmembers() if Path(member.name).name in BIGFILE and member.isreg()]
            names = sorted(Path(member.name).name for member in members)
            if names != sorted(BIGFILE):
                raise ValueError(
                    f"{archive}: expected {', '.join(BIGFILE)}, once each, found {', '.join(names) or 'none'}"
                )
            for member in members:
                content = tar.extractfile(member)  # read here and written there, so that no path of the tar counts
                assert content is not None
                with replacing(Path(folder) / Path(member.name).name) as partial, partial.open("wb") as file:
                    shutil.copyfileobj(content, file)
    except (tarfile.ReadError, EOFError, OSError, zlib.error) as error:
        raise ValueError(f"cannot unpack {archive} ({error}); fetch it again") from error


def words_of(lemmas: str | Sequence[str]) -> list[str]:
    """Return all words of all lemmas of a label: lower case, split at spaces, commas, hyphens and underscores.

    Repeated words are kept, so that they count as often as they occur.

    >>> words_of("in-line skate, roller_skate")
    ['in', 'line', 'skate', 'roller', 'skate']
    """
    # PAPER: "the average of its words" only. Looking up the first lemma alone would send "bullet, slug" to the bullet
    # train, and contradict Table 1.
    text = lemmas if isinstance(lemmas, str) else ", ".join(lemmas)
    return [word for word in re.split(r"[\s,_-]+", text.lower()) if word]


def embed_label(
    vectors: KeyedVectors, lemmas: str | Sequence[str]
) -> tuple[NDArray[np.float64] | None, list[str], list[str]]:
    """Average the vectors of a label's words: the mean (D,), the known words and the unknown ones.

    The mean is None where no word is known.
    """
    words = words_of(lemmas)
    known = [word for word in words if word in vectors.key_to_index]
    unknown = [word for word in words if word not in vectors.key_to_index]
    rows = [vectors.vectors[vectors.key_to_index[word]] for word in known]
    return (np.mean(rows, axis=0, dtype=np.float64) if rows else None), known, unknown


def read_sentences(paths: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Read sentences, one per line, file after file; empty lines are left out."""
    lines = [line.strip() for path in paths for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line]


def train_vectors(sentences: Iterable[str], dimensions: int, epochs: int, seed: int) -> KeyedVectors:
    """Train skip-gram vectors on sentences; the same sentences, numbers and seed give the same bits in any process.

    Sentences are split into words like labels are, and lose their closing mark. Every word gets a vector.

    Raises:
        ValueError: there is no sentence.
    """
    from gensim.models import Word2Vec

    texts = [words_of(sentence.rstrip(" .!?\n")) for sentence in sentences]
    if not any(texts):
        raise ValueError("expected sentences to train word vectors on, got none")
    # One worker, because several race each other; an own hash, because Python's differs between processes.
    model = Word2Vec(
        texts,
        vector_size=dimensions,
        epochs=epochs,
        seed=seed,
        sg=1,
        min_count=1,
        workers=1,
        hashfxn=hash_word,
    )
    return model.wv


def hash_word(word: str) -> int:
    """Return a number for a word, the same in every process.

    >>> hash_word("slug")
    2560465762
    """
    return zlib.crc32(word.encode())


def _load_bigfile(folder: Path) -> KeyedVectors:
    from gensim.models import KeyedVectors

    missing = [name for name in BIGFILE if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(f"{folder} lacks {', '.join(missing)}; word vectors of the BigFile form need all three")
    rows, dimensions = _bigfile_shape(folder)
    # Words are split at ASCII spaces only, as they were written; one in another encoding keeps a printable form.
    words = [word.decode("utf-8", "backslashreplace") for word in (folder / "id.txt").read_bytes().split()]
    if len(words) != rows:
        raise ValueError(f"{folder / 'id.txt'} has {len(words)} words, shape.txt says {rows}; fetch the folder again")
    vectors = KeyedVectors(dimensions, count=0, dtype=np.float32)
    # Mapped, not read: of a million rows, a few thousand are asked for.
    vectors.vectors = np.memmap(folder / "feature.bin", dtype="<f4", mode="r", shape=(rows, dimensions))
    vectors.index_to_key = words
    vectors.key_to_index = {word: row for row, word in enumerate(words)}
    return vectors


def _bigfile_shape(folder: Path) -> tuple[int, int]:
    text = (folder / "shape.txt").read_text(encoding="utf-8", errors="replace")
    match = re.fullmatch(r"\s*([1-9]\d*)\s+([1-9]\d*)\s*", text)
    if match is None:
        raise ValueError(f"{folder / 'shape.txt'}: expected two numbers, rows and dimensions, got {text[:40]!r}")
    rows, dimensions = int(match[1]), int(match[2])
    size = (folder / "feature.bin").stat().st_size
    if size != rows * dimensions * 4:
        raise ValueError(
            f"{folder / 'feature.bin'} has {size} bytes; {rows} rows of {dimensions} float32 in shape.txt make "
            f"{rows * dimensions * 4}: fetch the folder again"
        )
    return rows, dimensions


def _unpacked_name(path: Path) -> Path:
    return path.with_suffix("") if path.suffix.lower() in PACKED else path


def _opened(path: Path) -> BinaryIO:
    return cast(BinaryIO, PACKED.get(path.suffix.lower(), open)(path, "rb"))


def _load_word2vec_binary(path: Path) -> KeyedVectors:
    from gensim.models import KeyedVectors

    return KeyedVectors.load_word2vec_format(str(path), binary=True)


def _load_word2vec_text(path: Path) -> KeyedVectors:
    from gensim.models import KeyedVectors

    with _opened(path) as file:
        first = file.readline().removeprefix(codecs.BOM_UTF8)
    if not re.fullmatch(rb"\s*\d+\s+\d+\s*", first):
        return _load_glove(path, dimensions=len(first.split()) - 1)
    return KeyedVectors.load_word2vec_format(str(path), binary=False)


def _load_glove(path: Path, dimensions: int) -> KeyedVectors:
    """Read lines of a word and its numbers; a word may have spaces inside, as some of GloVe's Common Crawl do."""
    from gensim.models import KeyedVectors

    rows: dict[str, NDArray[np.float32]] = {}
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            parts = line.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").split()
            if not parts:
                continue
            word = b" ".join(parts[:-dimensions] if dimensions > 0 else []).decode("utf-8", "backslashreplace")
            if not word:
                raise ValueError(
                    f"line {number} has {len(parts)} parts, expected a word and {max(dimensions, 1)} numbers"
                )
            rows.setdefault(word, np.array(parts[-dimensions:], np.float64).astype(np.float32))
    if not rows:
        raise ValueError("it has no words")
    vectors = KeyedVectors(dimensions, count=0, dtype=np.float32)
    vectors.add_vectors(list(rows), np.stack([*rows.values()]))
    return vectors


def _load_gensim(path: Path) -> KeyedVectors:
    from gensim.models import KeyedVectors

    loaded = KeyedVectors.load(str(path))
    vectors = getattr(loaded, "wv", loaded)
    if not isinstance(vectors, KeyedVectors):
        raise TypeError(f"it holds {type(loaded).__name__}, no word vectors")
    return vectors


LOADERS: dict[str, Callable[[Path], KeyedVectors]] = {
    ".bin": _load_word2vec_binary,
    ".txt": _load_word2vec_text,
    ".vec": _load_word2vec_text,
}
