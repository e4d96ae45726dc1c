"""The recipes of CONTRIBUTING.md, carried out as they stand: a measure, a start, a strategy and a table."""

import ast
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from running import PROJECT, RESULTS, jobs, snakemake

TEXT = (PROJECT / "CONTRIBUTING.md").read_text().split("## Recipes")[1].split("\n## ")[0]
RECIPES = {
    name: (Path(file), code, table, line)
    for name, file, code, table, line in re.findall(
        r"\*\*An? (\w+)\.\*\* (?:At the end of|The file) `([^`]*)`:\n\n```python\n(.*?)```\n\n"
        r"In `(\w+)`:\n\n```python\n(.*?)```",
        TEXT,
        flags=re.DOTALL,
    )
}
PROBE = {"strategy": "smoothed", "options": {"smoothing": 0.2}, "initialisations": ["random", "mean"], "shots": [4]}


def carry_out(folder: Path, name: str) -> None:
    """Write a recipe's code and its line of vocabulary into a copy of the project."""
    file, code, table, line = RECIPES[name]
    place = folder / file
    place.write_text((place.read_text().rstrip() + "\n\n\n" if place.exists() else "") + code)
    vocabulary = folder / "src/headstart/vocabulary.py"
    text = vocabulary.read_text()
    start = re.search(rf"^{table}: .* = \{{\n", text, flags=re.MULTILINE)
    end = text.index("\n}\n", start.end()) + 1
    vocabulary.write_text(text[:end] + line + text[end:])


def test_there_is_a_recipe_for_each_kind_of_word():
    assert set(RECIPES) == {"measure", "start", "strategy", "table"}


@pytest.mark.parametrize("name", ["measure", "start", "strategy"])
def test_a_word_that_nobody_uses_reruns_nothing(project, name):
    carry_out(project, name)
    assert jobs(project) == {}


def test_a_new_table_makes_that_table_alone(project):
    carry_out(project, "table")
    assert jobs(project) == {"tabulate": 1, "record_provenance": 1}


def test_editing_a_strategy_reruns_its_own_jobs_alone(project):
    carry_out(project, "strategy")
    config = project / "config/minimal.yaml"
    settings = yaml.safe_load(config.read_text())
    settings["groups"]["smooth"] = PROBE | {"initialisations": ["random"]}
    config.write_text(yaml.safe_dump(settings))
    run = snakemake(project)
    assert run.returncode == 0, run.stdout
    file = project / RECIPES["strategy"][0]
    file.write_text(file.read_text().replace("label_smoothing=", "reduction='mean', label_smoothing="))
    assert jobs(project) == {"fine_tune": 2, "record_provenance": 1}


def test_moving_a_function_to_another_module_reruns_nothing(project):
    source = project / "src/headstart/heads/blending.py"
    lines = source.read_text().splitlines(keepends=True)
    function = next(node for node in ast.parse("".join(lines)).body if getattr(node, "name", "") == "unit_rows")
    moved, rest = lines[function.lineno - 1 : function.end_lineno], lines[: function.lineno - 1]
    rest += lines[function.end_lineno :]
    alias = next(place for place, line in enumerate(rest) if line.startswith("Array ="))
    imports = rest[: alias + 1]
    rest.insert(alias, "from headstart.heads.moved import unit_rows\n\n")
    source.write_text("".join(rest))
    source.with_name("moved.py").write_text("".join([*imports, "\n\n", *moved]))
    assert jobs(project) == {}


def test_all_words_together_run_to_the_end_and_are_shown(project):
    for name in RECIPES:
        carry_out(project, name)
    config = project / "config/minimal.yaml"
    settings = yaml.safe_load(config.read_text())
    settings["groups"]["main"]["initialisations"] += ["shared", "mean"]
    settings["groups"]["smooth"] = PROBE
    settings["tables"]["group"] = ["main", "smooth"]
    config.write_text(yaml.safe_dump(settings))
    run = snakemake(project)
    assert run.returncode == 0, run.stdout[-4000:]
    table = pd.read_csv(project / RESULTS / "tables/table2.csv")
    assert {"shared", "mean", "random"} <= set(table["start"])
    assert set(table["strategy"]) == {"finetune", "smoothed,smoothing=0.2"}
    assert set(pd.read_csv(project / RESULTS / "tables/gains.csv")["initialisation"]) == set(table["initialisation"])
    assert set(pd.read_csv(project / RESULTS / "tables/neighbours.csv")["measure"]) >= {"shared"}
    page = (project / RESULTS / "explore.html").read_text()
    assert "Shared hypernyms" in page and "Mean row" in page and "Label smoothing" in page
    similarity = pd.read_parquet(project / RESULTS / "similarity/shared/all.parquet")
    assert similarity.max(axis=None) < 1 and similarity.min(axis=None) > 0  # no target is a source
