"""The whole pipeline on the smallest experiment: runs, reruns exactly what must rerun, and survives being killed."""

import ast
import io
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tarfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.numpy import load_file

from running import KEPT, RESULTS, command, copy_project, jobs, saved_step, snakemake


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new, 1))


def edit_config(folder: Path, **changes) -> None:
    path = folder / "config/minimal.yaml"
    config = yaml.safe_load(path.read_text())
    for key, value in changes.items():
        section, _, name = key.partition("__")
        if name:
            config[section][name] = value
        else:
            config[section] = value
    path.write_text(yaml.safe_dump(config))


def test_full_run_leaves_tables_figures_and_provenance(finished):
    for table in ("table1", "table2", "table2_clean", "neighbours", "claims"):
        for form in ("csv", "html", "md", "tex"):
            assert (finished / RESULTS / f"tables/{table}.{form}").stat().st_size > 0
    for figure in ("figure1", "figure2", "figure3", "shots"):
        for form in ("svg", "pdf", "csv"):
            assert (finished / RESULTS / f"figures/{figure}.{form}").stat().st_size > 0
    page = (finished / RESULTS / "explore.html").read_text()
    assert "Explore minimal" in page and page.count("data:image/webp") == 4 * 6 + 6 and len(page) < 5e6
    table = pd.read_csv(finished / RESULTS / "tables/table2.csv")
    assert set(table["shots"]) == {1, 4}
    assert set(table["initialisation"]) == {"random", "inference", "wordnet", "word2vec", "imprinted"}
    record = json.loads((finished / RESULTS / "provenance.json").read_text())
    assert len(record["processors"]) == len(record["devices"]) == 1 and all(record["processors"])
    said = (finished / "first run.txt").read_text()
    assert "macro F, images per class" in said and f"figures  {RESULTS}/figures/" in said


def test_nothing_is_left_half_made_or_outside_its_place(finished):
    assert not list((finished / "work").rglob("*.pt"))
    assert not [
        path for path in (finished / "results").rglob("*") if "partial" in path.name or path.name.endswith(".tmp")
    ]
    assert {path.name for path in finished.iterdir()} - set(KEPT) - {"first run.txt", ".snakemake", "work"} == {
        "results",
        "resources",
    }


def test_second_run_does_nothing_and_says_so(finished):
    run = snakemake(finished)
    assert run.returncode == 0
    assert "Nothing to be done" in run.stdout


def test_touching_every_source_file_does_nothing(project):
    later = time.time() + 60
    for name in KEPT:
        for path in (project / name).rglob("*"):
            os.utime(path, (later, later))
    os.utime(project / "Snakefile", (later, later))
    assert jobs(project) == {}


def test_changing_comments_does_nothing(project):
    for path in [*(project / "src").rglob("*.py"), *(project / "workflow/scripts").glob("*.py")]:
        if path.stat().st_size:
            path.write_text(path.read_text() + "\n# a comment\n")
    assert jobs(project) == {}


def test_changing_a_similarity_reruns_what_depends_on_it_and_nothing_else(project):
    edit_function(project / "src/headstart/measures/similarity.py", "word2vec")
    assert jobs(project) == {
        "measure_similarity": 1,
        "sweep_neighbours": 2,
        "choose_neighbours": 2,
        # For both seeds; K of every measure is chosen from one sweep.
        "initialise_heads": 2 * 2,
        "fine_tune": 4,
        "tabulate": 5,
        "draw_figure": 4,
        "build_explorer": 1,
        "record_provenance": 1,
    }


def edit_function(path: Path, name: str) -> None:
    """Put a statement before a function's last line: its code changes, its result does not."""
    text = path.read_text()
    function = next(node for node in ast.parse(text).body if getattr(node, "name", "") == name)
    lines = text.splitlines(keepends=True)
    lines.insert(function.body[-1].lineno - 1, "    assert True\n")
    path.write_text("".join(lines))


def test_removing_one_result_rebuilds_just_that(project):
    (project / RESULTS / "figures/figure3.svg").unlink()
    assert jobs(project)["draw_figure"] == 1
    # The interactive page shows the numbers of this figure.
    assert set(jobs(project)) == {"draw_figure", "build_explorer", "record_provenance"}
    run = snakemake(project)
    assert run.returncode == 0, run.stdout
    assert jobs(project) == {}
    (project / RESULTS / "heads/4-1.safetensors").unlink()
    assert jobs(project, f"{RESULTS}/heads/4-1.safetensors") == {"initialise_heads": 1}


