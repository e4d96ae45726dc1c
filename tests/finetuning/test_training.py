"""Runs side by side are what a plain loop makes of each, whatever the machine holds at once."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional
from toys import CPU, MACHINE, VIEW, fresh_network, head, part, plain_run, rows, same, values_of

from headstart.finetuning import replicas, training
from headstart.finetuning.batches import draw_batch
from headstart.finetuning.strategies.finetune import FineTune
from headstart.machine import computing
from headstart.machine.memory import Sizes
from headstart.machine.prefetch import one_ahead
from headstart.networks import embedding
from headstart.networks.embedding import embed


def test_a_run_alone_equals_the_same_run_in_a_group_bit_for_bit(train):
    heads = {"random": head(0), "wordnet": head(1), "inference": head(2)}
    history, weights = train(heads)
    for init in heads:
        alone_history, alone = train({init: heads[init]})
        assert same(alone, {name: value for name, value in weights.items() if name.startswith(f"{init}/")})
        assert rows(history, init).equals(alone_history)
    assert not same(part(weights, "random"), part(weights, "wordnet"))


def test_lockstep_equals_a_plain_loop_over_the_whole_network_bit_for_bit(train, images):
    heads = {"random": head(0), "wordnet": head(1)}
    _, weights = train(heads)
    for init in heads:
        assert same(part(weights, init), plain_run(*heads[init], images))


def test_batches_drawn_ahead_by_a_second_thread_give_the_same_bits(train, store, monkeypatch):
    network, names = fresh_network(), store.names[:5]
    plain_features = embed(network.trunk, network.tail, store, names, VIEW, MACHINE, batch=2)
    plain_history, plain = train({"a": head(0), "b": head(1)})
    used = []

    def ahead(make, keys, second_thread):
        used.append(make)
        return one_ahead(make, keys)

    for module in (embedding, replicas, training):
        monkeypatch.setattr(module, "one_ahead", ahead)
    history, weights = train({"a": head(0), "b": head(1)})
    assert same(weights, plain) and history.equals(plain_history)
    assert len(used) == 1 + 3  # the batches of the run, and of its three evaluations
    features = embed(network.trunk, network.tail, store, names, VIEW, MACHINE, batch=2)
    assert np.array_equal(features, plain_features)
    assert len(used) == 5


def test_half_precision_rounds_the_blocks_and_leaves_weights_logits_and_loss_float32(train, monkeypatch):
    _, plain = train({"a": head(0)}, steps=1, evaluate_at=[0])
    monkeypatch.setattr(computing, "precision_on", lambda device, precision: precision)  # bfloat16 on a CPU
    monkeypatch.setattr(replicas, "in_float32", lambda device: torch.autocast("cpu", enabled=False))
    seen = []

    class Watched(FineTune):
        def loss(self, replica, step):
            features, logits = replica(step.outputs, step.mask)
            loss = functional.cross_entropy(logits, step.labels)
            seen.append((features.dtype, logits.dtype, loss.dtype))
            return loss

    machine = replace(MACHINE, precision="bf16")
    history, rounded = train({"a": head(0)}, Watched({}), machine=machine, steps=1, evaluate_at=[0])
    assert seen == [(torch.float32,) * 3] and history["f1"].notna().all()
    assert {value.dtype for value in rounded.values()} == {torch.float32, torch.int64}
    statistics = [name for name in plain if name.endswith("running_var")]
    assert not same({name: plain[name] for name in statistics}, {name: rounded[name] for name in statistics})
    for name in statistics:
        torch.testing.assert_close(rounded[name], plain[name], rtol=0.02, atol=0.002)


def test_half_precision_rounds_the_passes_over_images(store, monkeypatch):
    network, machine = fresh_network(), replace(MACHINE, precision="bf16")
    plain = embed(network.trunk, network.tail, store, store.names, VIEW, MACHINE, batch=4)
    monkeypatch.setattr(computing, "precision_on", lambda device, precision: precision)
    rounded = embed(network.trunk, network.tail, store, store.names, VIEW, machine, batch=4)
    assert rounded.dtype == np.float32 and not np.array_equal(rounded, plain)
    np.testing.assert_allclose(rounded, plain, rtol=0.05, atol=0.05)


def test_compiled_networks_train_alike(train, monkeypatch):
    """Traced as for a GPU, but run by the plain operators, since compiling for a CPU takes minutes."""
    heads = {"a": head(0), "b": head(1)}
    plain_history, plain = train(heads, steps=2, evaluate_at=[0])
    traced = []

    def backend(graph, inputs):
        traced.append(graph)
        return graph.forward

    def compile_here(device, module):
        module.compile(backend=backend)
        return True

    for module in (replicas, training):
        monkeypatch.setattr(module, "compile_on", compile_here)
    history, weights = train(heads, machine=replace(MACHINE, compile=True), steps=2, evaluate_at=[0])
    assert history.equals(plain_history)
    # For both replicas together: the trunk, the tail in training and in evaluation.
    assert len(traced) == 3
    assert weights.keys() == plain.keys()
    for name, value in weights.items():
        torch.testing.assert_close(value, plain[name], rtol=1e-3, atol=1e-3)


def test_the_first_step_is_that_of_the_textbook(train, images):
    """Adam's first step moves every weight by the learning rate against the sign of its gradient."""
    _, weights = train({"a": head(0)}, steps=1, evaluate_at=[0], dropout=0.0, learning_rate=0.01)
    network = fresh_network()
    inputs, labels = draw_batch(images, 1, CPU)
    network.tail.train()
    weight, bias = (torch.tensor(values, requires_grad=True) for values in head(0))
    functional.cross_entropy(network.tail(network.trunk(inputs)) @ weight.T + bias, labels).backward()
    assert weight.grad is not None and (weight.grad.abs() > 1e-4).any()
    expected = weight.detach() - 0.01 * weight.grad / (weight.grad.abs() + 1e-8)
    torch.testing.assert_close(weights["a/classifier.1.weight"], expected, rtol=0, atol=1e-5)


