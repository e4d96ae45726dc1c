"""A second job trains what is new alone, and never trusts what it cannot know to be the same."""

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file
from toys import head, part, rows

from headstart.finetuning import runs
from headstart.finetuning.runs import Files, digests_of, finished_runs, write_runs

HEADS = {"random": head(0), "wordnet": head(1)}
FACTS = {"strategy": "finetune", "shots": 3, "seed": 1, "device": "cpu"}


@pytest.fixture
def job(train, tmp_path):
    """The steps of the script fine_tune; returns the starts that were trained."""
    paths = Files(tmp_path / "3-1.parquet", tmp_path / "3-1.safetensors", tmp_path / "3-1.json")

    def run(heads, common="config and code"):
        digests = digests_of(common, heads)
        kept = finished_runs(paths, digests)
        left = {name: head for name, head in heads.items() if name not in set(kept[0]["initialisation"])}
        write_runs(kept, train(left, steps=2, evaluate_at=[0, 2]), FACTS, digests, paths)
        return list(left)

    return run


def history(folder):
    return pd.read_parquet(folder / "3-1.parquet")


def weights(folder):
    return load_file(folder / "3-1.safetensors")


def equal(first, second):
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def test_the_files_hold_what_was_trained_with_its_facts(job, train, tmp_path):
    assert job(HEADS) == ["random", "wordnet"]
    made, tensors = train(HEADS, steps=2, evaluate_at=[0, 2])
    expected = made.assign(**FACTS)
    pd.testing.assert_frame_equal(history(tmp_path), expected)
    assert equal(weights(tmp_path), {name: tensor.numpy() for name, tensor in tensors.items()})


def test_one_more_start_is_trained_alone_and_the_others_stay_as_they_were(job, tmp_path, capsys):
    job(HEADS)
    before, arrays = history(tmp_path), weights(tmp_path)
    assert job(HEADS | {"imprinted": head(2)}) == ["imprinted"]
    assert "finished before, and kept: random, wordnet" in capsys.readouterr().out
    after = history(tmp_path)
    for init in HEADS:
        pd.testing.assert_frame_equal(rows(after, init), rows(before, init))
        assert equal(part(weights(tmp_path), init), part(arrays, init))
    assert set(after["initialisation"]) == {*HEADS, "imprinted"}


def test_a_start_that_came_later_has_the_result_it_would_have_had_at_once(job, tmp_path):
    more = HEADS | {"imprinted": head(2)}
    job(HEADS)
    job(more)
    later, arrays = history(tmp_path), weights(tmp_path)
    job(more, "another config")
    at_once = history(tmp_path)
    for init in more:
        pd.testing.assert_frame_equal(rows(later, init), rows(at_once, init))
    assert equal(arrays, weights(tmp_path))


def test_a_job_with_nothing_new_trains_nothing_and_leaves_the_bytes(job, tmp_path):
    job(HEADS)
    before = [path.read_bytes() for path in sorted(tmp_path.glob("3-1.*"))]
    assert job(HEADS) == []
    assert [path.read_bytes() for path in sorted(tmp_path.glob("3-1.*"))] == before


def test_a_start_that_is_no_longer_asked_for_goes(job, tmp_path):
    job(HEADS)
    assert job({"wordnet": HEADS["wordnet"]}) == []
    assert set(history(tmp_path)["initialisation"]) == {"wordnet"}
    assert {name.partition("/")[0] for name in weights(tmp_path)} == {"wordnet"}


def test_another_config_or_code_trains_all_anew(job):
    job(HEADS)
    assert job(HEADS, "another config") == ["random", "wordnet"]


@pytest.mark.parametrize("place", [0, 1])
def test_another_value_of_one_head_trains_that_run_anew(job, place):
    job(HEADS)
    changed = [values.copy() for values in HEADS["wordnet"]]
    changed[place].flat[0] = np.nextafter(changed[place].flat[0], np.float32(9))
    assert job(HEADS | {"wordnet": tuple(changed)}) == ["wordnet"]
    assert job(HEADS | {"wordnet": tuple(changed)}) == []


def test_a_head_under_another_name_is_another_run(job):
    job(HEADS)
    assert job({"inference": HEADS["random"]}) == ["inference"]


def test_a_first_job_says_nothing(job, capsys):
    job(HEADS)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("lost", ["parquet", "safetensors", "json"])
def test_one_missing_file_starts_from_zero_and_says_so(job, tmp_path, capsys, lost):
    job(HEADS)
    (tmp_path / f"3-1.{lost}").unlink()
    assert job(HEADS) == ["random", "wordnet"]
    assert "starting from zero: the earlier runs at" in capsys.readouterr().out
    assert job(HEADS) == []


@pytest.mark.parametrize("broken", ["parquet", "safetensors", "json"])
@pytest.mark.parametrize("content", [b"", b"PAR1 half a file", None])
def test_a_broken_file_starts_from_zero_and_says_so(job, tmp_path, capsys, broken, content):
    job(HEADS)
    path = tmp_path / f"3-1.{broken}"
    path.write_bytes(path.read_bytes()[:-20] if content is None else content)
    assert job(HEADS) == ["random", "wordnet"]
    assert "starting from zero: the earlier runs at" in capsys.readouterr().out
    assert job(HEADS) == []


@pytest.mark.parametrize("swapped", ["parquet", "safetensors"])
def test_files_of_another_job_are_not_kept(job, tmp_path, capsys, swapped):
    job(HEADS)
    other = (tmp_path / f"3-1.{swapped}").read_bytes()
    job(HEADS | {"random": head(5)}, "another config")
    (tmp_path / f"3-1.{swapped}").write_bytes(other)
    assert job(HEADS | {"random": head(5)}, "another config") == ["random", "wordnet"]
    assert "starting from zero" in capsys.readouterr().out


@pytest.mark.parametrize("broken", ["write_arrays", "write_table"])
def test_a_history_never_stands_beside_weights_that_are_not_its_own(job, tmp_path, monkeypatch, broken):
    """A job of another config breaks off within its writing: weights without a history are left, never the reverse."""
    job(HEADS)

    def fail(*arguments):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(runs, broken, fail)
        with pytest.raises(OSError, match="no space"):
            job(HEADS | {"random": head(5)}, "another config")
    assert [path.name for path in tmp_path.iterdir()] == ["3-1.safetensors"]
    assert job(HEADS) == ["random", "wordnet"]
    assert job(HEADS) == []
