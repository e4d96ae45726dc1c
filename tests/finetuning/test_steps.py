"""Recorded steps are those that are taken one by one, bit for bit: a tape on the CPU stands in for a CUDA graph."""

import weakref
from dataclasses import replace

import pytest
import torch
from tapes import record, warm_up
from toys import MACHINE, STEPS, fresh_network, head, resumed, same

from headstart.finetuning import steps
from headstart.finetuning.strategies.finetune import FineTune
from headstart.machine.graphs import records
from headstart.vocabulary import STRATEGIES, code_of

HEADS = {"random": head(0), "wordnet": head(1)}
RECORDED = {word for word in STRATEGIES if code_of(STRATEGIES[word].code).recorded}


@pytest.fixture
def tapes(monkeypatch):
    """A list that grows with each recording."""
    made = []

    def noted(work, device):
        made.append(device)
        return record(work, device)

    monkeypatch.setattr(steps, "records", lambda device: True)
    monkeypatch.setattr(steps, "warm_up", warm_up)
    monkeypatch.setattr(steps, "record", noted)
    return made


def test_nothing_is_recorded_on_a_cpu_and_nothing_said(train, capsys):
    assert not records(MACHINE.device) and records(torch.device("cuda", 1))
    train({"a": head(0)}, steps=1, evaluate_at=[0])
    assert "recorded" not in capsys.readouterr().out


@pytest.mark.parametrize("word", STRATEGIES)
def test_recorded_steps_give_the_same_bits_and_others_say_that_they_are_not(word, train, strategy_of, request, capsys):
    history, weights = train(HEADS, strategy_of(word))
    tapes = request.getfixturevalue("tapes")
    taped_history, taped = train(HEADS, strategy_of(word))
    assert same(taped, weights) and taped_history.equals(history)
    # Batches of four and the last one of an epoch; the first phase of lpft ends with the fourth step.
    assert len(tapes) == {"lpft": 4}.get(word, 2 if word in RECORDED else 0)
    said = "steps are not recorded as a CUDA graph, but launched one by one"
    assert (said in capsys.readouterr().out) == (word not in RECORDED)


def test_plain_steps_are_recorded_and_those_that_read_numbers_are_not():
    assert {"finetune", "linear", "lpft", "gentle", "l2sp", "sgd"} <= RECORDED
    assert not RECORDED & {"bss", "gradmf", "pcgrad"}


@pytest.mark.parametrize("word", ["finetune", "lpft"])
def test_a_run_broken_off_inside_a_recording_ends_with_the_same_bytes(word, train, strategy_of, tmp_path, tapes):
    unbroken_history, unbroken = train(HEADS, strategy_of(word))
    count = len(tapes)
    history, weights = resumed(train, lambda: strategy_of(word), HEADS, tmp_path / "state.pt", (2, 5))
    assert same(weights, unbroken) and history.equals(unbroken_history)
    assert len(tapes) > count


def test_fewer_runs_side_by_side_are_recorded_in_turn_with_the_same_bits(train, tapes):
    history, weights = train(HEADS)
    alone_history, alone = train(HEADS, machine=replace(MACHINE, side_by_side=1))
    assert same(alone, weights) and alone_history.equals(history)
    assert len(tapes) == 2 + 4


def test_an_optimiser_is_marked_while_it_is_recorded_and_not_in_what_is_saved(train, tapes, monkeypatch):
    marks, optimisers = [], []

    class Watched(FineTune):
        recorded = True

        def optimiser(self, replica):
            optimisers.append(super().optimiser(replica))
            return optimisers[-1]

    def noted(work, device):
        marks.append(optimisers[0].param_groups[0]["capturable"])
        return record(work, device)

    monkeypatch.setattr(steps, "record", noted)
    train({"a": head(0)}, Watched({}))
    assert marks == [True, True] and optimisers[0].param_groups[0]["capturable"] is False


def test_a_class_that_says_nothing_is_not_recorded():
    class Silent(FineTune):
        pass

    class Said(FineTune):
        recorded = True

    class Further(Said):
        pass

    assert [kind.recorded for kind in (FineTune, Silent, Said, Further)] == [True, False, True, False]


