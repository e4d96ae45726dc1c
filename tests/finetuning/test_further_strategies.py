"""The interface is wide enough: strategies of other kinds than ours are short, and keep what lockstep promises.

They stand in for what papers ask: a second head, images of another task, an altered network with a frozen teacher, and
a backward pass of its own.
"""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_backbones import Chain, build
from torch import nn
from torch.nn import functional
from toys import CLASSES, CPU, MACHINE, STEPS, VIEW, fresh_network, head, part, resumed, rows, same, values_of

from headstart.data.images import PixelStore
from headstart.finetuning.batches import draw_batch
from headstart.finetuning.evaluation import evaluation_of
from headstart.finetuning.replicas import Replica
from headstart.finetuning.strategies.finetune import FineTune
from headstart.machine.computing import place
from headstart.networks.embedding import frozen_pass

HEADS = {"random": head(0), "wordnet": head(1)}


class SecondHead(FineTune):
    """Keep the source head, tuned towards the source classes that a file gives each target class."""

    def begin(self, *shared):
        super().begin(*shared)
        self.relation = torch.from_numpy(np.load(self.files["relation"])).to(self.machine.device)  # (T, S)

    def replica(self, weight, bias):
        replica = super().replica(weight, bias)
        replica.source_head = deepcopy(self.network.head)
        return replica

    def loss(self, replica, step):
        features, logits = replica(step.outputs, step.mask)
        old = functional.cross_entropy(replica.source_head(features), self.relation[step.labels])
        return functional.cross_entropy(logits, step.labels) + old


class BesideSources(SecondHead):
    """Train on source images too, which the source head names."""

    def begin(self, *shared):
        super().begin(*shared)
        store = PixelStore(self.files["sources"])
        self.sources = replace(self.images, store=store, names=store.names, labels=np.arange(len(store)) % 4, batch=3)

    def share(self, step, batch):
        inputs, labels = draw_batch(self.sources, step, self.machine.device)
        return super().share(step, batch)._replace(further=super().share(step, (inputs, labels, None)))

    def loss(self, replica, step):
        _, logits = replica(step.outputs, step.mask)
        features, _ = replica(step.further.outputs)
        old = functional.cross_entropy(replica.source_head(features), step.further.labels)
        return functional.cross_entropy(logits, step.labels) + old


class Blur(nn.Module):
    def forward(self, x):
        return functional.avg_pool2d(x, 3, stride=1, padding=1)


class BlurredPupil(FineTune):
    """Blur before a block, train all of them, and stay close to the features of the network as it was."""

    def cut(self, model, trained_from, side=96):
        altered = deepcopy(model)
        altered.features[1] = nn.Sequential(Blur(), *altered.features[1])
        self.teacher = super().cut(model, trained_from, side)
        return super().cut(altered, "features.0", side)

    def begin(self, *shared):
        super().begin(*shared)
        self.known = place(nn.Sequential(self.teacher.trunk, self.teacher.tail), self.machine.device).eval()

    def share(self, step, batch):
        with torch.no_grad():
            features = frozen_pass(self.known, batch[0], self.machine.at_once)
        return super().share(step, batch)._replace(further=features)

    def loss(self, replica, step):
        features, logits = replica(step.outputs, step.mask)
        return functional.cross_entropy(logits, step.labels) + functional.mse_loss(features, step.further)


class Projected(FineTune):
    """Of the pull towards the pretrained weights, take what does not work against the error; descend with momentum."""

    def optimiser(self, replica):
        return torch.optim.SGD(replica.parameters(), lr=self.training.learning_rate, momentum=0.9)

    def take_step(self, replica, optimiser, step):
        optimiser.zero_grad()
        blocks = list(replica.tail.parameters())
        old = [value.detach() for value in self.network.tail.parameters()]
        pull = sum((a - b).square().sum() for a, b in zip(blocks, old, strict=True))
        pulls = torch.autograd.grad(pull, blocks)
        error = self.loss(replica, step)
        error.backward()
        for block, other in zip(blocks, pulls, strict=True):
            along = min(torch.sum(other * block.grad) / block.grad.square().sum().clamp_min(1e-12), torch.zeros(()))
            block.grad += other - along * block.grad
        optimiser.step()
        return error.detach()


KINDS = {kind.__name__: kind for kind in (SecondHead, BesideSources, BlurredPupil, Projected)}
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def make(files, pictures, tmp_path):
    """A strategy of some kind, with the files that its rules would have made."""
    relation = np.random.default_rng(0).dirichlet(np.ones(4), 3).astype(np.float32)
    np.save(tmp_path / "relation.npy", relation)
    return lambda kind: KINDS[kind]({}, files | {"relation": tmp_path / "relation.npy", "sources": [pictures]})


@pytest.fixture
def run(train, tmp_path):
    """A training as a job does it: the strategy cuts the model, and the outputs to score are those of its trunk."""

    def run(heads, strategy, model=None, **settings):
        network = strategy.cut(model or build(Chain), "features.1")
        evaluation = evaluation_of(network.trunk, strategy.files, CLASSES, VIEW, MACHINE, tmp_path / "scratch.npy")
        return train(heads, strategy, network, evaluation=evaluation, **settings)

    return run


