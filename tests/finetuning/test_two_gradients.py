"""Strategies whose source gradient meets the target's do so as their papers say, and are plain without it."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from toys import CPU, MACHINE, STEPS, fresh_network, head, part, same

from headstart.finetuning.batches import draw_batch, draw_step
from headstart.finetuning.settings import Training
from headstart.finetuning.strategies.beside import flat
from headstart.finetuning.strategies.finetune import FineTune
from headstart.finetuning.strategies.gradmf import Altered
from headstart.finetuning.strategies.pcgrad import unconflicted

HEADS = {"random": head(0), "wordnet": head(1)}
BOTH = ("gradmf", "pcgrad")


class Unprojected(Altered):
    def meet(self, source, target):
        return target


def begun(strategy, images, **settings):
    network = fresh_network()
    strategy.begin(network, MACHINE, Training(**({"steps": STEPS, "evaluate_at": [0]} | settings)), images)
    return strategy, strategy.share(1, draw_step(images, 5, 0.75, CPU, 1))


def both_gradients(strategy, step):
    """The gradients (P,) of source and target images in the blocks of a fresh replica, in double precision."""
    found = []
    for of, loss in ((step.further, strategy.source_loss), (step, super(type(strategy), strategy).loss)):
        replica = strategy.replica(*head(0))
        blocks = list(replica.tail.parameters())
        found.append(flat(torch.autograd.grad(loss(replica, of), blocks)).double().numpy())
    return found


def moved(strategy, images, steps=1):
    """How far the blocks (P,), the new rows and the buffers are from where they were, after some steps."""
    strategy, _ = begun(strategy, images)
    replica = strategy.replica(*head(0))
    before = [value.detach().clone() for value in (*replica.tail.parameters(), replica.head.weight)]
    optimiser = strategy.optimiser(replica)
    for number in range(1, steps + 1):
        strategy.take_step(replica, optimiser, strategy.share(number, draw_step(images, 5, 0.75, CPU, number)))
    after = (*replica.tail.parameters(), replica.head.weight)
    *blocks, rows = [value.detach() - old for value, old in zip(after, before, strict=True)]
    return flat(blocks), rows, list(replica.tail.buffers())


def test_without_the_projection_gradmf_is_plain_descent_bit_for_bit(train, files, strategy_of):
    strategy = strategy_of("gradmf")
    history, weights = train(HEADS, Unprojected(strategy.options, files))
    expected_history, expected = train(HEADS, strategy_of("sgd"))
    assert same({name: weights[name] for name in expected}, expected) and history.equals(expected_history)
    assert not same(part(train(HEADS, strategy)[1], "random"), part(weights, "random"))


def test_with_a_source_error_of_no_weight_pcgrad_is_plain_fine_tuning_bit_for_bit(train, strategy_of):
    history, weights = train(HEADS, strategy_of("pcgrad", weight=0))
    expected_history, expected = train(HEADS)
    assert same({name: weights[name] for name in expected}, expected) and history.equals(expected_history)
    other = train(HEADS, strategy_of("pcgrad"))[1]
    assert not any(torch.equal(other[name], value) for name, value in expected.items() if name.endswith("1.0.weight"))


def test_one_step_of_gradmf_is_that_of_arithmetic_by_hand(images, strategy_of):
    strategy, step = begun(strategy_of("gradmf", threshold=0.9, learning_rate=0.5), images)
    source, target = both_gradients(strategy, step)
    while source @ target / np.linalg.norm(source) / np.linalg.norm(target) <= 0.9:
        source = source + target - (target @ source) / (source @ source) * source
    update = (source @ target) / (target @ target) * target
    found, rows, _ = moved(strategy, images)
    np.testing.assert_allclose(found, -0.5 * update, atol=1e-6)
    replica = strategy.replica(*head(0))
    functional.cross_entropy(replica(step.outputs, step.mask)[1], step.labels).backward()
    torch.testing.assert_close(rows, -0.5 * replica.head.weight.grad)


def test_one_step_of_pcgrad_is_that_of_arithmetic_by_hand(images, strategy_of):
    class Descending(type(strategy_of("pcgrad"))):
        def optimiser(self, replica):
            return torch.optim.SGD(replica.parameters(), lr=0.5)

    strategy, step = begun(Descending({"weight": 1.0}, strategy_of("pcgrad").files), images)
    source, target = both_gradients(strategy, step)
    conflict = min(source @ target, 0.0)
    update = source - conflict / (target @ target) * target + target - conflict / (source @ source) * source
    np.testing.assert_allclose(moved(strategy, images)[0], -0.5 * update, atol=1e-6)


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.99])
def test_whatever_the_sources_say_gradmf_goes_where_the_target_goes(images, strategy_of, threshold):
    """What the docs derive: an update that is accepted is a positive multiple of the target's gradient."""
    strategy, step = begun(strategy_of("gradmf", threshold=threshold, rounds=200), images)
    _, target = both_gradients(strategy, step)
    found = -moved(strategy, images)[0].double().numpy()
    along = found @ target / (target @ target)
    assert along > 0
    np.testing.assert_allclose(found, along * target, atol=1e-7)  # of parameters around 1 in float32


