"""Rules call scripts, scripts call the library, never back; the library's modules keep to their rooms."""

import ast
import re
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
LIBRARY = PROJECT / "src/headstart"
SCRIPTS = sorted((PROJECT / "workflow/scripts").glob("*.py"))
RULES = "\n".join(path.read_text() for path in sorted((PROJECT / "workflow/rules").glob("*.smk")))
RULE_NAMES = re.findall(r"^ *rule (\w+):", RULES, flags=re.MULTILINE)

# Which module may import which other modules of the library (design.md); what is not listed imports none.
ANYONE = {"files", "logs"}
ALLOWED = {
    "audit": {"images", "splits"},
    "backbones": {"computing", "devices", "weights"},
    "batches": {"computing", "embedding", "images"},
    "charts": {"palette"},
    "claims": {"palette", "rendering", "statistics"},
    "costs": {"backbones", "replicas"},
    "downloads": {"transfer"},
    "embedding": {"backbones", "computing", "images", "prefetch"},
    "explorer": {
        *("blending", "charts", "explorer", "images", "palette", "published", "rendering", "results"),
        *("statistics", "tables", "tabulation"),
    },
    "figures": {"charts", "palette", "published", "statistics"},
    "gallery": {"figures", "images", "results", "tables"},
    "heads": {"blending", "naming"},
    "images": {"pictures", "tars"},
    "faults": {"backbones", "batches", "replicas", "strategies"},
    "neighbours": {"heads"},
    "sweeps": {"blending", "heads", "metrics", "similarity"},
    "pretraining": {"backbones", "embedding", "images"},
    "replicas": {"backbones", "computing", "embedding", "metrics", "prefetch"},
    "palette": {"naming"},
    "published": {"palette", "rendering", "tables"},
    "results": {"statistics"},
    "shapes": {"shapes"},
    "similarity": {"hypernyms", "metrics", "wordvectors", "wupalmer"},
    "strategies": {"backbones", "replicas", "strategies"},
    "tables": {"palette", "rendering", "statistics"},
    "tabulation": {"claims", "palette", "published", "rendering", "results", "tables"},
    "taxonomy": {"hypernyms"},
    "training": {
        *("backbones", "batches", "checkpoints", "computing", "embedding", "faults", "prefetch", "replicas"),
        "strategies",
    },
    "transfer": {"manifest", "tars"},
    "wupalmer": {"hypernyms"},
}
# Jobs are many and start-up counts: these modules may not draw in the heavy packages.
HEAVY = {"torch", "torchvision", "timm", "matplotlib", "gensim", "nltk", "sklearn"}
LIGHT = [
    *("audit", "blending", "claims", "devices", "downloads", "files", "heads", "hypernyms", "images", "logs"),
    *("manifest", "metrics", "naming", "neighbours", "palette", "prefetch", "provenance", "published", "rendering"),
    *("results", "similarity", "splits", "statistics", "sweeps", "tables", "tabulation", "tars", "transfer"),
    *("wordvectors", "wupalmer"),
]


def modules() -> list[Path]:
    return sorted(LIBRARY.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


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


def rooms_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(path) if name.startswith("headstart.")}


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_library_modules_import_only_what_the_design_allows(path):
    allowed = ANYONE | ALLOWED.get(room(path), set())
    assert rooms_imported(path) <= allowed, f"{path.name} imports {rooms_imported(path) - allowed}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_library_knows_no_snakemake_no_config_and_no_results_folder(path):
    text = path.read_text()
    assert not {
        name for name in imports(path) if name.split(".")[0] in ("snakemake", "configuration", "contradictions")
    }
    for word in ("results/", "resources/", "snakemake."):
        assert word not in text, f"{path.name} mentions {word}"


@pytest.mark.parametrize("name", LIGHT)
def test_light_modules_import_nothing_heavy(name):
    tree = ast.parse((LIBRARY / f"{name}.py").read_text())
    at_once = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    heavy = imports_of(at_once) & HEAVY
    assert not heavy, f"{name} imports {heavy}"


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
        assert f'code=code_version("{rule}.py")' in body, f"rule {rule} does not watch its code"
        assert re.search(rf"log:\s+\"[^\"]*{rule}[/.]", body), f"rule {rule} logs elsewhere"
        assert "conda:" in body, f"rule {rule} names no environment"


def test_rules_hold_no_retries_and_no_lambda():
    assert "retries:" not in RULES
    assert not re.search(r"\blambda\b", RULES)


@pytest.mark.parametrize("path", [*modules(), *(PROJECT / "workflow").glob("*.py")], ids=lambda path: path.stem)
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
