"""Every strategy keeps what lockstep promises, and each does what its paper says."""

import pytest
import torch
from test_backbones import Chain, build
from torch.nn import functional
from toys import (
    CLASSES,
    CPU,
    MACHINE,
    STEPS,
    VIEW,
    fresh_network,
    head,
    part,
    plain_run,
    power_cut,
    resumed,
    rows,
    same,
    values_of,
)

from headstart.finetuning.batches import draw_batch, draw_step, dropout_mask
from headstart.finetuning.evaluation import own_evaluation
from headstart.finetuning.settings import Training
from headstart.finetuning.strategies.finetune import FineTune, Passes
from headstart.jobs.checkpoints import Checkpoint
from headstart.machine.computing import place
from headstart.vocabulary import STRATEGIES

HEADS = {"random": head(0), "wordnet": head(1)}
SWITCH = 4  # the last step in which lpft holds the tail, half of seven rounded to even
every_strategy = pytest.mark.parametrize("word", STRATEGIES)


@every_strategy
def test_a_run_alone_equals_the_same_run_in_a_group_bit_for_bit(word, train, strategy_of):
    history, weights = train(HEADS, strategy_of(word))
    for init in HEADS:
        alone_history, alone = train({init: HEADS[init]}, strategy_of(word))
        assert same(part(alone, init), part(weights, init))
        assert rows(history, init).equals(alone_history)
    assert not same(part(weights, "random"), part(weights, "wordnet"))


@every_strategy
def test_a_run_broken_off_again_and_again_ends_with_the_same_bytes(word, train, tmp_path, strategy_of):
    unbroken_history, unbroken = train(HEADS, strategy_of(word))
    breaks = (1, 3, SWITCH + 1, SWITCH + 3)  # in both phases of lpft, and between them
    history, weights = resumed(train, lambda: strategy_of(word), HEADS, tmp_path / "state.pt", breaks)
    assert same(weights, unbroken) and history.equals(unbroken_history)


@every_strategy
def test_the_pretrained_network_does_not_change(word, train, strategy_of):
    strategy = strategy_of(word)
    network = strategy.cut(build(Chain), "features.1")
    before = values_of(network)
    train(HEADS, strategy, network)
    assert same(values_of(network), before)


@every_strategy
def test_the_passes_are_those_that_are_made(word, train, strategy_of):
    # In later rounds joint passes source images for each reach that there is, and says the most.
    strategy, seen = strategy_of(word, **({"rounds": 1} if word == "joint" else {})), []
    network, build_replica = strategy.cut(build(Chain), "features.1"), strategy.replica

    def watched(weight, bias):
        replica = build_replica(weight, bias)
        kinds = {True: "training", False: "forward"}
        first = next(replica.tail.parameters())
        replica.tail[0].register_forward_pre_hook(
            lambda *_: seen.append(kinds[first.requires_grad]) if replica.training else None
        )
        return replica

    strategy.replica = watched
    network.trunk.register_forward_pre_hook(lambda *_: seen.append("trunk"))
    if hasattr(strategy, "teacher"):
        strategy.teacher.register_forward_pre_hook(lambda *_: seen.append("shared"))
    train({"a": head(0)}, strategy, network, steps=4, evaluate_at=[0])
    passes = strategy.passes(strategy.options)
    assert passes == Passes(*(seen.count(kind) / 4 for kind in Passes._fields))
    assert min(passes) >= 0


@pytest.mark.parametrize("head_share", [0, 0.25, 1])
def test_both_phases_of_lpft_make_up_one_pass(head_share, strategy_of):
    passes = strategy_of("lpft").passes({"head_share": head_share})
    assert min(passes) >= 0 and passes.forward + passes.training == 1


@every_strategy
def test_the_last_layer_alone_is_trained_where_there_are_no_blocks(word, train, files, tmp_path, strategy_of):
    def run(strategy):
        network = strategy.cut(build(Chain), "classifier.1")
        evaluation = own_evaluation(network.trunk, files, CLASSES, VIEW, MACHINE, tmp_path / "scratch.npy")
        return train({"a": head(0)}, strategy, network, evaluation=evaluation)[1]

    plainest = {"l2sp": {"beta": 0}, "gentle": {"share": 1}, "ktft": {"size": 1}}.get(word, {})
    plain = "sgd" if word in ("sgd", "gradmf") else "finetune"
    found, expected = run(strategy_of(word, **plainest)), run(strategy_of(plain))
    assert list(expected) == ["a/classifier.1.weight", "a/classifier.1.bias"]
    assert same({name: found[name] for name in expected}, expected)
    further = {"source_head.weight", "source_head.bias", "neighbours", "added"}
    assert set(found) - set(expected) <= {f"a/{name}" for name in further}


