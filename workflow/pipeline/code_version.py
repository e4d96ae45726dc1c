"""Tell whether code that a result rests on has changed in meaning."""

import ast
import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pipeline.code_reading import CodeError, Import, all_used, file_of, imports_in, is_of_library, read_module, text_of

# A file and a name that it defines; None stands for all that is in the file, ALWAYS for what runs whoever imports it.
Place = tuple[Path, str | None]
ALWAYS = ""
# This module of a package maps words of a config to places of code; a job is told of those that its config uses.
VOCABULARY = "vocabulary.py"


class Part(NamedTuple):
    """The statements of a place, what they say, and the places in the library that names in them lead to."""

    statements: list[ast.stmt]
    text: str
    links: set[tuple[str, Place]]


@functools.cache
def code_version(script: Path, library: Path, words: tuple[str, ...] = ()) -> str:
    """Return a digest of a script and of all library code it reaches.

    As a parameter of a rule it reruns the rule when that code changes. What counts are the functions, classes and
    constants that the script uses, directly or through others; their comments, docstrings, layout and dates do not,
    nor the files they stand in, nor a neighbour in the same file that nothing here calls.

    Args:
        script: the script of a rule.
        library: folder that holds the package, `src`.
        words: code that the script finds by words of a config, each as "module:name" below the package, in any order.

    Raises:
        CodeError: a file is no Python, or a word leads nowhere.
    """
    return digest("\n".join(sorted(meanings(parts_reached(script, library, words)))))[:12]


def everything_reached(script: Path, library: Path, words: Iterable[str] = ()) -> dict[Place, list[ast.stmt]]:
    """Return the statements that a script reaches, by file and the name in it that leads to them."""
    return {place: part.statements for place, part in parts_reached(script, library, words).items()}


def parts_reached(script: Path, library: Path, words: Iterable[str]) -> dict[Place, Part]:
    """Return every place that a script, or one of some words, reaches."""
    found: dict[Place, Part] = {}
    todo: list[Place] = [(script, None), *(place for word in words for place in places_of_word(word, library))]
    while todo:
        place = todo.pop()
        if place not in found:
            found[place] = part_of(place, library)
            todo += [target for _, target in found[place].links]
    return found


def meanings(parts: dict[Place, Part]) -> set[str]:
    """Return a digest for each meaning among some parts: what one says, and what the names in it mean.

    Names may lead in circles, so the digests start from what the parts say alone and take in those behind their names,
    round after round. Once a round tells no further parts apart, none after it would.
    """
    said, known = {place: part.text for place, part in parts.items()}, 0
    while len(set(said.values())) > known:
        known = len(set(said.values()))
        said = {
            place: digest(repr((part.text, sorted({(name, said[target]) for name, target in part.links}))))
            for place, part in parts.items()
        }
    return set(said.values())


@functools.cache
def part_of(place: Place, library: Path) -> Part:
    """Return what is at one place."""
    path, statements = place[0], statements_of(place, library)
    module, used = read_module(path), all_used(statements)
    imports = [found for found in (*imports_in(statements), *module.imports) if found.name in used]
    links = {
        (name, source)
        for name in used & {*module.definitions, *(found.name for found in imports)}
        for source in sources_of((path, name), [found for found in imports if found.name == name], library)
    }
    # What another package offers is told by its name.
    foreign = {f"{found}" for found in imports if not is_of_library(found.module, library)}
    said = [text_of(statements, library), *files_named(path, statements), *sorted(foreign)]
    return Part(statements, "\n".join(said), links)


def statements_of(place: Place, library: Path) -> list[ast.stmt]:
    """Return the statements at one place, in order; tables of words are no part of it."""
    path, name = place
    module = read_module(path)
    found = {None: module.statements, ALWAYS: module.effects}.get(name, module.definitions.get(name or "", []))
    is_vocabulary = path.name == VOCABULARY and path.parent.parent == library
    return [statement for statement in found if not (is_vocabulary and is_table(statement))]


def is_table(statement: ast.stmt) -> bool:
    """Say whether a statement gives a dictionary a name."""
    return isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(statement.value, ast.Dict)


def files_named(path: Path, statements: list[ast.stmt]) -> list[str]:
    """Return the digest of every page, style sheet and script beside a file that statements name."""
    texts = {node.value for part in statements for node in ast.walk(part) if isinstance(node, ast.Constant)}
    names = [text for text in texts if isinstance(text, str) and text.endswith((".html", ".css", ".js"))]
    files = [path.parent / name for name in sorted(names)]
    return [digest(file.read_bytes()) for file in files if file.is_file()]


def sources_of(place: Place, imports: list[Import], library: Path) -> set[Place]:
    """Return the places of the library that a name leads to, from import to import, and what always runs on the way."""
    seen: set[Place] = set()
    todo = [place, *places_imported(imports, library)]
    while todo:
        place = todo.pop()
        if place not in seen:
            seen |= {place, (place[0], ALWAYS)}
            further = [found for found in read_module(place[0]).imports if found.name == place[1]]
            todo += places_imported(further, library)
    return {place for place in seen if statements_of(place, library)}


def places_imported(imports: list[Import], library: Path) -> list[Place]:
    """Return the files that imports name in the library, each with the name to look for in it."""
    found: list[Place] = []
    for _, module, part in imports:
        whole = file_of(f"{module}.{part}" if part else module, library)
        inside = file_of(module, library)
        found += [(whole, None)] if whole else [(inside, part)] if inside else []
    return found


def places_of_word(word: str, library: Path) -> set[Place]:
    """Return where the code of one word is, written "module:name" below a package of the library."""
    module, _, name = word.partition(":")
    files = [file_of(f"{package.parent.name}.{module}", library) for package in library.glob("*/__init__.py")]
    found = set().union(*(sources_of((file, name), [], library) for file in files if file))
    if all(name == ALWAYS for _, name in found):
        raise CodeError(
            f'"{word}" leads to no code below {library}; expected "module:name" of a function, a class or a constant, '
            'as "measures.similarity:wordnet"'
        )
    return found


def digest(text: str | bytes) -> str:
    """Return the digest of a text."""
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()
