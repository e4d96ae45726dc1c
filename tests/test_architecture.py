"""Rules call scripts, scripts call the library, never back; the library's modules keep to their rooms."""

import ast
import re
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
LIBRARY = PROJECT / "src/headstart"
AROUND = PROJECT / "workflow/pipeline"
SCRIPTS = sorted((PROJECT / "workflow/scripts").glob("*.py"))
RULES = "\n".join(path.read_text() for path in sorted((PROJECT / "workflow/rules").glob("*.smk")))
RULE_NAMES = re.findall(r"^ *rule (\w+):", RULES, flags=re.MULTILINE)

# Which rooms of the library a room may import; the room `jobs` is open to all.
ROOMS = {
    "entries": set(),
    "vocabulary": {"entries"},
    "naming": {"entries", "vocabulary"},
    "jobs": set(),
    "machine": set(),
    "shapes": set(),
    "data": set(),
    "fetching": {"data"},
    "measures": {"data"},
    "heads": {"measures", "naming", "vocabulary"},
    "networks": {"data", "machine"},
    "finetuning": {"data", "machine", "measures", "networks"},
    "models": {"data", "finetuning", "heads", "machine", "measures", "naming", "networks", "report", "vocabulary"},
    "report": {"data", "entries", "naming", "vocabulary"},
    "explorer": {"data", "heads", "report"},
}
# The same for what stands around the rules.
PIPELINE = {
    "layout": set(),
    "attempts": set(),
    "closing": set(),
    "last_words": set(),
    "failure": {"last_words"},
    "code_reading": set(),
    "code_version": {"code_reading"},
    "config": {"layout"},
    "experiment": {"config", "layout"},
    "selection": {"config", "experiment", "layout"},
    "trainings": {"config", "experiment"},
    "model": {"config", "layout", "selection", "trainings"},
    "pupils": {"config", "experiment"},
    "plan": {"config", "layout"},
    "docs": {"layout"},
}
# Jobs are many and start-up counts: only these may draw in the heavy packages when they are imported.
HEAVY = {"torch", "torchvision", "timm", "matplotlib", "gensim", "nltk", "sklearn"}
MAY_BE_HEAVY = (
    *("networks/", "finetuning/", "machine/", "explorer/", "models/"),
    *(
        "jobs/checkpoints",
        "measures/taxonomy",
        "report/charts",
        "report/figures",
        "report/gallery",
        "report/ranks",
        "report/starts_figure",
    ),
)
BUT_NOT = ("machine/devices", "machine/prefetch", "finetuning/runs")


def modules() -> list[Path]:
    return sorted(LIBRARY.rglob("*.py"))


def room(path: Path, folder: Path = LIBRARY) -> str:
    return path.relative_to(folder).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
            if node.module == "headstart":
                found |= {f"headstart.{alias.name}" for alias in node.names}
    return found


def imports_of(nodes: list[ast.stmt]) -> set[str]:
    """Top packages that some import statements bring in."""
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in names}


def rooms_imported(path: Path, package: str = "headstart") -> set[str]:
    return {name.split(".")[1] for name in imports(path) if name.startswith(f"{package}.")}


def test_every_room_has_its_line_and_says_what_lives_there():
    assert {room(path) for path in modules()} == {*ROOMS, "__init__"}
    assert {room(path, AROUND) for path in AROUND.rglob("*.py")} == {*PIPELINE, "__init__"}
    for folder in {path.parent for path in [*modules(), *AROUND.rglob("*.py")]} - {LIBRARY}:
        assert len(ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or "") > 40, folder


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_rooms_import_only_the_rooms_they_may(path):
    allowed = {room(path), "jobs"} | ROOMS.get(room(path), set())
    assert rooms_imported(path) <= allowed, f"{path.name} imports {rooms_imported(path) - allowed}"


@pytest.mark.parametrize("path", sorted(AROUND.rglob("*.py")), ids=lambda path: path.stem)
def test_what_stands_around_the_rules_keeps_to_its_rooms(path):
    allowed = {room(path, AROUND)} | PIPELINE.get(room(path, AROUND), set())
    assert rooms_imported(path, "pipeline") <= allowed, f"{path.name} imports too much"


