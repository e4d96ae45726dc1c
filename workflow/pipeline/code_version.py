"""Tell whether code that a result rests on has changed in meaning."""

import ast
import functools
import hashlib
from pathlib import Path
from typing import NamedTuple


class Module(NamedTuple):
    """What a file defines at its top level, and where the other names in it come from."""

    statements: list[ast.stmt]
    definitions: dict[str, list[ast.stmt]]
    effects: list[ast.stmt]
    imports: dict[str, tuple[str, str | None]]


def code_version(script: Path, library: Path) -> str:
    """Return a digest of a script and of all library code it reaches.

    As a parameter of a rule it reruns the rule when that code changes. What counts are the functions, classes and
    constants that the script uses, directly or through others; their comments, docstrings, layout and dates do not,
    nor does a neighbour in the same file that nothing here calls.

    Args:
        script: the script of a rule.
        library: folder that holds the package, `src`.
    """
    dumps = {
        # In order, since statements that always run, a script's above all, mean something else in another.
        f"{file.stem} " + "; ".join(map(ast.dump, statements))
        for (file, _), statements in everything_reached(script, library).items()
    }
    return hashlib.sha256("\n".join(sorted(dumps)).encode()).hexdigest()[:12]


def everything_reached(script: Path, library: Path) -> dict[tuple[Path, str | None], list[ast.stmt]]:
    """Return the statements that a script reaches, by file and the name in it that leads to them; None is all of it."""
    found: dict[tuple[Path, str | None], list[ast.stmt]] = {}
    todo: list[tuple[Path, str | None]] = [(script, None)]
    while todo:
        place = todo.pop()
        if place not in found:
            found[place] = reached(*place)
            todo += [source for name in names_in(found[place]) for source in sources_of(place[0], name, library)]
    return found


@functools.cache
def read_module(path: Path) -> Module:
    """Take a file apart into definitions, statements with an effect, and imported names."""
    tree = without_docstrings(ast.parse(path.read_text()))
    statements = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    module = Module(statements, {}, [], {})
    for statement in statements:
        names = defined_names(statement)
        for name in names:
            module.definitions.setdefault(name, []).append(statement)
        if not names:
            module.effects.append(statement)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            module.imports.update(
                {alias.asname or alias.name.split(".")[0]: (alias.name, None) for alias in node.names}
            )
        if isinstance(node, ast.ImportFrom) and node.module:
            module.imports.update({alias.asname or alias.name: (node.module, alias.name) for alias in node.names})
    return module


def defined_names(statement: ast.stmt) -> list[str]:
    """Return the names that a top-level statement defines."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    return []


def reached(path: Path, name: str | None) -> list[ast.stmt]:
    """Return the statements of a file behind one name, with those that always run; all of them for None."""
    module = read_module(path)
    found = module.statements if name is None else [*module.effects, *module.definitions.get(name, [])]
    return [*found, *files_named(path, found)]


def files_named(path: Path, statements: list[ast.stmt]) -> list[ast.stmt]:
    """Return a statement with the digest of every page, style sheet and script beside a file that statements name."""
    texts = {node.value for part in statements for node in ast.walk(part) if isinstance(node, ast.Constant)}
    names = [text for text in texts if isinstance(text, str) and text.endswith((".html", ".css", ".js"))]
    files = [path.parent / name for name in sorted(names)]
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()]
    return [ast.Expr(ast.Constant(digest)) for digest in digests]


def names_in(statements: list[ast.stmt]) -> set[str]:
    """Return every plain name that occurs in some statements."""
    return {node.id for statement in statements for node in ast.walk(statement) if isinstance(node, ast.Name)}


def sources_of(path: Path, name: str, library: Path) -> list[tuple[Path, str | None]]:
    """Return where a name used in a file is defined: in the file itself or in the library."""
    module = read_module(path)
    found: list[tuple[Path, str | None]] = [(path, name)] if name in module.definitions else []
    if name in module.imports:
        origin, part = module.imports[name]
        whole = file_of(f"{origin}.{part}" if part else origin, library)
        inside = file_of(origin, library)
        found += [(whole, None)] if whole else [(inside, part)] if inside else []
    return found


def file_of(name: str, library: Path) -> Path | None:
    """Return the file of a module or package of the library, None for any other."""
    place = library.joinpath(*name.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def without_docstrings(tree: ast.Module) -> ast.Module:
    """Return the tree with the docstrings of modules, classes and functions taken out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                rest = node.body[1:]
                node.body = rest or ([] if isinstance(node, ast.Module) else [ast.Pass()])
    return tree
