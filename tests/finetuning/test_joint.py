"""Joint fine-tuning steps as its formulas say, reaches further where images are hard, and is plain without sources."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from toys import CPU, MACHINE, STEPS, fresh_network, head, part, resumed, rows, same

from headstart.data.crops import crop_batch
from headstart.finetuning.batches import draw_batch, draw_step, rows_of_step
from headstart.finetuning.rounds import turns
from headstart.finetuning.settings import Training
from headstart.finetuning.strategies.joint import Joint, drawn, verdicts
from headstart.networks.embedding import normalise

HEADS = {"random": head(0), "wordnet": head(1)}
# Of 15 source images: 2 neighbours at first, and up to all of them in the second of two rounds.
FEW = {"neighbours": 2, "rounds": 3}


@pytest.fixture
def joint(strategy_of):
    return lambda **options: strategy_of("joint", **(FEW | options))


def begun(strategy, images, step=1):
    training = Training(steps=STEPS, evaluate_at=[0])
    strategy.begin(fresh_network(), MACHINE, training, images)
    return strategy, strategy.share(step, draw_step(images, 5, 0.75, CPU, step))


def test_with_a_source_error_of_no_weight_it_is_plain_fine_tuning_bit_for_bit(train, joint):
    history, weights = train(HEADS, joint(weight=0))
    expected_history, expected = train(HEADS)
    assert same({name: weights[name] for name in expected}, expected) and history.equals(expected_history)
    other = train(HEADS, joint())[1]
    assert not any(torch.equal(other[name], value) for name, value in expected.items() if name.endswith("1.0.weight"))


@pytest.mark.parametrize("pool", ["random", "all"])
def test_which_source_images_are_selected_makes_a_difference(pool, train, joint):
    assert not same(part(train(HEADS, joint(pool=pool))[1], "random"), part(train(HEADS, joint())[1], "random"))


def test_one_step_is_that_of_arithmetic_by_hand(images, joint):
    class Descending(Joint):
        def optimiser(self, replica):
            return torch.optim.SGD(replica.parameters(), lr=0.5)

    model = joint(weight=0.25)
    strategy, step = begun(Descending(model.options, model.files), images)
    replica, network = strategy.replica(*head(0)), fresh_network()
    before = {name: value.detach().double().numpy() for name, value in replica.named_parameters()}
    strategy.take_step(replica, strategy.optimiser(replica), step)

    described, nearest = pd.read_csv(strategy.files["described"]), np.load(strategy.files["nearest"])
    targets, sources = (list(described.loc[described["role"] == one, "name"]) for one in ("target", "source"))
    batch = [images.names[row] for row in rows_of_step(images, 1)]
    chosen = [sources[nearest[targets.index(name), drawn(images.seed, 1, name, 2)]] for name in batch]
    crops = normalise(crop_batch(images.store, chosen, 32, images.seed, 1), images.view, CPU)
    fresh = strategy.replica(*head(0))
    seen = fresh(network.trunk(crops))[0].detach().double().numpy()
    target, logits = fresh(step.outputs, step.mask)
    features = (target.detach() * step.mask).double().numpy()

    def pull(values, weight, bias, labels):
        """Gradients of a mean cross-entropy in a linear layer, by its formula."""
        scores = np.exp(values @ weight.T + bias)
        error = scores / scores.sum(1, keepdims=True)
        error[np.arange(len(labels)), labels] -= 1
        return error.T @ values / len(labels), error.mean(0)

    places = [["n01", "n02", "n03", "n04"].index(name[:3]) for name in chosen]
    for share, of, values, labels in (
        (0.75, "head", features, step.labels.numpy()),
        (0.25, "source_head", seen, places),
    ):
        pulled = pull(values, before[f"{of}.weight"], before[f"{of}.bias"], labels)
        for kind, gradient in zip(("weight", "bias"), pulled, strict=True):
            found = getattr(getattr(replica, of), kind).detach().numpy()
            np.testing.assert_allclose(found, before[f"{of}.{kind}"] - 0.5 * share * gradient, atol=1e-5)
    # The blocks follow the weighted sum of both errors.
    loss = 0.75 * torch.nn.functional.cross_entropy(logits, step.labels)
    loss = loss + 0.25 * torch.nn.functional.cross_entropy(
        fresh.source_head(fresh(network.trunk(crops))[0]), torch.tensor(places)
    )
    for block, gradient in zip(
        replica.tail.named_parameters(), torch.autograd.grad(loss, list(fresh.tail.parameters())), strict=True
    ):
        expected = before[f"tail.{block[0]}"] - 0.5 * gradient.numpy()
        np.testing.assert_allclose(block[1].detach().numpy(), expected, atol=1e-5)


def test_statistics_of_batch_norm_are_those_of_target_images_alone(images, joint, strategy_of):
    found = []
    for strategy in (joint(), strategy_of("finetune")):
        strategy, step = begun(strategy, images)
        replica = strategy.replica(*head(0))
        strategy.take_step(replica, strategy.optimiser(replica), step)
        found.append(list(replica.tail.buffers()))
    assert found[0] and all(map(torch.equal, *found))


def test_the_images_of_a_step_are_those_that_are_drawn(images):
    for step in range(1, STEPS + 1):
        labels = draw_batch(images, step, CPU)[1]
        assert np.asarray(images.labels)[rows_of_step(images, step)].tolist() == labels.tolist()


def test_misjudged_images_get_four_times_as_many_more_and_unsure_ones_twice(images, joint):
    logits = torch.tensor([[8.0, 0.0, 0.0], [0.0, 8.0, 0.0], [0.5, 0.4, 0.0], [8.0, 0.0, 0.0]])
    assert verdicts(logits, torch.tensor([0, 1, 0, 2]), 0.1).tolist() == [0, 0, 2, 4]
    assert verdicts(logits[2:3], torch.tensor([0]), 1.0).tolist() == [0]
    strategy, step = begun(joint(neighbours=1), images)
    replica = strategy.replica(*head(0))
    features, _ = replica(step.outputs)
    expected = verdicts(replica.classify(features), step.labels, 0.1)
    strategy.loss(replica, step)
    assert replica.added[step.further.rows].tolist() == expected.tolist() and expected.max() == 4
    strategy.widen(replica)
    assert replica.neighbours[step.further.rows].tolist() == (1 + expected).tolist()
    others = np.setdiff1d(np.arange(len(images.names)), step.further.rows)
    assert (replica.neighbours[others] == 1).all() and len(others)
    for _ in range(9):
        strategy.widen(replica)
    assert replica.neighbours.max() == 15  # source images, of which nobody has more


def test_rounds_end_where_they_should_and_reach_further_for_each_run_by_itself(train, joint):
    assert sorted(turns(STEPS, 3)) == [2, 4]
    _, weights = train(HEADS, joint(neighbours=1))
    reach = {name: weights[f"{name}/neighbours"] for name in HEADS}
    assert all(set(found.tolist()) <= {1, 3, 5, 7, 9} and found.max() > 1 for found in reach.values())
    assert not torch.equal(*reach.values())
    assert (train(HEADS, joint(rounds=1))[1]["random/neighbours"] == 2).all()


@pytest.mark.parametrize("pool", ["selected", "random", "all"])
def test_each_target_image_brings_a_source_image_from_within_its_reach(pool, images, joint):
    strategy, _ = begun(joint(pool=pool), images)
    replica = strategy.replica(*head(0))
    replica.neighbours += 4 * torch.arange(len(replica.neighbours)) % 3
    seen = set()
    for step in range(1, 60):
        company = strategy.share(step, draw_step(images, 5, 0.75, CPU, step))
        found = strategy.beside(replica, company)
        for place, row in enumerate(company.further.rows):
            name = images.names[row]
            reach = {"selected": int(replica.neighbours[row]), "all": 15, "random": strategy.pool.reach(np.ones(1))[0]}
            source = strategy.pool.source(row, drawn(images.seed, step, name, int(reach[pool])))
            if pool == "selected":
                assert source in strategy.nearest[strategy.rows[row], : replica.neighbours[row]]
            seen.add(source)
            crop = crop_batch(images.store, [strategy.sources.names[source]], 32, images.seed, step)
            expected = strategy.network.trunk(normalise(crop, images.view, CPU))[0]
            torch.testing.assert_close(found.outputs[place], expected)
            assert found.labels[place] == strategy.sources.labels[source]
    first = {int(one) for one in strategy.nearest[strategy.rows, :2].flat}
    assert len(seen) == {"selected": len(seen), "random": len(first), "all": 15}[pool]


def test_random_source_images_are_those_of_a_seed(images, joint):
    orders = []
    for seed in (1, 1, 2):
        strategy, _ = begun(joint(pool="random"), replace(images, seed=seed))
        orders.append([strategy.pool.source(0, place) for place in range(15)])
        assert sorted(orders[-1]) == list(range(15))
    assert orders[0] == orders[1] != orders[2]


def test_a_run_alone_equals_the_same_run_in_a_group_bit_for_bit(train, joint):
    history, weights = train(HEADS, joint())
    for init in HEADS:
        alone_history, alone = train({init: HEADS[init]}, joint())
        assert same(part(alone, init), part(weights, init)) and rows(history, init).equals(alone_history)


def test_a_run_broken_off_between_and_within_rounds_ends_with_the_same_bytes(train, joint, tmp_path):
    unbroken_history, unbroken = train(HEADS, joint())
    history, weights = resumed(train, joint, HEADS, tmp_path / "state.pt", (2, 3, 5, 6))
    assert same(weights, unbroken) and history.equals(unbroken_history)


def test_source_images_are_passed_once_for_every_reach_whatever_the_number_of_runs(images, joint):
    strategy, step = begun(joint(), images)
    replicas = [strategy.replica(*head(0)) for _ in range(3)]
    replicas[2].neighbours += 4
    passed = [strategy.beside(replica, step) for replica in replicas]
    assert passed[0] is passed[1] and sorted(step.further.passed) == [2, 6]
    assert strategy.passes({"pool": "selected", "rounds": 3}).trunk == 4
    assert strategy.passes({"pool": "all", "rounds": 3}).trunk == 2


def test_images_that_were_not_described_are_refused(images, joint, tmp_path):
    strategy = joint()
    table = pd.read_csv(strategy.files["described"])
    for lacking in (table[1:], table[:-1]):
        lacking.to_csv(tmp_path / "described.csv", index=False)
        strategy.files = strategy.files | {"described": tmp_path / "described.csv"}
        with pytest.raises(ValueError, match=r"\d of 9 training images were not described, or .* describe the images"):
            begun(strategy, images)
