"""Which runs a config lets become the model, and which wishes are refused before any job."""

import copy

import pytest
import yaml

from pipeline.config.contradictions import ConfigError
from pipeline.config.loading import load_config
from pipeline.experiment import Experiment
from pipeline.layout import MODEL_FILES
from pipeline.model import Candidates
from pipeline.plan.counts import count
from pipeline.selection import Selection
from running import PROJECT

MINIMAL = yaml.safe_load((PROJECT / "config/minimal.yaml").read_text())
STARTS = {"initialisations": ["probe", "imprinted"], "shots": [1, 4], "seeds": [0, 1, 2]}
PROBE = {"strategy": "linear", "initialisations": ["imprinted"], "shots": [1]}


def load(model, **sections):
    config = copy.deepcopy(MINIMAL) | {"model": model}
    config["neighbours"]["rule"] = "clean"
    for name, value in sections.items():
        config[name] = config.get(name, {}) | value
    return load_config(config, PROJECT)


def candidates(model, **sections):
    return Candidates(Selection(Experiment(load(model, **sections))))


def test_all_runs_with_the_most_images_are_candidates():
    found = candidates({})
    assert found.shots == 4 and set(found.groups) == {"main", "curves"} and found.untrained == []
    assert found.histories() == [
        "results/minimal/runs/finetune/4-0.parquet",
        "results/minimal/runs/finetune/4-1.parquet",
    ]
    assert found.heads() == ["results/minimal/heads/4-0.safetensors", "results/minimal/heads/4-1.safetensors"]
    assert found.files() == [f"results/minimal/model/{file}" for file in MODEL_FILES]


def test_group_start_and_shots_narrow_the_choice():
    found = candidates({"group": "probe"}, groups=MINIMAL["groups"] | {"probe": PROBE})
    assert set(found.groups) == {"probe"} and found.shots == 1
    assert found.variants() == {"finetune": ("finetune", {}), "linear": ("linear", {})}
    found = candidates({"start": "imprinted", "shots": 1}, groups=MINIMAL["groups"] | {"probe": PROBE})
    assert set(found.groups) == {"main", "probe"}
    assert all(group["initialisations"] == ["imprinted"] for group in found.groups.values())
    assert found.starts_of() == {"finetune": ["imprinted"], "linear": ["imprinted"]}
    assert found.looks()["imprinted+linear"]["name"] == "Imprinted, Linear probe"


def test_starts_compared_before_training_are_candidates_where_they_are_comparable():
    assert candidates({}, starts=STARTS).untrained == ["probe", "imprinted"]
    assert candidates({"start": "probe"}, starts=STARTS).untrained == ["probe"]
    assert candidates({"start": "probe"}, starts=STARTS).shots == 4
    assert candidates({}, starts=STARTS | {"seeds": [0]}).untrained == []  # fewer seeds than the trainings
    assert candidates({}, starts=STARTS | {"shots": [1]}).untrained == []
    assert candidates({"group": "main"}, starts=STARTS).untrained == []


def test_who_wants_no_model_has_none_and_no_word_of_it_in_the_record():
    found = candidates(None)
    assert found.files() == [] and not found.wanted
    assert "model" not in found.runs.experiment.recorded() and "model" in candidates({}).runs.experiment.recorded()


@pytest.mark.parametrize(
    ("model", "sections", "said"),
    [
        ({"group": "best"}, {}, "model.group: 'best' is none of the groups curves, main; name one of them"),
        ({"start": "prior"}, {}, "model.start: 'prior' is none of random, inference, .*; name one of them"),
        ({"group": "curves", "shots": 1}, {}, "model: no run has group: curves, shots: 1; take one of these out"),
        ({"shots": 3}, {}, "model: no run has shots: 3"),
        ({"step": 3}, {}, "model.step: unknown key"),
        ({}, {"images": {"validation": 0}}, "images.validation is 0; raise that"),
        ({}, {"neighbours": {"rule": "paper"}}, "which reads K of inference, wordnet, word2vec off the test images"),
    ],
)
def test_wishes_that_cannot_be_are_refused_with_the_cure(model, sections, said):
    with pytest.raises(ConfigError, match=said):
        load(model, **sections)


def test_a_start_whose_k_is_fixed_needs_no_clean_rule():
    assert load({"start": "inference-k1"}, neighbours={"rule": "paper"})["model"]["start"] == "inference-k1"


def test_the_plan_counts_the_models_jobs():
    def planned(config):
        return {rule for rule in count(config, lambda steps: 3).jobs if "model" in rule or rule == "show_mistakes"}

    assert planned(load({})) == {"choose_model", "export_model", "describe_model", "show_mistakes"}
    assert planned(load(None)) == set()


def test_the_terms_of_the_weights_are_those_of_the_manifest():
    paper = load_config(yaml.safe_load((PROJECT / "config/paper.yaml").read_text()), PROJECT)
    assert Experiment(paper).source_terms() == "BSD-3-Clause (torchvision); trained on ImageNet"
    assert Experiment(load(None)).source_terms().startswith("made here")
