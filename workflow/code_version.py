"""Tell whether code that a result rests on has changed in meaning."""

import ast
import hashlib
from pathlib import Path


def code_version(script: Path, library: Path) -> str:
    """Return a digest of a script and of all library code it reaches.

    As a parameter of a rule it reruns the rule when that code changes; comments, docstrings, layout and dates do not
    count. Only absolute imports are followed (the linter forbids the others).

    Args:
        script: the script of a rule.
        library: folder that holds the package, `src`.
    """
    trees: dict[Path, ast.Module] = {}
    todo = [script]
    while todo:
        path = todo.pop()
        if path not in trees:
            trees[path] = without_docstrings(ast.parse(path.read_text()))
            todo += imported_files(trees[path], library)
    dumps = sorted(ast.dump(tree) for tree in trees.values())
    return hashlib.sha256("".join(dumps).encode()).hexdigest()[:12]


def imported_files(tree: ast.Module, library: Path) -> list[Path]:
    """Return the library's files that a syntax tree imports, packages on the way included."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    files = []
    for name in names:
        parts = name.split(".")
        places = [library.joinpath(*parts[: end + 1]) for end in range(len(parts))]
        files += [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
    return [file for file in dict.fromkeys(files) if file.is_file()]


def without_docstrings(tree: ast.Module) -> ast.Module:
    """Return the tree with the docstrings of modules, classes and functions taken out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
                node.body = node.body[1:] or [ast.Pass()]
    return tree