def test_identical_heads_stay_identical_so_all_see_the_same_crops_and_dropout(train):
    _, weights = train({"first": head(0), "second": head(0), "other": head(1)})
    assert same(part(weights, "first"), part(weights, "second"))
    assert not same(part(weights, "first"), part(weights, "other"))


def test_training_learns_classes_of_different_colour(train):
    history, _ = train({"a": head(0)}, steps=100, evaluate_at=[0, 100], learning_rate=0.01, dropout=0.25)
    first, last = history.groupby("step")["f1"].mean()
    assert first < 0.4 and last > 0.75


def test_trunk_and_pretrained_tail_do_not_change_and_the_replicas_do(train):
    network = fresh_network()
    before, tail = values_of(network), {name: value.clone() for name, value in network.tail.state_dict().items()}
    _, weights = train({"a": head(0)}, network=network)
    assert same(values_of(network), before)
    changed = [name for name, value in tail.items() if not torch.equal(value, weights[f"a/{name}"])]
    assert changed == list(tail)  # BatchNorm's statistics and counters too


def test_batch_norm_in_eval_mode_keeps_the_pretrained_statistics(train):
    _, weights = train({"a": head(0)}, batch_norm="eval")
    for name, value in fresh_network().tail.state_dict().items():
        kept = name.rpartition(".")[2] in ("running_mean", "running_var", "num_batches_tracked")
        assert torch.equal(value, weights[f"a/{name}"]) == kept, name


def test_training_does_not_touch_the_global_generators(train):
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    train({"a": head(0)}, steps=2, evaluate_at=[2])
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert (np.random.get_state()[1] == numpy_before).all()


@pytest.mark.parametrize(("side_by_side", "at_once"), [(3, 2), (2, 2), (1, 1), (2, 3)])
def test_less_at_once_where_memory_is_short_gives_the_same_bits(train, evaluation, monkeypatch, side_by_side, at_once):
    parts = evaluation | {"validation": tuple(values[:4] for values in evaluation["test"])}
    heads = {"b": head(0), "a": head(1), "c": head(2)}
    plain_history, plain = train(heads, evaluation=parts)
    held, network, seen = note_replicas(monkeypatch), fresh_network(), set()
    network.trunk.register_forward_pre_hook(lambda _, inputs: seen.add(len(inputs[0])))
    machine = MACHINE.holding(Sizes(at_once, side_by_side))
    history, weights = train(heads, network=network, evaluation=parts, machine=machine)
    assert same(weights, plain) and list(weights) == list(plain)
    assert history.equals(plain_history)
    assert seen == {1, 2}  # batches of four and of one; none gets alone that was not
    assert held == {3: [3], 2: [2, 1], 1: [1, 1, 1]}[side_by_side]


def note_replicas(monkeypatch):
    """Return a list that fills with the numbers of replicas trained together."""
    held, train = [], training.Lockstep.train

    def noting(lockstep, heads):
        held.append(len(heads))
        return train(lockstep, heads)

    monkeypatch.setattr(training.Lockstep, "train", noting)
    return held


def test_a_round_leaves_no_replica_behind_when_the_next_begins(train):
    living = weakref.WeakSet()

    class Watched(FineTune):
        def replica(self, weight, bias):
            gc.collect()
            assert not living
            made = super().replica(weight, bias)
            living.add(made)
            return made

    heads = {"a": head(0), "b": head(1), "c": head(2)}
    train(heads, Watched({}), machine=replace(MACHINE, side_by_side=1))