@pytest.mark.parametrize("rooms", [ROOMS, PIPELINE])
def test_no_circle_of_rooms(rooms):
    left = {name: set(others) for name, others in rooms.items()}
    while left:
        free = {name for name, others in left.items() if not others & set(left)}
        assert free, f"a circle among {sorted(left)}"
        left = {name: others for name, others in left.items() if name not in free}


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_library_knows_no_snakemake_no_config_and_no_results_folder(path):
    text = path.read_text()
    assert not {name for name in imports(path) if name.split(".")[0] in ("snakemake", "pipeline")}
    for word in ("results/", "resources/", "snakemake."):
        assert word not in text, f"{path.name} mentions {word}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_light_modules_import_nothing_heavy(path):
    name = str(path.relative_to(LIBRARY).with_suffix(""))
    at_once = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    heavy = imports_of(at_once) & HEAVY
    assert not heavy or (name.startswith(MAY_BE_HEAVY) and not name.startswith(BUT_NOT)), f"{name} imports {heavy}"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_read_call_and_write_without_decisions(path):
    tree = ast.parse(path.read_text())
    forbidden = (ast.If, ast.For, ast.While, ast.FunctionDef, ast.ClassDef, ast.Try, ast.Lambda)
    found = [type(node).__name__ for node in ast.walk(tree) if isinstance(node, forbidden)]
    assert not found, f"{path.name} has {found}; move it into the library"
    assert path.read_text().startswith(f'"""Rule {path.stem}: '), f"{path.name} does not name its rule"


FIRST_WORDS = ["from headstart.jobs.logs import follow", "follow(snakemake.log[0])"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_log_of_a_script_is_open_before_anything_else_can_fail(path):
    _, *statements = ast.parse(path.read_text()).body
    assert list(map(ast.unparse, statements[:2])) == FIRST_WORDS


def test_the_log_can_be_opened_in_any_environment():
    packages = {name.split(".")[0] for name in imports(LIBRARY / "jobs/logs.py")}
    assert packages <= set(sys.stdlib_module_names)
    assert not any(imports(path) for path in (LIBRARY / "__init__.py", LIBRARY / "jobs/__init__.py"))


def test_script_rule_and_log_share_one_name():
    assert sorted(RULE_NAMES) == sorted(path.stem for path in SCRIPTS)
    for rule, body in re.findall(r"^ *rule (\w+):\n(.*?)(?=^ *rule |\Z)", RULES, flags=re.MULTILINE | re.DOTALL):
        assert f'"../scripts/{rule}.py"' in body, f"rule {rule} runs another script"
        assert code_of_rule(body) == f"{rule}.py", f"rule {rule} does not watch its code"
        for part in ("log", "benchmark"):
            assert re.search(rf'{part}:\s+AT\.{part}\("{rule}"', body), f"rule {rule} has its {part} elsewhere"
        assert "conda:" in body, f"rule {rule} names no environment"


def code_of_rule(body: str) -> str:
    """The script whose code version a rule has as a parameter, itself or through a function of common.smk."""
    given = re.search(r"code=(?:code_version\(\"(\w+\.py)\"|(\w+),)", body)
    assert given, body
    function = re.search(rf"def {given[2]}\(wildcards\):.*?code_version\(\"(\w+\.py)\"", RULES, flags=re.DOTALL)
    return given[1] or (function[1] if function else "")


def test_rules_name_places_by_the_layout_alone():
    assert not re.findall(r"(?:results|resources|work)/", RULES)


def test_rule_files_stay_on_one_page():
    for path in (PROJECT / "workflow/rules").glob("*.smk"):
        assert len(path.read_text().splitlines()) <= 250, path.name


def test_functions_have_few_parameters():
    wide = []
    for path in [*modules(), *AROUND.rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                names = [part.arg for part in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
                count = len([name for name in names if name not in ("self", "cls")])
                assert count <= 8, f"{path.name}: {node.name} has {count} parameters"
                wide += [node.name] if count > 6 else []
    assert len(wide) <= 6, f"more than 6 parameters: {wide}"


def test_rules_hold_no_retries_and_no_lambda():
    assert "retries:" not in RULES
    assert not re.search(r"\blambda\b", RULES)


@pytest.mark.parametrize("path", [*modules(), *AROUND.rglob("*.py")], ids=lambda path: path.stem)
def test_modules_stay_on_one_page_and_functions_short(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 320, f"{path.name} has {len(text.splitlines())} lines; is it one subject?"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = [part for part in node.body if not isinstance(part, ast.Expr)]
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 40, f"{path.name}: {node.name} has {lines} lines"


def test_no_module_is_a_drawer_for_everything():
    assert not [path for path in modules() if path.stem in ("utils", "helpers", "common", "misc")]
    assert (LIBRARY / "__init__.py").read_text() == ""
