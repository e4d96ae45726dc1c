"""The conda environments hold what their rules import, in the versions of requirements.txt, and nothing else is needed.

What conda-forge itself offers cannot be asked here: a test needs no network.
"""

import ast
import re
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from headstart.vocabulary import FIGURES, KERNELS, MEASURES, STRATEGIES, TABLES, all_starts, codes
from pipeline.code_reading import file_of
from pipeline.code_version import everything_reached

PROJECT = Path(__file__).parents[2]
LIBRARY = PROJECT / "src"
ENVIRONMENTS = sorted((PROJECT / "envs").glob("*.yaml"))
RULES = "\n".join(path.read_text() for path in sorted((PROJECT / "workflow/rules").glob("*.smk")))
# Packages whose name on conda-forge is another one than on PyPI; matplotlib alone would bring Qt.
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}
# What is imported by nobody but needed all the same: pandas reads and writes Parquet, and torch ONNX, with it.
UNSEEN = {"pandas": {"pyarrow"}, "onnx": {"onnxscript"}}
DISTRIBUTIONS = packages_distributions()


def all_of(table: dict) -> tuple[str, ...]:
    """The places of the code behind all words of a table."""
    return tuple(codes(table, table))


# What a script finds by words of a config: any word may stand in one.
WORDS = {
    "measure_similarity": all_of(MEASURES),
    "predict_rows": all_of(KERNELS),
    "sweep_neighbours": all_of({word: measure for word, measure in MEASURES.items() if measure.sampled}),
    "initialise_heads": all_of(all_starts()),
    "fine_tune": all_of(STRATEGIES),
    "export_model": all_of(STRATEGIES),
    "measure_consistency": all_of(STRATEGIES),
    "tabulate": all_of(TABLES),
    "draw_figure": all_of(FIGURES),
    "build_explorer": all_of({"table2": TABLES["table2"]}),
}


def script_environments() -> list[tuple[str, str]]:
    """Rule and environment of every rule with a script; the environment is "" where it names none."""
    bodies = re.findall(r"^ *rule (\w+):\n(.*?)(?=^ *rule |\Z)", RULES, flags=re.MULTILINE | re.DOTALL)
    found = [(rule, re.search(r'conda:\s+"\.\./\.\./envs/(\w+)\.yaml"', body)) for rule, body in bodies]
    return [(rule, env[1] if env else "") for rule, env in found]


def import_statements(nodes: list[ast.stmt], lazy: bool) -> list[ast.Import | ast.ImportFrom]:
    """The imports among some statements and their blocks; those inside functions only if lazy, none for types alone."""
    found = []
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        elif lazy or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = [part for part in ast.walk(node) if isinstance(part, ast.stmt) and part is not node]
            found += (
                [part for part in inside if isinstance(part, ast.Import | ast.ImportFrom)]
                if lazy
                else (
                    import_statements([part for part in ast.iter_child_nodes(node) if isinstance(part, ast.stmt)], lazy)
                )
            )
    return found


def modules_named(statement: ast.Import | ast.ImportFrom) -> list[str]:
    """Every dotted name that may be a module."""
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    return [statement.module or "", *(f"{statement.module}.{alias.name}" for alias in statement.names)]


def packages_needed(script: Path, library: Path, words: tuple[str, ...] = ()) -> set[str]:
    """Top names of the third-party packages that a script imports, itself or through the library, at once or later.

    What it finds by words of a config, "module:name", is imported when it is used.
    """
    statements = import_statements(ast.parse(script.read_text()).body, lazy=False)
    for reached in everything_reached(script, library, words).values():
        statements += import_statements(reached, lazy=True)
    names = [name for statement in statements for name in modules_named(statement)]
    names += [
        f"{package.parent.name}.{word.split(':')[0]}" for package in library.glob("*/__init__.py") for word in words
    ]
    loaded: set[Path] = set()
    packages: set[str] = set()
    while names:
        name = names.pop()
        file, inside = file_of(name, library), file_of(name.split(".")[0], library)
        if file is None and inside is None:
            top = name.split(".")[0]
            packages |= {top} - set(sys.stdlib_module_names)
        elif file and file not in loaded:  # loading a module loads what it imports at its top
            loaded.add(file)
            top_level = import_statements(ast.parse(file.read_text()).body, lazy=False)
            names += [found for statement in top_level for found in modules_named(statement)]
    return packages