def test_a_strategy_sees_network_inputs_outputs_labels_and_dropout(train):
    seen = []

    class Watched(FineTune):
        def loss(self, replica, step):
            features, logits = replica(step.outputs, step.mask)
            seen.append([value.shape for value in (*step[1:5], features, logits, self.network.head(features))])
            assert (step.number, step.further) == (1, None)
            return functional.cross_entropy(logits, step.labels)

    train({"a": head(0)}, Watched({}), steps=1, evaluate_at=[0])
    assert seen == [[(4, 3, 32, 32), (4, 6, 16, 16), (4,), (4, 5), (4, 5), (4, 3), (4, 4)]]


def test_linear_trains_a_linear_layer_on_the_pretrained_features_bit_for_bit(train, images, strategy_of):
    _, weights = train({"a": head(0)}, strategy_of("linear"))
    network = fresh_network()
    assert same(network.tail.state_dict(), {n: v for n, v in part(weights, "a").items() if "classifier" not in n})
    weight, bias = (torch.tensor(values, requires_grad=True) for values in head(0))
    optimiser = torch.optim.Adam([weight, bias], lr=1e-3, fused=True)
    trunk, tail = place(network.trunk, CPU), place(network.tail, CPU)
    for step in range(1, STEPS + 1):
        inputs, labels = draw_batch(images, step, CPU)
        with torch.no_grad():
            features = tail(trunk(inputs))
        kept = dropout_mask(len(labels), 5, 0.75, images.seed, step)
        optimiser.zero_grad()
        functional.cross_entropy(functional.linear(features * kept, weight, bias), labels).backward()
        optimiser.step()
    assert torch.equal(weights["a/classifier.1.weight"], weight)
    assert torch.equal(weights["a/classifier.1.bias"], bias)


def test_lpft_is_linear_up_to_the_switch(train, tmp_path, strategy_of):
    strategy = strategy_of("lpft")
    enter, checkpoint = strategy.enter, Checkpoint(tmp_path / "state.pt", "digest", save_every=0)
    strategy.enter = lambda replica, step: enter(replica, step) if step <= SWITCH else power_cut()
    with pytest.raises(RuntimeError, match="power cut"):
        train({"a": head(0)}, strategy, checkpoint=checkpoint)
    found = checkpoint.load()["runs"]["a"]
    _, weights = train({"a": head(0)}, strategy_of("linear"), steps=SWITCH, evaluate_at=[0])
    assert found["done"] == SWITCH
    assert [*map(torch.equal, found["replica"].values(), weights.values())] == [True] * len(weights)


def test_lpft_is_a_plain_loop_in_two_phases_bit_for_bit(train, images, strategy_of):
    _, weights = train({"a": head(0)}, strategy_of("lpft"))
    expected = plain_run(*head(0), images, held=SWITCH, batch_norm="eval")
    assert same(part(weights, "a"), expected)
    moved = [
        name for name, value in fresh_network().tail.state_dict().items() if not torch.equal(value, expected[name])
    ]
    assert moved == [name for name, _ in fresh_network().tail.named_parameters()]


def test_lpft_without_a_first_phase_is_plain_fine_tuning_with_batch_norm_held(train, strategy_of):
    history, weights = train(HEADS, strategy_of("lpft", head_share=0))
    expected_history, expected = train(HEADS, batch_norm="eval")
    assert same(weights, expected) and history.equals(expected_history)


def test_lpft_without_a_second_phase_is_the_linear_probe(train, strategy_of):
    history, weights = train(HEADS, strategy_of("lpft", head_share=1))
    expected_history, expected = train(HEADS, strategy_of("linear"))
    assert same(weights, expected) and history.equals(expected_history)


