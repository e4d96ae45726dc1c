"""A budget in passes gives every number of images its own steps; without one, nothing differs from before."""

import copy
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from headstart.finetuning.settings import evaluation_steps
from pipeline.config.budget import steps_of
from pipeline.config.loading import load_config
from pipeline.config.tables import ConfigError
from pipeline.experiment import Experiment
from pipeline.model import Candidates
from pipeline.plan.counts import count, images_shown
from pipeline.selection import Selection
from pipeline.trainings import Trainings
from running import PROJECT

MINIMAL = yaml.safe_load((PROJECT / "config/minimal.yaml").read_text())  # 4 targets, batches of 8, 6 steps
PASSES = {"number": 3, "least": 2}


def config_of(**changes: Any) -> dict[str, Any]:
    written = copy.deepcopy(MINIMAL)
    written["training"] |= changes
    return load_config(written | {"model": {"start": "imprinted"}}, PROJECT)


def runs_of(**changes: Any) -> Selection:
    return Selection(Experiment(config_of(**changes)))


def settings(runs: Selection, shots: int) -> dict[str, Any]:
    job = SimpleNamespace(strategy="finetune", shots=str(shots), seed="0")
    return Trainings(runs.experiment).training_settings(job)


@pytest.mark.parametrize("images", [1, 7, 8, 9, 56, 280])
def test_so_many_steps_show_every_image_so_often_and_no_more(images):
    training = {"steps": 10**6, "batch": 8, "passes": {"number": 5, "least": 1}}
    assert images_shown(steps_of(training, images), images, batch=8) == 5 * images


def test_steps_stay_between_the_least_and_the_most():
    training = {"steps": 50, "batch": 64, "passes": {"number": 5, "least": 10}}
    assert [steps_of(training, 56 * shots) for shots in (1, 2, 5, 10, 20)] == [10, 10, 25, 45, 50]


def test_the_papers_thirty_passes_are_the_default_and_give_its_steps_to_a_hundred_images():
    paper = yaml.safe_load((PROJECT / "config/paper.yaml").read_text())
    paper["training"]["passes"] = {}
    training = load_config(paper | {"experiment": "of_passes"}, PROJECT)["training"]
    assert [steps_of(training, 90 * shots) for shots in (1, 2, 5, 50, 100, 500)] == [60, 90, 240, 2130, 4230, 4230]


def test_without_passes_a_job_is_told_what_it_always_was():
    runs = runs_of()
    before = {
        key: value for key, value in runs.config["training"].items() if key not in ("cache", "keep_batches", "passes")
    }
    assert runs.config["training"]["passes"] is None
    for shots in (1, 4):
        assert list(settings(runs, shots).items()) == list(before.items())  # Snakemake compares what is written
    assert "passes" not in runs.experiment.recorded()["training"]
    assert "passes" in runs_of(passes=PASSES).experiment.recorded()["training"]


def test_with_passes_only_the_jobs_of_few_images_are_told_something_else():
    before, runs = runs_of(), runs_of(passes=PASSES)
    assert settings(runs, 1) == settings(before, 1) | {"steps": 3}
    assert settings(runs, 4) == settings(before, 4)
    assert Trainings(runs.experiment).settings_with(Candidates(runs).shots)["steps"] == 6


def test_a_least_above_the_most_is_refused_before_any_job():
    with pytest.raises(ConfigError, match=r"training\.passes\.least: 7 steps .* training\.steps = 6 at most; lower"):
        config_of(passes={"least": 7})
    assert config_of(passes={"least": 6})["training"]["passes"] == {"number": 30, "least": 6}


def test_the_plan_counts_each_number_of_images_with_its_steps_and_evaluations():
    grid = count(config_of(passes=PASSES), lambda steps: len(evaluation_steps(steps, 3)))
    # Two seeds; one image: 5 starts; four images: 5 starts and 3 of Figure 1.
    assert grid.steps == 2 * (3 + 6) and grid.optimiser_steps == 2 * (5 * 3 + 8 * 6)
    assert grid.trunk == 2 * (3 * 4 + 3 * 16) and grid.tails == 2 * (5 * 3 * 4 + 8 * 3 * 16)
    assert grid.scored == grid.evaluated * 2 * (5 * 3 + 8 * 3)
    short = count(config_of(passes={"number": 1}), lambda steps: len(evaluation_steps(steps, 3)))
    assert short.scored == grid.evaluated * 2 * (5 * 2 + 8 * 3)  # a run of one step has two evaluations
