"""A run that fails says last which job failed, why, and what to do, even where nothing could be imported."""

import os
import subprocess

from running import PROJECT, RESULTS, command, copy_project, snakemake

TAR = "resources/minimal/n03530642.tar"
LOG = RESULTS / "logs/draw_shapes/n03530642.log"


def test_a_package_that_is_not_there_is_named_with_its_cure(tmp_path):
    module = copy_project(tmp_path) / "src/headstart/shapes/canvas.py"
    module.write_text(module.read_text() + "\nimport no_such_package\n")
    run = snakemake(tmp_path, TAR)
    assert run.returncode != 0
    trace = (tmp_path / LOG).read_text()
    assert "Traceback (most recent call last)" in trace and str(module) in trace
    said = run.stdout.partition("What went wrong, and what to do\n")[2]
    assert "- draw_shapes: ModuleNotFoundError: No module named 'no_such_package'\n" in said
    assert f"  log: {LOG}\n" in said
    assert "The package `no_such_package` is not installed in the environment that ran this job" in said
    assert "`make .venv/ready`" in said


def test_code_that_is_no_python_is_refused_before_any_job_with_its_place(tmp_path):
    module = copy_project(tmp_path) / "src/headstart/shapes/canvas.py"
    lines = len(module.read_text().splitlines())
    module.write_text(module.read_text() + "def f(:\n")
    run = snakemake(tmp_path, TAR)
    assert run.returncode != 0
    assert f"{module}, line {lines + 1}: invalid syntax; correct it, or take it back" in run.stdout
    assert "Traceback" not in run.stdout and "Execute" not in run.stdout
    assert not (tmp_path / "results").exists()


CHAIN = """
from pathlib import Path
from pipeline.failure import failing_words
rule all:
    input: "upper.txt"
rule lower:
    output: "lower.txt"
    shell: "touch {output}"
rule upper:
    input: "lower.txt"
    output: "upper.txt"
    shell: "touch {output}"
onerror:
    print(failing_words(map(Path, log)))
"""


def test_of_two_rules_after_until_where_one_rests_on_the_other_the_last_is_to_be_named_alone(tmp_path):
    (tmp_path / "Snakefile").write_text(
        f"import sys\nsys.path[:0] = {[str(PROJECT / 'src'), str(PROJECT / 'workflow')]}\n{CHAIN}"
    )
    run = subprocess.run(
        command("--until", "lower", "upper"),
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said = run.stdout.partition("What went wrong, and what to do\n")[2]
    assert run.returncode != 0 and said.startswith("- snakemake: BUG: Out of jobs ready")
    assert " - upper: upper.txt\n" in said and "name the last one alone" in said