def test_a_step_that_turns_out_to_read_numbers_goes_on_one_by_one(train, tapes, capsys):
    class Reading(FineTune):
        recorded = True

        def loss(self, replica, step):
            loss = super().loss(replica, step)
            return loss * 2 if float(loss.detach()) > 1 else loss

    class Silent(Reading):
        pass

    _, weights = train(HEADS, Reading({}))
    said = capsys.readouterr().out
    assert said.count("launched one by one: operation not permitted when stream is capturing\n") == 1
    assert same(weights, train(HEADS, Silent({}))[1])


def test_a_step_that_depends_on_its_number_would_be_wrong_if_it_were_recorded(train, tapes):
    class Numbered(FineTune):
        recorded = True

        def loss(self, replica, step):
            return super().loss(replica, step) * step.number

    class Silent(Numbered):
        pass

    assert not same(train(HEADS, Numbered({}))[1], train(HEADS, Silent({}))[1])


def test_a_full_memory_is_no_reason_to_go_on_one_by_one(train, tapes, monkeypatch):
    def full(work, device):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(steps, "warm_up", full)
    with pytest.raises(torch.OutOfMemoryError):
        train(HEADS)


def test_recordings_end_with_their_round(train, tapes, monkeypatch):
    living, build = weakref.WeakSet(), steps.Recording.__init__

    def noted(recording, *given):
        living.add(recording)
        build(recording, *given)

    monkeypatch.setattr(steps.Recording, "__init__", noted)
    train(HEADS, steps=1, evaluate_at=[0])
    assert len(tapes) == 1 and not living


@pytest.mark.parametrize("recorded", [False, True])
def test_the_images_of_several_steps_pass_the_trunk_together_and_the_bits_are_the_same(train, request, recorded):
    history, weights = train(HEADS)
    if recorded:
        request.getfixturevalue("tapes")
    network, seen = fresh_network(), []
    network.trunk.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    several_history, several = train(HEADS, network=network, machine=replace(MACHINE, at_once=15))
    assert same(several, weights) and several_history.equals(history)
    assert seen == [4 + 4 + 1, 4 + 4 + 1, 4]  # three steps of at most four images each are at most 15 images


def test_a_resumed_run_passes_the_same_images_together(train, tmp_path, monkeypatch):
    machine, passes = replace(MACHINE, at_once=12), []
    through = FineTune.through_trunk
    monkeypatch.setattr(FineTune, "through_trunk", lambda own, x: passes.append(x.clone()) or through(own, x))
    unbroken_history, unbroken = train(HEADS, machine=machine)
    whole = list(passes)
    passes.clear()

    def run(heads, strategy, **more):
        return train(heads, strategy, machine=machine, **more)

    history, weights = resumed(run, lambda: FineTune({}), HEADS, tmp_path / "state.pt", (2, 6))
    assert same(weights, unbroken) and history.equals(unbroken_history)
    assert [sum(torch.equal(one, other) for one in whole) for other in passes] == [1] * len(passes)
    assert len(whole) == -(-STEPS // 3) and len(passes) == 1 + 2 + 2


def test_a_strategy_that_shares_more_shares_it_step_by_step(train, strategy_of):
    strategy, seen = strategy_of("pcgrad"), []
    through = strategy.through_trunk
    strategy.through_trunk = lambda inputs: seen.append(len(inputs)) or through(inputs)
    _, weights = train(HEADS, strategy, machine=replace(MACHINE, at_once=12))
    assert len(seen) == 2 * STEPS
    assert same(weights, train(HEADS, strategy_of("pcgrad"))[1])


def test_the_losses_are_those_of_each_step(train, monkeypatch, request):
    shown, take = [], steps.Steps.take

    def noted(taken, replicas, step):
        losses = take(taken, replicas, step)
        shown.append({name: loss.clone() for name, loss in losses.items()})
        return losses

    monkeypatch.setattr(steps.Steps, "take", noted)
    train(HEADS)
    plain = list(shown)
    shown.clear()
    request.getfixturevalue("tapes")
    train(HEADS)
    assert len(shown) == STEPS and all(map(same, shown, plain))