@every_kind
def test_a_run_alone_equals_the_same_run_in_a_group_bit_for_bit(kind, run, make):
    history, weights = run(HEADS, make(kind))
    for init in HEADS:
        alone_history, alone = run({init: HEADS[init]}, make(kind))
        assert same(part(alone, init), part(weights, init))
        assert rows(history, init).equals(alone_history)
    assert not same(part(weights, "random"), part(weights, "wordnet"))


@every_kind
def test_a_run_broken_off_again_and_again_ends_with_the_same_bytes(kind, run, make, tmp_path):
    unbroken_history, unbroken = run(HEADS, make(kind))
    history, weights = resumed(run, lambda: make(kind), HEADS, tmp_path / "state.pt", (1, 3, 6))
    assert same(weights, unbroken) and history.equals(unbroken_history)


@every_kind
def test_the_model_that_came_in_does_not_change(kind, run, make):
    model = build(Chain)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    run(HEADS, make(kind), model)
    assert same(model.state_dict(), before)


@every_kind
def test_less_at_once_gives_the_same_bits(kind, run, make):
    history, weights = run(HEADS, make(kind))
    less_history, less = run(HEADS, make(kind), machine=replace(MACHINE, side_by_side=1, at_once=2))
    assert same(less, weights) and less_history.equals(history)


@pytest.mark.parametrize("kind", ["SecondHead", "BesideSources"])
def test_a_second_head_is_trained_saved_and_kept_under_its_own_name(kind, run, make, tmp_path):
    _, weights = run({"a": head(0)}, make(kind))
    pretrained = fresh_network().head.weight
    assert weights["a/source_head.weight"].shape == pretrained.shape
    assert (weights["a/source_head.weight"] != pretrained).all()
    assert list(weights)[-4:] == [
        *("a/classifier.1.weight", "a/classifier.1.bias"),
        *("a/source_head.weight", "a/source_head.bias"),
    ]


def test_a_second_head_called_like_a_block_is_refused(run, make):
    class Confusing(SecondHead):
        def replica(self, weight, bias):
            replica = super().replica(weight, bias)
            replica.classifier = nn.ModuleDict({"1": replica.source_head})
            return replica

    strategy = make("SecondHead")
    with pytest.raises(ValueError, match=r"two parts would be kept as a/classifier\.1\.weight; .* its classifier"):
        run({"a": head(0)}, Confusing(strategy.options, strategy.files), steps=1, evaluate_at=[0])


def test_further_images_pass_the_same_trunk_and_change_the_run(run, make):
    strategy, seen = make("BesideSources"), []
    share = strategy.share
    strategy.share = lambda *step: seen.append(share(*step)) or seen[-1]
    _, weights = run(HEADS, strategy)
    for number, step in enumerate(seen, start=1):
        inputs, labels = draw_batch(strategy.sources, number, CPU)
        assert torch.equal(step.further.inputs, inputs) and torch.equal(step.further.labels, labels)
        assert torch.equal(step.further.outputs, strategy.network.trunk(inputs))
    assert [len(step.further.labels) for step in seen] == [3] * STEPS
    assert not same(weights, run(HEADS, make("SecondHead"))[1])


def test_an_altered_network_is_trained_from_its_first_block_beside_an_unaltered_teacher(run, make, images):
    strategy = make("BlurredPupil")
    _, weights = run({"a": head(0)}, strategy)
    assert list(strategy.network.trunk) == []
    for name, value in strategy.network.tail.named_parameters():
        assert (weights[f"a/{name}"] != value).any(), name
    assert same(values_of(strategy.teacher), values_of(fresh_network()))
    inputs, _ = draw_batch(images, 1, CPU)
    with torch.no_grad():
        assert not torch.allclose(strategy.network.tail(inputs), strategy.known(inputs))


def test_an_own_backward_pass_and_optimiser_take_steps_of_their_own(run, make, images):
    """Nothing pulls in the first step, so it is plain descent; later a pull is felt."""
    settings = {"steps": 1, "evaluate_at": [0], "learning_rate": 0.5, "dropout": 0.0}
    _, weights = run({"a": head(0)}, make("Projected"), **settings)
    replica = Replica(fresh_network().tail, *head(0))
    inputs, labels = draw_batch(images, 1, CPU)
    functional.cross_entropy(replica(fresh_network().trunk(inputs))[1], labels).backward()
    for name, value in replica.tail.named_parameters():
        torch.testing.assert_close(weights[f"a/{name}"], value.detach() - 0.5 * value.grad)

    class Unpulled(Projected):
        take_step = FineTune.take_step

    settings["steps"] = 3
    _, pulled = run({"a": head(0)}, make("Projected"), **settings)
    assert not same(pulled, run({"a": head(0)}, Unpulled({}, make("Projected").files), **settings)[1])