def test_adding_a_seed_adds_only_its_own_jobs(project):
    edit_config(project, seeds=[0, 1, 7])
    assert jobs(project) == {
        "split_images": 1,
        "measure_similarity": 2,
        "sweep_neighbours": 1,
        "choose_neighbours": 1,
        "initialise_heads": 2,
        "fine_tune": 2,
        "tabulate": 4,  # Table 1 looks at the first seed alone
        "draw_figure": 4,
        "build_explorer": 1,
        "record_provenance": 1,
    }


def test_adding_a_shot_count_adds_only_its_own_jobs(project):
    edit(project / "config/minimal.yaml", "shots: [1, 4]", "shots: [1, 2, 4]")
    assert jobs(project) == {
        "measure_similarity": 2,
        "initialise_heads": 2,
        "fine_tune": 2,
        # Those that show runs.
        "tabulate": 3,
        "draw_figure": 1,
        "build_explorer": 1,
        "record_provenance": 1,
    }


def test_a_budget_in_passes_trains_those_again_that_it_shortens(project):
    edit_config(project, training__passes={"number": 3})  # three steps with one image of four classes, six with four
    wanted = jobs(project, "--until", "fine_tune")
    assert wanted == {"fine_tune": 2}
    run = snakemake(project, f"{RESULTS}/tables/table2.md")
    assert run.returncode == 0, run.stdout
    assert "3 (n = 1), 6 (n = 4) optimiser steps" in (project / RESULTS / "tables/table2.md").read_text()


def groups_of(folder: Path) -> dict:
    return yaml.safe_load((folder / "config/minimal.yaml").read_text())["groups"]


def runs_in(path: Path) -> tuple[pd.DataFrame, dict]:
    return pd.read_parquet(path).set_index("initialisation"), load_file(path.with_suffix(".safetensors"))


def test_a_group_of_runs_that_are_there_trains_nothing(project):
    again = {"initialisations": ["imprinted", "random"], "shots": [1]}
    edit_config(project, groups=groups_of(project) | {"pair": again})
    assert jobs(project) == {"record_provenance": 1}  # which holds the config


def test_adding_a_start_trains_that_start_alone(project):
    pair = {"initialisations": ["random", "wordnet-k2"], "shots": [1]}
    edit_config(project, groups=groups_of(project) | {"pair": pair})
    planned = jobs(project)
    assert planned["initialise_heads"] == planned["fine_tune"] == 2  # both seeds, one image per class
    target = f"{RESULTS}/runs/finetune/1-0.parquet"
    rows, weights = runs_in(project / target)
    run = snakemake(project, target)
    assert run.returncode == 0, run.stdout
    assert "finished before, and kept: imprinted, inference, random, word2vec, wordnet\n" in run.stdout
    new_rows, new_weights = runs_in(project / target)
    assert set(new_rows.index) - set(rows.index) == {"wordnet-k2"}
    assert new_rows.loc[list(dict.fromkeys(rows.index))].equals(rows.loc[list(dict.fromkeys(rows.index))])
    assert all(np.array_equal(new_weights[name], value) for name, value in weights.items())
    assert {name.split("/")[0] for name in set(new_weights) - set(weights)} == {"wordnet-k2"}


def test_adding_a_strategy_trains_that_strategy_alone_and_it_stands_in_the_tables(project):
    probe = {"strategy": "linear", "initialisations": ["random", "imprinted"], "shots": [1]}
    edit_config(project, groups=groups_of(project) | {"probe": probe})
    assert jobs(project) == {"fine_tune": 2, "record_provenance": 1}
    edit_config(project, tables__group=["main", "probe"])
    run = snakemake(project)
    assert run.returncode == 0, run.stdout
    assert run.stdout.count("Fine-tune (linear)") == 2 and "Fine-tune (finetune)" not in run.stdout
    table = pd.read_csv(project / RESULTS / "tables/table2.csv")
    assert set(table["strategy"]) == {"finetune", "linear"}
    first = table.pivot(index=["start", "shots"], columns="strategy", values="first").dropna()
    assert len(first) == 2 and (first["finetune"] == first["linear"]).all()
    assert "Linear probe" in (project / RESULTS / "tables/table2.md").read_text()
    assert "Random, Linear probe" in (project / RESULTS / "explore.html").read_text()


