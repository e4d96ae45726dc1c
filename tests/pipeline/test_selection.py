"""Groups are selections of runs; a run that several of them name is one."""

import copy
from types import SimpleNamespace

import pytest
import yaml

from pipeline.config.loading import load_config
from pipeline.experiment import Experiment
from pipeline.selection import Selection
from pipeline.trainings import Trainings
from running import PROJECT

MINIMAL = yaml.safe_load((PROJECT / "config/minimal.yaml").read_text())
PROBE = {"strategy": "linear", "initialisations": ["random", "imprinted"], "shots": [4]}
DRAWN = {"strategy": "l2sp", "options": {"alpha": 1.0}, "initialisations": ["random"], "shots": [1]}


@pytest.fixture
def select():
    def make(**groups):
        config = copy.deepcopy(MINIMAL)
        config["groups"] |= groups
        return Selection(Experiment(load_config(config, PROJECT)))

    return make


def at(**wildcards):
    return SimpleNamespace(**{name: str(value) for name, value in wildcards.items()})


def test_a_cell_holds_the_starts_of_all_its_groups_each_once(select):
    runs = select(probe=PROBE)
    assert Trainings(runs.experiment).starts_of_runs(at(strategy="finetune", shots=1)) == [
        *("random", "inference", "wordnet", "word2vec", "imprinted"),
    ]
    assert Trainings(runs.experiment).starts_of_runs(at(strategy="finetune", shots=4)) == [
        *("random", "inference", "inference-k1", "wordnet", "wordnet-k1", "word2vec", "word2vec-k1", "imprinted"),
    ]
    assert Trainings(runs.experiment).starts_of_runs(at(strategy="linear", shots=4)) == ["random", "imprinted"]
    assert Trainings(runs.experiment).starts_of_runs(at(strategy="linear", shots=1)) == []


def test_strategies_share_heads_and_options_make_a_strategy_of_its_own(select):
    runs = select(probe=PROBE, drawn=DRAWN)
    known = Trainings(runs.experiment).variants
    assert set(known) == {"finetune", "linear", "l2sp,alpha=1.0"}
    assert known["l2sp,alpha=1.0"] == ("l2sp", {"alpha": 1.0, "beta": 0.01})
    assert runs.starts_of_heads(at(shots=1, seed=0)) == ["random", "inference", "wordnet", "word2vec", "imprinted"]
    assert len(runs.every_history()) == 2 * (2 + 1 + 1)  # seeds times cells
    assert "results/minimal/runs/l2sp,alpha=1.0/1-0.parquet" in runs.every_history()


def test_a_strategy_reads_the_files_that_it_declares(select):
    further = {"initialisations": ["random"], "shots": [1]}
    runs = select(kept={"strategy": "cotuning"} | further, beside={"strategy": "gradmf"} | further)
    shared = {"trunk", "evaluation"}
    assert set(Trainings(runs.experiment).strategy_inputs(at(strategy="finetune"))) == shared
    assert set(Trainings(runs.experiment).strategy_inputs(at(strategy="cotuning"))) == shared | {"features", "images"}
    found = Trainings(runs.experiment).strategy_inputs(at(strategy="gradmf"))
    assert set(found) == shared | {"sources", "classes"}
    assert found["sources"] == runs.experiment.source_pictures() != []


def test_a_strategy_reads_as_many_nearest_source_images_as_it_may_use(select):
    joint = {"strategy": "joint", "initialisations": ["random"], "shots": [1]}
    runs = select(joint=joint, any=joint | {"options": {"pool": "all"}}, once=joint | {"options": {"rounds": 1}})
    places = [f"results/minimal/filters/nearest-{most}.npy" for most in (20 * (1 + 4 * 2), 20)]
    trainings = Trainings(runs.experiment)
    assert trainings.nearest() == places
    found = [trainings.strategy_inputs(at(strategy=one)) for one in ("joint", "joint,pool=all", "joint,rounds=1")]
    assert [one["nearest"] for one in found] == [places[0], places[0], places[1]]
    assert all({"sources", "classes", "described"} <= set(one) for one in found)
    assert Trainings(select(probe=PROBE).experiment).nearest() == []


def test_source_images_come_from_tars_of_their_classes_where_the_config_says_so(tmp_path):
    config = copy.deepcopy(MINIMAL)
    config["images"] |= {"drawn": None, "tars": f"{tmp_path}/{{wnid}}.tar", "on_missing": "drop"}
    for line in (PROJECT / "config/targets/minimal.tsv").read_text().splitlines()[1:]:
        (tmp_path / f"{line.split()[0]}.tar").touch()
    config["source"] |= {"weights": "config/minimal.yaml", "samples": "/pictures/{wnid}.tar"}
    config["wordvectors"] = {"path": "config/minimal.yaml"}
    experiment = Experiment(load_config(config, PROJECT))
    source, target = experiment.sources[0], experiment.targets[0]
    assert experiment.tar_of(at(wnid=source)) == f"/pictures/{source}.tar"
    assert experiment.tar_of(at(wnid=target)) == f"{tmp_path}/{target}.tar"
    assert experiment.source_pictures() == [f"results/minimal/images/{wnid}.arrow" for wnid in experiment.sources]
    assert experiment.source_accuracy() == [] and not experiment.sampled