def conda_names(packages: set[str]) -> set[str]:
    """The packages of conda-forge behind some names that are imported."""
    distributions = {dist.lower() for name in packages for dist in DISTRIBUTIONS[name]}
    distributions |= {unseen for dist in distributions for unseen in UNSEEN.get(dist, set())}
    return {CONDA_NAMES.get(dist, dist) for dist in distributions}


def locked_versions(text: str) -> dict[str, list[str]]:
    """Distribution -> the minor versions that a lock file pins, several where they depend on the Python."""
    found: dict[str, list[str]] = {}
    for name, minor in re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==(\d+\.\d+)", text, flags=re.MULTILINE):
        found.setdefault(CONDA_NAMES.get(name, name), []).append(minor)
    return found


def pin(minors: list[str]) -> str:
    """The version that an environment must name for some locked minors, which all have the same major version."""
    first, last = minors[0], minors[-1]
    if first == last:
        return f"={first}"
    major, minor = last.split(".")
    return f">={first},<{major}.{int(minor) + 1}"


def faults(text: str, lock: dict[str, list[str]], python: str) -> list[str]:
    """What is wrong with the text of an environment, whatever it is for."""
    env = yaml.safe_load(text)
    found = [f"key {key}" for key in env if key not in ("channels", "dependencies")]
    if env.get("channels") != ["conda-forge"]:
        found.append(f"channels {env.get('channels')}")
    for spec in env["dependencies"]:
        name, _, version = str(spec).partition(" ")
        wanted = python if name == "python" else pin(lock[name]) if name in lock else None
        if version != wanted:
            found.append(f"{spec}: expected {name} {wanted}")
    return found


def held(text: str) -> set[str]:
    """The packages that an environment names, Python aside."""
    return {spec.split(" ")[0] for spec in yaml.safe_load(text)["dependencies"]} - {"python"}


LOCK = locked_versions((PROJECT / "requirements.txt").read_text())
PYTHON = re.search(r'requires-python = "(.*)"', (PROJECT / "pyproject.toml").read_text())[1]


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_environments_are_conda_forge_alone_pinned_to_the_locked_minors(path):
    assert not faults(path.read_text(), LOCK, PYTHON)


def test_scripts_that_find_code_by_words_are_those_with_words():
    found = {path.stem for path in (PROJECT / "workflow/scripts").glob("*.py") if "code_of(" in path.read_text()}
    assert found | {"tabulate", "build_explorer", "initialise_heads"} == set(WORDS)


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_environments_hold_exactly_what_their_rules_import(path):
    needed = {
        name: packages_needed(PROJECT / f"workflow/scripts/{name}.py", LIBRARY, WORDS.get(name, ()))
        for name, _ in script_environments()
    }
    wanted = set().union(*(conda_names(needed[rule]) for rule, env in script_environments() if env == path.stem))
    assert held(path.read_text()) == wanted


def test_every_rule_with_a_script_names_an_environment_and_every_environment_is_used():
    assert {env for _, env in script_environments()} == {path.stem for path in ENVIRONMENTS}
    assert len(script_environments()) == RULES.count("script:\n")


def test_nothing_but_environments_lies_in_envs():
    """A pin file or a deploy script would change what conda installs, unseen by these tests."""
    assert [path.name for path in sorted((PROJECT / "envs").iterdir())] == [path.name for path in ENVIRONMENTS]


def snakemakes_own() -> set[str]:
    """Every distribution that comes with a plain Snakemake."""
    found, todo = set(), ["snakemake"]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            wanted = [Requirement(line) for line in requires(name) or []]
            todo += [part.name.lower() for part in wanted if part.marker is None or part.marker.evaluate({"extra": ""})]
    return found