def test_a_strategy_with_other_options_is_another_run_with_a_path_of_its_own(project):
    drawn = {"strategy": "l2sp", "options": {"alpha": 5.0}, "initialisations": ["random"], "shots": [4]}
    edit_config(project, groups=groups_of(project) | {"drawn": drawn})
    target = f"{RESULTS}/runs/l2sp,alpha=5.0/4-0.parquet"
    assert jobs(project, target) == {"fine_tune": 1}
    run = snakemake(project, target)
    assert run.returncode == 0, run.stdout
    assert set(pd.read_parquet(project / target)["strategy"]) == {"l2sp,alpha=5.0"}
    refused = snakemake(project, "--dry-run", f"{RESULTS}/runs/nonsense/4-0.parquet")
    assert refused.returncode != 0 and "MissingRuleException" in refused.stdout


def test_changing_the_rule_of_k_leaves_alone_what_has_no_k_to_choose(project):
    edit_config(project, neighbours__rule="clean")
    changed = jobs(project)
    assert changed["initialise_heads"] == changed["fine_tune"] == 4
    assert "sweep_neighbours" not in changed
    run = snakemake(project, f"{RESULTS}/runs/finetune/4-0.parquet")
    assert run.returncode == 0, run.stdout
    kept = re.search(r"finished before, and kept: (.*)", run.stdout)
    assert kept and {"imprinted", "random", "inference-k1", "wordnet-k1", "word2vec-k1"} <= set(kept[1].split(", "))


def test_a_value_on_the_command_line_replaces_the_configs(project):
    assert jobs(project, "--config", "seeds=[0]") == {
        "tabulate": 4,  # Table 1 looks at the first seed alone
        "draw_figure": 4,
        "build_explorer": 1,
        "record_provenance": 1,
    }


