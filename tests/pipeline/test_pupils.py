"""Anti-aliasing on the source task is asked for by a section of its own, and without it nothing is there."""

import copy
from types import SimpleNamespace

import pytest
import yaml

from headstart.vocabulary import STRATEGIES, TABLES
from pipeline.config.antialiasing import antialias_faults
from pipeline.config.contradictions import ConfigError
from pipeline.config.loading import load_config, with_defaults
from pipeline.config.runs import results_shown
from pipeline.config.schema import read_schema
from pipeline.experiment import Experiment
from pipeline.plan.jobs import count_jobs
from pipeline.pupils import Pupils
from pipeline.selection import Selection
from running import PROJECT

MINIMAL = yaml.safe_load((PROJECT / "config/minimal.yaml").read_text())
WANTED = {"train": 4, "trained_from": "conv1"}
EARLIER = {"strategy": "ktft", "options": {"trained_from": "blocks.5"}, "initialisations": ["random"], "shots": [1]}
UNBLURRED = "ktft,global=0,pixel=0,size=1"


def loaded(**changes):
    return load_config(copy.deepcopy(MINIMAL) | changes, PROJECT)


def test_without_the_section_nothing_of_it_is_there_or_recorded():
    config = loaded()
    assert not {"antialias", "consistency"} & set(results_shown(config, TABLES))
    assert not Pupils(Experiment(config)).wanted
    assert "antialias" not in Experiment(config).recorded()
    assert not {"measure_antialias", "measure_consistency"} & {
        rule for rule, jobs in count_jobs(config, 4, 4).items() if jobs
    }


def test_each_way_is_tried_with_every_seed_and_keeps_its_options():
    config = loaded(antialias=WANTED)
    pupils, runs = Pupils(Experiment(config)), Selection(Experiment(config))
    assert list(pupils.found) == [UNBLURRED, "ktft,global=0,pixel=0", "ktft"]
    defaults = {name: one["default"] for name, one in STRATEGIES["ktft"].options.items()}
    assert pupils.options_of(SimpleNamespace(pupil=UNBLURRED)) == defaults | {"size": 1, "pixel": 0, "global": 0}
    assert pupils.settings == {**WANTED, "steps": 100, "learning_rate": 0.0001}
    files = runs.table_inputs(SimpleNamespace(table="antialias"))["antialias"]
    assert len(files) == 6 and files[0] == f"results/minimal/antialias/{UNBLURRED}/0.csv"
    shifted = runs.table_inputs(SimpleNamespace(table="consistency"))["consistency"]
    assert shifted == [f"results/minimal/consistency/finetune/{n}-{seed}.csv" for n in (1, 4) for seed in (0, 1)]
    jobs = count_jobs(config, 4, 4)
    assert (jobs["measure_antialias"], jobs["measure_consistency"]) == (6, 4)


def test_progress_lies_outside_the_results_under_any_prefix():
    pupils = Pupils(Experiment(loaded(antialias=WANTED)))
    output = SimpleNamespace(scores="there/results/minimal/antialias/ktft/1.csv")
    found = pupils.state(SimpleNamespace(pupil="ktft", seed="1"), output)
    assert found == "there/work/minimal/antialias/ktft/1.pt"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"antialias": {"train": 7}}, r"antialias.train: 7, but images.drawn.source = 8 less .* = 2 leave fewer"),
        ({"antialias": {**WANTED, "trained_from": "layer9"}}, r"antialias.trained_from: .*layer9"),
        ({"antialias": {**WANTED, "runs": [{"blur": 1}]}}, r"antialias.runs.0.blur: unknown key"),
        ({"groups": {**MINIMAL["groups"], "ktft": EARLIER}}, r"groups.ktft.options.trained_from: .*blocks.5"),
    ],
)
def test_what_cannot_be_done_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        loaded(**changes)


def test_photographs_need_pictures_that_the_network_has_not_seen():
    photos = yaml.safe_load((PROJECT / "config/photos.yaml").read_text()) | {"antialias": {"trained_from": "conv_stem"}}
    config = with_defaults(photos, read_schema(PROJECT))
    assert list(antialias_faults(config)) == []
    config["source"]["samples"] = None
    assert "name a folder of pictures" in "".join(antialias_faults(config))
    config["images"]["folder"] = "mine"
    assert "images.folder has none" in "".join(antialias_faults(config))