def test_the_snakefile_itself_needs_nothing_but_snakemake(tmp_path):
    """Who runs `snakemake --sdm conda` has Snakemake alone in the environment that reads the rules."""
    common = (PROJECT / "workflow/rules/common.smk").read_text()
    lines = re.findall(r"^(?:import|from) .*$", common, flags=re.MULTILINE)
    (tmp_path / "common.py").write_text("\n".join(lines))
    both = tmp_path / "both"
    both.mkdir()
    for package in (LIBRARY / "headstart", PROJECT / "workflow/pipeline"):
        (both / package.name).symlink_to(package)
    packages = packages_needed(tmp_path / "common.py", both) - {"snakemake"}
    assert "jsonschema" in packages and "pipeline" not in packages
    distributions = {dist.lower() for name in packages for dist in DISTRIBUTIONS[name]}
    assert distributions <= snakemakes_own()


# The checks themselves, on samples that are wrong.


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("- conda-forge", "- defaults", "channels"),
        ("- conda-forge", "- conda-forge\n  - nodefaults", "channels"),
        ("channels:", "name: x\nchannels:", "key name"),
        ("=3.1", "=3.0", "expected pandas =3.1"),
        ("=3.1", "=3.1.1", "expected pandas =3.1"),
        (" =3.1", "", "expected pandas =3.1"),
        ("<2.6", "<2.7", "expected numpy >=2.4,<2.6"),
        ("pandas", "polars", "expected polars None"),
        ("- pandas =3.1", "- pip: [pandas]", "pip"),
        (">=3.11", ">=3.9", "expected python >=3.11"),
    ],
)
def test_a_wrong_environment_is_found_out(old, new, said):
    text = "channels:\n  - conda-forge\ndependencies:\n  - python >=3.11\n  - numpy >=2.4,<2.6\n  - pandas =3.1\n"
    lock = {"numpy": ["2.4", "2.5"], "pandas": ["3.1"]}
    assert faults(text, lock, ">=3.11") == []
    assert old in text and said in " ".join(faults(text.replace(old, new), lock, ">=3.11"))


def test_locked_versions_are_read_with_their_conda_names():
    text = "torch==2.15.0 \\\n    --hash=x\nnumpy==2.4.6 ; python_full_version < '3.12'\nnumpy==2.5.5\nx[a,b]==1.2.3\n"
    assert locked_versions(text) == {"pytorch": ["2.15"], "numpy": ["2.4", "2.5"], "x": ["1.2"]}


def test_imports_are_found_however_they_come_and_only_where_they_are_reached(tmp_path):
    kit = tmp_path / "kit"
    kit.mkdir()
    (kit / "__init__.py").write_text("")
    (kit / "used.py").write_text(
        "from typing import TYPE_CHECKING\nimport numpy\n\nif TYPE_CHECKING:\n    import pyarrow\n\n"
        "def f():\n    if numpy:\n        import timm.data\n\ndef never():\n    import nltk\n"
    )
    (kit / "chained.py").write_text("try:\n    import scipy\nexcept ImportError:\n    scipy = None\n")
    script = tmp_path / "script.py"
    script.write_text("import os\nimport PIL.Image\nfrom kit import chained\nfrom kit.used import f\nf()\n")
    assert packages_needed(script, tmp_path) == {"PIL", "numpy", "timm", "scipy"}
    (kit / "worded.py").write_text("import pandas\n\ndef g():\n    import torch\n\ndef never():\n    import nltk\n")
    assert packages_needed(script, tmp_path, ("worded:g",)) == {"PIL", "numpy", "timm", "scipy", "pandas", "torch"}
    assert conda_names({"PIL", "torch", "matplotlib"}) == {"pillow", "pytorch", "matplotlib-base"}
    assert conda_names({"pandas"}) == {"pandas", "pyarrow"}