def spent_by_children() -> float:
    """Processor time of the processes that have ended, s; unlike the clock it knows nothing of what else runs."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def test_papers_experiment_is_planned_offline_in_ten_seconds(tmp_path):
    folder, before = copy_project(tmp_path), spent_by_children()
    planned = jobs(folder, config="config/paper.yaml")
    assert spent_by_children() - before < 10
    assert planned["fetch_synset"] == planned["decode_images"] == 90
    # The authors' two lists, the weights and the word vectors.
    assert planned["fetch_file"] == 4
    assert planned["fine_tune"] == 3 * (7 + 1) and planned["measure_similarity"] == 3 * 8 + 2
    assert planned["tabulate"] == 5 and planned["draw_figure"] == 4


def test_running_from_another_directory(finished, tmp_path):
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    target = str(RESULTS / "classes.csv")
    config = str(finished / "config/minimal.yaml")
    run = snakemake(elsewhere, "--snakefile", str(finished / "Snakefile"), target, config=config)
    assert run.returncode == 0, run.stdout
    assert (elsewhere / target).read_bytes() == (finished / target).read_bytes()


def test_a_faulty_config_stops_before_any_job(project):
    edit_config(project, training__stepps=3)
    run = snakemake(project)
    assert run.returncode != 0
    assert "training.stepps: unknown key; did you mean 'steps'?" in run.stdout
    assert "Job stats" not in run.stdout


def test_the_same_seed_gives_the_same_bytes(project):
    targets = [f"{RESULTS}/runs/finetune/4-0.{form}" for form in ("parquet", "safetensors")]
    before = [(project / target).read_bytes() for target in targets]
    for target in targets:  # else it would say that the runs are finished
        (project / target).unlink()
    run = snakemake(project, targets[0])
    assert run.returncode == 0, run.stdout
    assert [(project / target).read_bytes() for target in targets] == before


def test_too_few_images_stop_before_training_with_a_table_of_every_class(project):
    edit_config(project, images__train=6)
    run = snakemake(project)
    assert run.returncode != 0
    assert "too few images in 4 classes" in run.stdout
    for wnid in pd.read_csv(project / "config/targets/minimal.tsv", sep="\t")["wnid"]:
        assert re.search(rf"{wnid} +9 +8", run.stdout), run.stdout
    assert "Count the images" in run.stdout and "Train the source network" not in run.stdout
    assert (project / RESULTS / "features.safetensors").exists()


def test_a_class_with_too_few_images_is_dropped_where_the_config_says_so(project):
    tar = project / "resources/minimal/n13876371.tar"
    with tarfile.open(tar) as whole:
        few = [(member, whole.extractfile(member).read()) for member in whole.getmembers()[:3]]
    with tarfile.open(tar, "w") as cut:
        for member, content in few:
            cut.addfile(member, io.BytesIO(content))
    run = snakemake(project, f"{RESULTS}/tables/table2.md")
    assert run.returncode != 0
    assert re.search(r"n13876371 +7 +3", run.stdout), run.stdout

    edit_config(project, images__on_missing="drop")
    run = snakemake(project, f"{RESULTS}/tables/table2.md")
    assert run.returncode == 0, run.stdout
    text = (project / RESULTS / "tables/table2.md").read_text()
    assert "3 target classes" in text and "3 of 4 target classes; dropped for too few images: spiral" in text
    audit = pd.read_csv(project / RESULTS / "audit.csv").set_index("wnid")
    assert audit.loc["n13876371", ["found", "wanted", "kept"]].tolist() == [3, 7, False]
    history = pd.read_parquet(project / RESULTS / "runs/finetune/4-0.parquet")
    assert history["wnid"].nunique() == 3 and "n13876371" not in set(history["wnid"])


def test_a_result_that_fails_leaves_everything_else_in_place(project):
    made = {path for path in (project / RESULTS).rglob("*") if path.is_file() and "logs" not in path.parts}
    tar = project / "resources/minimal/n13876371.tar"
    tar.write_bytes(b"<!DOCTYPE html><html>Sign in</html>" + bytes(100))
    run = snakemake(project)
    assert run.returncode != 0
    assert "n13876371.tar is a web page" in run.stdout
    lost = {path for path in made if not path.exists()}
    own = {f"n13876371.{kind}" for kind in ("arrow", "audit.csv", "digests.csv", "tsv")}
    assert {path.name for path in lost} <= own


def hear_sigint() -> None:
    """Undo what a shell does to its background jobs, which else cannot be interrupted."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start_and_kill(folder: Path, target: str, state: Path, sign: signal.Signals) -> str:
    """Start a training job, send a signal to the whole process group once progress is saved, return the output."""
    run = command(target, "--configfile", "config/minimal.yaml")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(run, cwd=folder, start_new_session=True, preexec_fn=hear_sigint, **pipes)
    waited_until = time.time() + 300
    while saved_step(state) < 1 and time.time() < waited_until and process.poll() is None:
        time.sleep(0.02)
    os.killpg(process.pid, sign)
    return process.communicate(timeout=300)[0]


TRAINED = f"{RESULTS}/runs/finetune/4-0.parquet", f"{RESULTS}/runs/finetune/4-0.safetensors"


@pytest.fixture(scope="module")
def unbroken(finished, tmp_path_factory):
    """A copy of the finished project in which a training would take longer, and what it gives if nothing breaks it."""
    folder = Path(shutil.copytree(finished, tmp_path_factory.mktemp("unbroken") / "project", symlinks=True))
    edit_config(folder, training__steps=150, training__evaluations=12)
    run = snakemake(folder, TRAINED[0])
    assert run.returncode == 0, run.stdout
    made = [(folder / name).read_bytes() for name in TRAINED]
    for name in TRAINED:
        (folder / name).unlink()
    return folder, made


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda sign: sign.name)
def test_a_killed_training_goes_on_where_it_was_and_ends_the_same(unbroken, tmp_path, sign):
    project, target = Path(shutil.copytree(unbroken[0], tmp_path / "project copy", symlinks=True)), TRAINED[0]
    state = project / "work/minimal/runs/finetune/4-0.pt"
    said = start_and_kill(project, target, state, sign)
    assert 0 < saved_step(state) < 150, said
    if sign == signal.SIGKILL:  # Snakemake had no chance to release its lock
        assert snakemake(project, "--unlock").returncode == 0

    run = snakemake(project, target)
    assert run.returncode == 0, run.stdout
    resumed = re.search(r"resumed at step (\d+)", run.stdout)
    assert resumed and 0 < int(resumed[1]) < 150, run.stdout
    assert [(project / name).read_bytes() for name in TRAINED] == unbroken[1]
    assert not state.exists()
