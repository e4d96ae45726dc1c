"""Read Python files without running them: what each defines and imports, what its code says, which names it uses."""

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# What is bound in these is unknown around them.
SCOPES = (*FUNCTIONS, *COMPREHENSIONS, ast.ClassDef)


class CodeError(ValueError):
    """Code that cannot be read or is not there; the message says where, and what to do."""


class Import(NamedTuple):
    """A name that an import brings in: a whole module, or a part of one."""

    name: str
    module: str
    part: str | None


class Module(NamedTuple):
    """A file taken apart: what it defines at its top level, what always runs, and where its other names come from."""

    statements: list[ast.stmt]
    definitions: dict[str, list[ast.stmt]]
    effects: list[ast.stmt]
    imports: list[Import]


@functools.cache
def read_module(path: Path) -> Module:
    """Take a file apart.

    Raises:
        CodeError: the file is no Python.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or "?"
        said = getattr(error, "msg", None) or error
        raise CodeError(f"{path}, line {line}: {said}; correct it, or take it back") from None
    # Those inside functions and classes are theirs alone.
    imports = imports_in([node for node in tree.body if not isinstance(node, NAMED)])
    statements = [node for node in tree.body if not (is_import(node) or is_idle(node) or is_for_types(node))]
    module = Module(statements, {}, [], imports)
    for statement in statements:
        for name in defined_names(statement):
            module.definitions.setdefault(name, []).append(statement)
        if not isinstance(statement, (*NAMED, ast.Assign, ast.AnnAssign)):
            module.effects.append(statement)
    return module


def is_import(node: object) -> bool:
    """Say whether a statement is an import."""
    return isinstance(node, ast.Import | ast.ImportFrom)


def is_idle(node: object) -> bool:
    """Say whether a statement does nothing, as a docstring."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def is_for_types(node: object) -> bool:
    """Say whether a statement is a block that only type checkers read."""
    if not isinstance(node, ast.If) or node.orelse:
        return False
    return getattr(node.test, "id", getattr(node.test, "attr", None)) == "TYPE_CHECKING"


def imports_in(statements: Iterable[ast.stmt]) -> list[Import]:
    """Return what the imports in some statements bring in, those in their blocks and functions too."""
    found = []
    for node in (part for statement in statements for part in ast.walk(statement)):
        if isinstance(node, ast.Import):
            found += [Import(alias.asname or alias.name.split(".")[0], alias.name, None) for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [Import(alias.asname or alias.name, node.module, alias.name) for alias in node.names]
    return found


def file_of(name: str, library: Path) -> Path | None:
    """Return the file of a module or package of the library, None for any other."""
    place = library.joinpath(*name.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def is_of_library(module: str, library: Path) -> bool:
    """Say whether a module belongs to a package of the library."""
    return file_of(module.split(".")[0], library) is not None


def text_of(code: object, library: Path) -> str:
    """Return what code says: its syntax tree without layout, comments, docstrings and imports from the library."""
    if isinstance(code, list):
        return "[" + ",".join(text_of(part, library) for part in code if not is_silent(part, library)) + "]"
    if not isinstance(code, ast.AST):
        return repr(code)
    # Empty fields stay out: the next Python has new ones.
    fields = [f"{name}={text_of(value, library)}" for name, value in ast.iter_fields(code) if value not in (None, [])]
    return f"{type(code).__name__}({','.join(fields)})"


def is_silent(node: object, library: Path) -> bool:
    """Say whether a statement does nothing itself; where an import from the library leads is followed elsewhere."""
    if isinstance(node, ast.Import):
        return all(is_of_library(alias.name, library) for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return is_of_library(node.module or "", library)
    return is_idle(node)


def own_scope(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield nodes and all below them, but nothing from inside functions, classes and comprehensions."""
    for node in nodes:
        yield node
        if not isinstance(node, SCOPES):
            yield from own_scope(ast.iter_child_nodes(node))


def names_bound(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that code of one scope binds in it."""
    bound, elsewhere = set(), set()
    for node in own_scope(nodes):
        if isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, NAMED):
            bound.add(node.name)
        elif isinstance(node, ast.Global):
            elsewhere.update(node.names)
    return bound - elsewhere


def defined_names(statement: ast.stmt) -> set[str]:
    """Return the names that a top-level statement defines or changes a part of."""
    changed = [
        part
        for part in own_scope([statement])
        if isinstance(part, ast.Attribute | ast.Subscript) and not isinstance(part.ctx, ast.Load)
    ]
    whole = {node.id for part in changed for node in ast.walk(part) if isinstance(node, ast.Name)}
    return names_bound([statement]) | whole


def names_used(node: ast.AST) -> set[str]:
    """Return the names that code takes from around it: it reads or changes them, and no function in it binds them.

    >>> sorted(names_used(ast.parse("def f(x, y=y): return [x + z + k for k in g]")))
    ['g', 'y', 'z']
    """
    if isinstance(node, ast.Name):
        return set() if isinstance(node.ctx, ast.Store) else {node.id}
    if isinstance(node, ast.Global):
        return set(node.names)
    children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        return names_used(node.value) | {node.target.id}
    if isinstance(node, FUNCTIONS):
        body = node.body if isinstance(node.body, list) else [node.body]
        around = [child for child in children if child not in body]
        return all_used(around) | (all_used(body) - names_bound(children))
    if isinstance(node, COMPREHENSIONS):
        # The first thing gone through is looked up outside.
        return (all_used(children) - names_bound(children)) | names_used(node.generators[0].iter)
    return all_used(children)


def all_used(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that any of some pieces of code takes from around it."""
    return set().union(*map(names_used, nodes))