def test_adam_takes_the_multiple_away_again_in_its_first_step(images, files, strategy_of):
    class Adaptive(Altered):
        optimiser = FineTune.optimiser

    options = [strategy_of("gradmf", threshold=threshold).options for threshold in (0.2, 0.99)]
    found, expected = (moved(Adaptive(one, files), images)[0] for one in options)
    _, target = both_gradients(*begun(Adaptive(options[0], files), images))
    felt = np.abs(target) > 1e-4  # beyond Adam's eps and the last bits
    assert felt.mean() > 0.5
    torch.testing.assert_close(found[felt], expected[felt], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("word", BOTH)
def test_statistics_of_batch_norm_are_those_of_target_images_alone(word, images, strategy_of):
    _, _, found = moved(strategy_of(word), images)
    _, _, expected = moved(strategy_of("finetune"), images)
    assert found and all(map(torch.equal, found, expected))


@pytest.mark.parametrize("conflict", [-1.5, 0.0, 0.5])
def test_two_numbers_follow_the_gradient_that_grows_and_turns(conflict, strategy_of):
    rng = np.random.default_rng(0)
    target = rng.normal(size=50)
    altered = rng.normal(size=50) + conflict * target
    given = [torch.tensor(values) for values in (altered, target)]
    lengths = [np.linalg.norm(altered)]
    while altered @ target <= 0.9 * np.linalg.norm(altered) * np.linalg.norm(target):
        altered = altered + target - (target @ altered) / (altered @ altered) * altered
        lengths.append(np.linalg.norm(altered))
    assert lengths == sorted(lengths) and len(lengths) > 1
    expected = (altered @ target) / (target @ target) * target
    just_enough = strategy_of("gradmf", threshold=0.9, rounds=len(lengths) - 1)
    np.testing.assert_allclose(just_enough.meet(*given), expected)
    too_few = strategy_of("gradmf", threshold=0.9, rounds=len(lengths) - 2)
    np.testing.assert_allclose(too_few.meet(*given), target)


@pytest.mark.parametrize("source", [[-2.0, 0.0], [0.0, 0.0]])
def test_where_the_source_never_agrees_the_targets_gradient_is_taken(source, strategy_of):
    target = torch.tensor([1.0, 0.0])
    strategy = strategy_of("gradmf")
    assert torch.equal(strategy.meet(torch.tensor(source), target), target)


def test_gradients_that_conflict_are_projected_before_they_are_added(strategy_of):
    source, target = torch.tensor([-1.0, 1.0]), torch.tensor([2.0, 0.0])
    # The source gives up (-1, 0); the target, along which -2 / 2 of the source works against it, gives up (1, -1).
    assert strategy_of("pcgrad").meet(source, target).tolist() == [1.0, 2.0]
    assert strategy_of("pcgrad", weight=2).meet(source, target).tolist() == [1.0, 3.0]
    assert strategy_of("pcgrad").meet(-source, target).tolist() == [3.0, -1.0]


def test_no_part_of_a_gradient_works_against_the_other_after_pcgrad():
    first, second = torch.tensor([1.0, -3.0, 2.0]), torch.tensor([0.5, 2.0, 0.0])
    assert torch.dot(first, second) < 0
    assert torch.dot(unconflicted(first, second), second).item() == pytest.approx(0, abs=1e-6)
    assert torch.equal(unconflicted(first, -second), first)


@pytest.mark.parametrize("word", BOTH)
def test_source_images_are_the_sources_alone_and_their_head_learns(word, train, images, strategy_of):
    strategy, seen = strategy_of(word), []
    share = strategy.share
    strategy.share = lambda *step: seen.append(share(*step)) or seen[-1]
    _, weights = train({"a": head(0)}, strategy)
    for number, step in enumerate(seen, start=1):
        inputs, labels = draw_batch(strategy.sources, number, CPU)
        assert torch.equal(step.further.inputs, inputs) and torch.equal(step.further.labels, labels)
        assert step.further.mask is None
    assert len(strategy.sources.names) == 15 and strategy.sources.batch == 4
    assert (weights["a/source_head.weight"] != fresh_network().head.weight).any()