def test_heads_follow_k_only_where_k_is_chosen(select):
    config = copy.deepcopy(MINIMAL)
    config["groups"] = {"main": {"initialisations": ["random", "wordnet-k2"], "shots": [1]}}
    config["figures"] = {"group": "main", "shots": 1}
    runs = Selection(Experiment(load_config(config, PROJECT)))
    assert set(runs.head_inputs(at(shots=1, seed=0))) == {"wordnet"} and runs.neighbour_rule(at(shots=1, seed=0)) == ""
    assert runs.head_rules(at(shots=1, seed=0))["bias"] == "combined"
    config["groups"]["main"]["initialisations"] = ["random", "imprinted", "wordnet"]
    runs = Selection(Experiment(load_config(config, PROJECT)))
    assert set(runs.head_inputs(at(shots=1, seed=0))) == {"wordnet", "neighbours"}


def test_measures_that_look_at_images_have_a_matrix_for_each_draw(select):
    experiment = select().experiment
    assert experiment.similarity("inference", 4, 1).endswith("similarity/inference/4-1.parquet")
    assert experiment.similarity("wordnet", 4, 1).endswith("similarity/wordnet/all.parquet")
    assert experiment.measure_inputs(at(measure="inference", sample="4-1"))["split"].endswith("splits/1.csv")
    assert set(experiment.measure_inputs(at(measure="wordnet", sample="all"))) == {"taxonomy"}
    assert experiment.settings_of("inference") == {"reading": "argmax"}


def test_tables_of_several_groups_show_the_runs_of_both(select):
    config = copy.deepcopy(MINIMAL)
    config["groups"]["probe"] = PROBE
    config["tables"]["group"] = ["main", "probe"]
    runs = Selection(Experiment(load_config(config, PROJECT)))
    shown = runs.table_runs(SimpleNamespace(table="table2"))
    assert set(shown) == {"finetune", "linear"} and shown["linear"] == ["random", "imprinted"]
    assert {"random", "random+linear"} <= set(runs.looks(shown))
    assert runs.table_runs(SimpleNamespace(table="table1")) == {}
    assert set(runs.explored_groups()) == {"main", "curves", "probe"}


@pytest.mark.parametrize("prefix", ["", "first part/of it/"])
def test_progress_lies_beside_the_results_whatever_stands_before_them(select, prefix):
    output = SimpleNamespace(history=f"{prefix}results/minimal/runs/finetune/4-0.parquet")
    found = Trainings(select().experiment).training_state(at(strategy="finetune", shots=4, seed=0), output)
    assert found == f"{prefix}work/minimal/runs/finetune/4-0.pt"


def test_starts_compared_before_training_have_heads_for_their_own_draws(select):
    config = copy.deepcopy(MINIMAL)
    config["starts"] = {"initialisations": ["probe", "lin-k3"], "shots": [1, 2], "seeds": [0, 7]}
    runs = Selection(Experiment(load_config(config, PROJECT)))
    assert runs.starts_of_heads(at(shots=2, seed=7)) == ["lin-k3", "probe"]
    assert set(runs.starts_of_heads(at(shots=1, seed=0))) >= {"random", "wordnet", "lin-k3", "probe"}
    assert runs.starts_of_heads(at(shots=1, seed=1)) == ["random", "inference", "wordnet", "word2vec", "imprinted"]
    assert runs.compared_starts()[-1] == "results/minimal/starts/2-7.csv"
    assert any(path.endswith("tables/starts.md") for path in runs.tables())
    assert not any("starts" in path for path in select().tables() + select().figures())


def test_strategies_are_tabulated_ranked_and_weighed_where_the_tables_show_several(select):
    config = copy.deepcopy(MINIMAL)
    config["groups"]["probe"] = PROBE
    assert not Selection(Experiment(load_config(config, PROJECT))).several
    config["tables"]["group"] = ["main", "probe"]
    runs = Selection(Experiment(load_config(config, PROJECT)))
    made = {"tables/strategies.md", "tables/costs.md", "figures/ranks.svg"}
    assert {f"results/minimal/{name}" for name in made} <= {*runs.tables(), *runs.figures()}
    shown = [*select().tables(), *select().figures()]
    assert not [path for path in shown if any(word in path for word in ("strategies", "costs", "ranks"))]
    assert runs.table_inputs(SimpleNamespace(table="strategies")) == {"history": runs.histories(["main", "probe"])}