def test_small_steps_are_plain_ones_of_a_smaller_rate_with_batch_norm_held(train, strategy_of):
    _, plain = train({"a": head(0)}, batch_norm="eval")
    _, whole = train({"a": head(0)}, strategy_of("gentle", share=1))
    assert same(whole, plain)
    _, shorter = train({"a": head(0)}, strategy_of("gentle", share=0.1))
    _, lower = train(
        {"a": head(0)}, batch_norm="eval", learning_rate=0.1 * Training(steps=1, evaluate_at=[0]).learning_rate
    )
    assert same(shorter, lower) and not same(shorter, whole)


def test_l2sp_draws_blocks_to_the_pretrained_weights_and_rows_to_zero(images, strategy_of):
    """Behind a step that has moved the blocks: the loss and its gradient, against arithmetic by hand."""
    alpha, beta = 0.5, 0.25
    network = fresh_network()
    pulled, free = strategy_of("l2sp", alpha=alpha, beta=beta), strategy_of("finetune")
    for strategy in (pulled, free):
        strategy.begin(network, MACHINE, Training(steps=STEPS, evaluate_at=[0], learning_rate=0.1), images)
    replica = free.replica(*head(0))
    first, second = (free.share(step, draw_step(images, 5, 0.75, CPU, step)) for step in (1, 2))
    pulled.take_step(replica, pulled.optimiser(replica), first)
    old, new = list(network.tail.parameters()), list(replica.tail.parameters())
    assert all((a != b).any() for a, b in zip(old, new, strict=True))

    parameters = [*new, replica.head.weight, replica.head.bias]
    losses = [strategy.loss(replica, second) for strategy in (pulled, free)]
    gradients = zip(*(torch.autograd.grad(loss, parameters) for loss in losses), strict=True)
    *blocks, rows_pull, bias_pull = (with_penalty - without for with_penalty, without in gradients)
    distance = sum(float((b - a).detach().double().square().sum()) for a, b in zip(old, new, strict=True))
    length = float(replica.head.weight.detach().double().square().sum())
    assert (losses[0] - losses[1]).item() == pytest.approx(alpha / 2 * distance + beta / 2 * length, abs=1e-5)
    for pull, a, b in zip(blocks, old, new, strict=True):
        torch.testing.assert_close(pull, alpha * (b - a).detach(), rtol=0, atol=1e-5)
    torch.testing.assert_close(rows_pull, beta * replica.head.weight.detach(), rtol=0, atol=1e-5)
    assert not bias_pull.any()


def test_l2sp_feels_no_pull_of_the_blocks_in_its_first_step(train, strategy_of):
    _, weights = train({"a": head(0)}, strategy_of("l2sp", alpha=1000, beta=0), steps=1, evaluate_at=[0])
    assert same(weights, train({"a": head(0)}, steps=1, evaluate_at=[0])[1])


def test_l2sp_without_its_penalties_is_plain_fine_tuning(train, strategy_of):
    history, weights = train(HEADS, strategy_of("l2sp", alpha=0, beta=0))
    expected_history, expected = train(HEADS)
    assert same(weights, expected) and history.equals(expected_history)


@pytest.mark.parametrize("options", [{"alpha": 1, "beta": 0}, {"alpha": 0, "beta": 1}])
def test_either_penalty_of_l2sp_changes_the_run(train, options, strategy_of):
    _, weights = train(HEADS, strategy_of("l2sp", **options))
    assert not same(weights, train(HEADS)[1])


def test_bss_without_its_penalty_is_plain_fine_tuning_bit_for_bit(train, strategy_of):
    history, weights = train(HEADS, strategy_of("bss", eta=0))
    expected_history, expected = train(HEADS)
    assert same(weights, expected) and history.equals(expected_history)
    assert not same(train(HEADS, strategy_of("bss", eta=1))[1], expected)


def test_bss_adds_the_smallest_squared_singular_values_of_the_features(images, strategy_of):
    shrunk, free = strategy_of("bss", eta=0.5, count=2), strategy_of("finetune")
    for strategy in (shrunk, free):
        strategy.begin(fresh_network(), MACHINE, Training(steps=STEPS, evaluate_at=[0]), images)
    replica, step = free.replica(*head(0)), free.share(1, draw_step(images, 5, 0.75, CPU, 1))
    features = replica(step.outputs)[0].detach().double()
    weakest = torch.linalg.eigvalsh(features @ features.T)[:2]  # four images of five features
    added = (shrunk.loss(replica, step) - free.loss(replica, step)).item()
    assert added == pytest.approx(0.5 * weakest.sum().item(), rel=1e-3, abs=1e-6)
