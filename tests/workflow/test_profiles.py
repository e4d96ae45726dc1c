"""Profiles explain themselves, and every rule says what its jobs need, or is small enough to need nothing."""

import ast
import math
import re
from pathlib import Path

import pytest
import yaml

from pipeline.config.loading import load_config
from pipeline.plan.counts import count

PROJECT = Path(__file__).parents[2]
PROFILES = sorted((PROJECT / "profiles").glob("*/profile.yaml"))
RULES = "\n".join(path.read_text() for path in sorted((PROJECT / "workflow/rules").glob("*.smk")))
BODIES = dict(re.findall(r"^ *rule (\w+):\n(.*?)(?=^ *rule |\Z)", RULES, flags=re.MULTILINE | re.DOTALL))
LOCAL = {rule for rule, body in BODIES.items() if "localrule: True" in body}
BATCHED = {"decode_images", "measure_similarity", "initialise_heads", "score_starts"}
ATTEMPTED = {"embed_images", "cache_trunk", "cache_batches", "fine_tune", "export_model"}
ON_GPU = ATTEMPTED | {"describe_filters", "select_source_images", "measure_antialias", "measure_consistency"}


def read(name: str) -> dict:
    return yaml.safe_load((PROJECT / f"profiles/{name}/profile.yaml").read_text())


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_every_entry_has_a_comment(path):
    before = ""
    for line in path.read_text().splitlines():
        is_entry = re.match(r" *[\w-]+:", line)
        # A heading of further entries is explained by them.
        if is_entry and not line.endswith(":"):
            assert " # " in line or before.lstrip().startswith("# "), f"{path.parent.name}: {line.strip()}"
        before = line


def test_the_three_profiles_are_there():
    assert [path.parent.name for path in PROFILES] == ["default", "slurm", "workstation"]


@pytest.mark.parametrize("name", ["slurm", "workstation"])
def test_profiles_share_no_key_with_the_default_which_would_replace_it(name):
    assert not set(read(name)) & set(read("default"))


def test_rules_name_no_site():
    assert not re.search(r"\b(slurm_\w+|partition|account|qos|constraint|gres)\b", RULES)


@pytest.mark.parametrize("rule", sorted(set(BODIES) - LOCAL))
def test_jobs_ask_for_memory_and_time_that_grow_with_attempts(rule):
    asked = dict(re.findall(r"^ +(\w+)=growing\((\d+)\),$", BODIES[rule], re.M))
    # After a GPU's memory was too small, the next attempt takes less at once, so those jobs are told which it is.
    assert set(asked) == ({"mem_mb", "runtime", "attempt"} if rule in ATTEMPTED else {"mem_mb", "runtime"})
    # Around a script run two Snakemakes, with some 250 MB.
    assert int(asked["mem_mb"]) >= 500 and int(asked["runtime"]) >= 5


@pytest.mark.parametrize("rule", sorted(LOCAL))
def test_local_rules_compute_nothing_large(rule):
    tree = ast.parse((PROJECT / f"workflow/scripts/{rule}.py").read_text())
    imported = {getattr(node, "module", "") for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not imported & {
        *("headstart.networks.backbones", "headstart.networks.embedding", "headstart.networks.pretraining"),
        "headstart.finetuning.training",
    }
    for word in ("threads:", "mem_mb", "gpu", "AT.features", "experiment.stores("):
        assert word not in re.sub(r"(audits|pictures)=.*", "", BODIES[rule]), f"{rule} has {word}"


def test_rules_that_run_the_network_on_all_images_ask_for_one_gpu():
    assert {rule for rule, body in BODIES.items() if re.search(r"^ +gpu=1,$", body, re.M)} == ON_GPU
    assert "gpus=" not in RULES


def test_batches_are_of_rules_with_many_jobs_and_take_the_room_of_one():
    slurm = read("slurm")
    assert set(slurm["groups"]) == BATCHED
    assert not LOCAL & set(slurm["groups"])
    assert set(slurm["groups"].values()) == set(slurm["group-components"])
    # Also where to write that there is none.
    gpus = dict.fromkeys(ON_GPU, {"gpu": 1})
    assert slurm["set-resources"] == dict.fromkeys(BATCHED, {"batch": 1}) | gpus
    assert slurm["resources"]["batch"] == 1 and slurm["set-resource-scopes"] == {"batch": "local"}


def slurm_jobs(given: dict) -> tuple[int, int]:
    """How many jobs an experiment has, and how many of them Slurm sees; tests/cluster compares it with a real Slurm."""
    jobs = count(load_config(given, PROJECT), evaluations=lambda steps: 2).jobs
    slurm = read("slurm")
    size = {rule: slurm["group-components"][group] for rule, group in slurm["groups"].items()}
    sent = [math.ceil(number / size.get(rule, 1)) for rule, number in jobs.items() if rule not in LOCAL | {"all"}]
    return sum(jobs.values()), sum(sent)


@pytest.mark.parametrize("config", ["minimal", "config", "paper"])
def test_the_docs_say_how_many_jobs_slurm_sees(config):
    jobs, sent = slurm_jobs(yaml.safe_load((PROJECT / f"config/{config}.yaml").read_text()))
    assert f"| `config/{config}.yaml` | {jobs} | {sent} |" in (PROJECT / "docs/cluster.md").read_text()
