"""The trunk's output for every batch, made once for all strategies: the same bits as passes of their own."""

import numpy as np
import pytest
import torch
from toys import CPU, MACHINE, STEPS, fresh_network, head, same

from headstart.finetuning.batches import draw_batch, rows_drawn
from headstart.finetuning.kept import KeptBatches, keep_batches
from headstart.vocabulary import STRATEGIES

HEADS = {"random": head(0), "wordnet": head(1)}
SHARING = [word for word, strategy in STRATEGIES.items() if "trunk" in strategy.reads]


@pytest.fixture
def batches(images, tmp_path):
    keep_batches(fresh_network().trunk, images, STEPS, MACHINE, tmp_path / "batches.npy")
    return tmp_path / "batches.npy"


def test_the_rows_of_all_steps_lie_one_below_the_other_a_smaller_last_batch_of_an_epoch_too(images, batches):
    kept, trunk = KeptBatches(batches, images, STEPS), fresh_network().trunk.eval()
    sizes = []
    for step in range(1, STEPS + 1):
        inputs, _ = draw_batch(images, step, CPU)
        with torch.no_grad():
            assert torch.equal(kept.of(step, MACHINE), trunk(inputs))
        sizes.append(len(inputs))
    assert len(set(sizes)) == 2 and sum(sizes) == len(np.load(batches))
    assert rows_drawn(images, STEPS).stop == sum(sizes)


@pytest.mark.parametrize("word", SHARING)
def test_every_strategy_that_shares_the_trunk_gives_the_same_bits_from_what_was_kept(
    word, train, images, strategy_of, batches
):
    own, strategy = strategy_of(word), strategy_of(word)
    strategy.files = strategy.files | {"batches": batches}
    passed, through = [], strategy.through_trunk
    strategy.through_trunk = lambda inputs: passed.append(inputs) or through(inputs)
    history, weights = train(HEADS, strategy)
    expected_history, expected = train(HEADS, own)
    assert same(weights, expected) and history.equals(expected_history)
    drawn = [draw_batch(images, step, CPU)[0] for step in range(1, STEPS + 1)]
    # Pictures of source classes are no target images, and pass.
    assert not any(torch.equal(inputs, target) for inputs in passed for target in drawn)


def test_batches_of_another_training_are_refused(train, images, strategy_of, batches):
    strategy = strategy_of("finetune")
    strategy.files = strategy.files | {"batches": batches}
    with pytest.raises(ValueError, match=rf"has \d+ images, expected \d+ of {STEPS + 1} steps; make it again"):
        train(HEADS, strategy, steps=STEPS + 1)
