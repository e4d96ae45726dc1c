import contextlib
import gc
import os
import signal
import weakref
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from test_backbones import Chain, build
from torch.nn import functional

from headstart.data.images import PixelStore, decode_folder, random_crop
from headstart.finetuning import replicas, training
from headstart.finetuning.batches import TrainingImages, batch_order, draw_batch, dropout_mask
from headstart.finetuning.training import evaluation_steps, train_lockstep
from headstart.jobs.checkpoints import Checkpoint
from headstart.machine import computing
from headstart.machine.prefetch import one_ahead
from headstart.measures.metrics import confusion, f_scores
from headstart.networks import embedding
from headstart.networks.backbones import cut, place, use_threads
from headstart.networks.embedding import cache_trunk, embed, normalise

CPU = torch.device("cpu")
CLASSES = ["n01", "n02", "n03"]
PIXELS = {"side": 32, "mean": [0.5] * 3, "std": [0.5] * 3}
STEPS = 7  # three epochs of two full batches and one of a single image


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Five pictures of each class, a class being a colour with much noise."""
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    for number, wnid in enumerate(CLASSES):
        for picture in range(5):
            pixels = generator.integers(0, 200, (36, 40, 3), dtype=np.uint8)
            pixels[..., number] += 50
            Image.fromarray(pixels).save(folder / f"{wnid}_{picture}.png")
    decode_folder(folder, folder / "all.arrow", 36)
    return PixelStore([folder / "all.arrow"])


@pytest.fixture(scope="module")
def evaluation(store, tmp_path_factory):
    path = tmp_path_factory.mktemp("trunk") / "trunk.npy"
    names = [name for name in store.names if name.endswith(("_3.png", "_4.png"))]
    cache_trunk(fresh_network().trunk, store, names, **PIXELS, batch=4, device=CPU, path=path)
    return {"test": (np.load(path, mmap_mode="r"), labels_of(names))}


@pytest.fixture
def images(store):
    names = [name for name in store.names if name.endswith(("_0.png", "_1.png", "_2.png"))]
    return TrainingImages(store, names, labels_of(names), **PIXELS, seed=1, shots=3, batch=4)


@pytest.fixture
def train(images, evaluation):
    def run(heads, **changes):
        settings = {
            "network": fresh_network(),
            "heads": heads,
            "classes": CLASSES,
            "images": images,
            "evaluation": evaluation,
            "steps": STEPS,
            "evaluate_at": [0, 2, STEPS],
            "device": CPU,
            "threads": 1,
        }
        return train_lockstep(**(settings | changes))

    return run


def fresh_network():
    return cut(build(Chain), "features.1", side=32)


def labels_of(names):
    return np.array([CLASSES.index(name.split("_")[0]) for name in names])


def head(seed):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(3, 5)).astype(np.float32), generator.normal(size=3).astype(np.float32)


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def part(weights, init):
    return {name.partition("/")[2]: value for name, value in weights.items() if name.startswith(f"{init}/")}


def test_a_run_alone_equals_the_same_run_in_a_group_bit_for_bit(train):
    heads = {"random": head(0), "wordnet": head(1), "inference": head(2)}
    history, weights = train(heads)
    for init in heads:
        alone_history, alone = train({init: heads[init]})
        assert same(alone, {name: value for name, value in weights.items() if name.startswith(f"{init}/")})
        beside = history[history["initialisation"] == init].reset_index(drop=True)
        assert beside.equals(alone_history)
    assert not same(part(weights, "random"), part(weights, "wordnet"))


def test_lockstep_equals_a_plain_loop_over_the_whole_network_bit_for_bit(train, images):
    heads = {"random": head(0), "wordnet": head(1)}
    _, weights = train(heads)
    with use_threads(1):  # as many as the run has; sums of gradients depend on it in the last bits
        for init in heads:
            assert same(part(weights, init), plain_run(*heads[init], images))


def plain_run(weight, bias, images):
    """The same training written for one initialisation, with nothing shared, cached or cut away."""
    model = place(build(Chain), CPU)
    with torch.no_grad():
        model.classifier[1] = torch.nn.Linear(5, 3)
        model.classifier[1].weight.copy_(torch.from_numpy(weight))
        model.classifier[1].bias.copy_(torch.from_numpy(bias))
    trained = [*model.features[1:].parameters(), *model.classifier.parameters()]
    optimiser = torch.optim.Adam(trained, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, fused=True)
    for step in range(1, STEPS + 1):
        model.train()
        model.features[0].eval()
        inputs, labels = draw_batch(images, step, CPU)
        features = functional.adaptive_avg_pool2d(model.features(inputs), 1).flatten(1)
        kept = dropout_mask(len(labels), 5, 0.75, images.seed, step)
        loss = functional.cross_entropy(model.classifier[1](features * kept), labels)
        model.zero_grad()
        loss.backward()
        optimiser.step()
    return {
        name: value
        for name, value in model.state_dict().items()
        if not name.startswith("features.0")
    }  # fmt: skip


def test_batches_drawn_ahead_by_a_second_thread_give_the_same_bits(train, store, monkeypatch):
    names = store.names[:5]
    network = fresh_network()
    plain_features = embed(network.trunk, network.tail, store, names, **PIXELS, batch=2, device=CPU)
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
    assert np.array_equal(
        embed(network.trunk, network.tail, store, names, **PIXELS, batch=2, device=CPU), plain_features
    )
    assert len(used) == 5


def test_half_precision_rounds_the_blocks_and_leaves_weights_logits_and_loss_float32(train, monkeypatch):
    _, plain = train({"a": head(0)}, steps=1, evaluate_at=[0])
    monkeypatch.setattr(computing, "precision_on", lambda device, precision: precision)  # bfloat16 on a CPU
    monkeypatch.setattr(replicas, "in_float32", lambda device: torch.autocast("cpu", enabled=False))
    seen = []

    def loss(replica, pretrained, features, logits, labels):
        seen.append((features.dtype, logits.dtype, functional.cross_entropy(logits, labels).dtype))
        return functional.cross_entropy(logits, labels)

    monkeypatch.setitem(training.STRATEGIES, "finetune", loss)
    history, rounded = train({"a": head(0)}, steps=1, evaluate_at=[0], precision="bf16")
    assert seen == [(torch.float32,) * 3] and history["f1"].notna().all()
    assert {value.dtype for value in rounded.values()} == {torch.float32, torch.int64}
    statistics = [name for name in plain if name.endswith("running_var")]
    assert not same({name: plain[name] for name in statistics}, {name: rounded[name] for name in statistics})
    for name in statistics:
        torch.testing.assert_close(rounded[name], plain[name], rtol=0.02, atol=0.002)


def test_half_precision_rounds_the_passes_over_images(store, monkeypatch):
    network = fresh_network()
    plain = embed(network.trunk, network.tail, store, store.names, **PIXELS, batch=4, device=CPU)
    monkeypatch.setattr(computing, "precision_on", lambda device, precision: precision)
    rounded = embed(network.trunk, network.tail, store, store.names, **PIXELS, batch=4, device=CPU, precision="bf16")
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
    history, weights = train(heads, steps=2, evaluate_at=[0], compile=True)
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


def test_the_first_evaluation_is_the_head_on_the_features(train, store):
    history, _ = train({"random": head(0), "wordnet": head(5)})
    network = fresh_network()
    names = [name for name in store.names if name.endswith(("_3.png", "_4.png"))]
    features = embed(network.trunk, network.tail, store, names, **PIXELS, batch=4, device=CPU)
    for init, (weight, bias) in {"random": head(0), "wordnet": head(5)}.items():
        expected = f_scores(confusion(labels_of(names), (features @ weight.T + bias).argmax(1), 3))
        found = history[(history["initialisation"] == init) & (history["step"] == 0)]
        assert list(found["wnid"]) == CLASSES
        np.testing.assert_array_equal(found["f1"], expected)


def test_training_learns_classes_of_different_colour(train):
    history, _ = train({"a": head(0)}, steps=100, evaluate_at=[0, 100], learning_rate=0.01, dropout=0.25)
    first, last = history.groupby("step")["f1"].mean()
    assert first < 0.4 and last > 0.75


def test_the_history_has_a_row_per_step_part_initialisation_and_class(train, evaluation):
    outputs, labels = evaluation["test"]
    parts = {"test": (outputs, labels), "validation": (outputs[:4], labels[:4])}  # no image of the third class
    history, _ = train({"a": head(0), "b": head(1)}, evaluation=parts)
    assert list(history.columns) == ["initialisation", "step", "part", "wnid", "f1"]
    assert len(history) == len(history.drop_duplicates(["initialisation", "step", "part", "wnid"])) == 2 * 3 * 2 * 3
    missing = history[history["f1"].isna()]
    assert set(missing["part"]) == {"validation"} and set(missing["wnid"]) == {"n03"}
    assert len(missing) == 2 * 3


def test_trunk_and_pretrained_tail_do_not_change_and_the_replicas_do(train):
    network = fresh_network()
    before = deepcopy([network.trunk.state_dict(), network.tail.state_dict(), network.head.state_dict()])
    _, weights = train({"a": head(0)}, network=network)
    after = [network.trunk.state_dict(), network.tail.state_dict(), network.head.state_dict()]
    assert all(same(old, new) for old, new in zip(before, after, strict=True))
    changed = [name for name, value in before[1].items() if not torch.equal(value, weights[f"a/{name}"])]
    assert changed == list(before[1])  # BatchNorm's statistics and counters too


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
    history, weights = train(heads, network=network, evaluation=parts, side_by_side=side_by_side, at_once=at_once)
    assert same(weights, plain) and list(weights) == list(plain)
    assert history.equals(plain_history)
    assert seen == {1, 2}  # batches of four and of one; none gets alone that was not
    assert held == {3: [3], 2: [2, 1], 1: [1, 1, 1]}[side_by_side]


def note_replicas(monkeypatch):
    """Return a list that fills with the numbers of replicas started together."""
    held, start = [], training.start_replicas

    def noting(network, heads, *settings):
        held.append(len(heads))
        return start(network, heads, *settings)

    monkeypatch.setattr(training, "start_replicas", noting)
    return held


def test_a_round_leaves_no_replica_behind_when_the_next_begins(train, monkeypatch):
    living, start = weakref.WeakSet(), training.start_replicas

    def watching(*arguments):
        gc.collect()
        assert not living
        replicas = start(*arguments)
        living.update(replicas.values())
        return replicas

    monkeypatch.setattr(training, "start_replicas", watching)
    train({"a": head(0), "b": head(1), "c": head(2)}, side_by_side=1)


@pytest.mark.parametrize("broken_at", [2, 5, 8, 12])
def test_an_attempt_with_less_at_once_goes_on_from_the_state_of_one_with_more(train, tmp_path, monkeypatch, broken_at):
    """Attempts hold three, then two, then one initialisation, then three again; each but the last breaks off."""
    heads = {"a": head(0), "b": head(1), "c": head(2)}
    unbroken_history, unbroken = train(heads)
    for side_by_side in (3, 2, 1):
        checkpoint = Checkpoint(tmp_path / "state.pt", "digest", save_every=0)
        with monkeypatch.context() as patch:
            patch.setitem(training.STRATEGIES, "finetune", breaking_loss(broken_at, out_of_memory))
            with contextlib.suppress(torch.OutOfMemoryError):
                train(heads, checkpoint=checkpoint, side_by_side=side_by_side, at_once=side_by_side)
    history, weights = train(heads, checkpoint=Checkpoint(tmp_path / "state.pt", "digest"))
    assert same(weights, unbroken) and history.equals(unbroken_history)


def out_of_memory():
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


@pytest.mark.parametrize("broken_at", [1, 3, 6])
def test_a_run_broken_off_and_resumed_equals_an_unbroken_one_bit_for_bit(
    train, tmp_path, monkeypatch, capsys, broken_at
):
    heads = {"a": head(0), "b": head(1)}
    unbroken_history, unbroken = train(heads)
    checkpoint = Checkpoint(tmp_path / "state.pt", "digest", save_every=0)
    with monkeypatch.context() as patch:
        patch.setitem(training.STRATEGIES, "finetune", breaking_loss(2 * broken_at - 1, error))
        with pytest.raises(RuntimeError, match="power cut"):
            train(heads, checkpoint=checkpoint)
    assert "resumed" not in capsys.readouterr().out
    history, weights = train(heads, checkpoint=Checkpoint(tmp_path / "state.pt", "digest"))
    assert f"resumed at step {broken_at - 1}" in capsys.readouterr().out
    assert same(weights, unbroken) and history.equals(unbroken_history)


def test_sigterm_saves_the_state_and_leaves(train, tmp_path, monkeypatch, capsys):
    unbroken_history, unbroken = train({"a": head(0)})
    checkpoint = Checkpoint(tmp_path / "state.pt", "digest", save_every=1000)
    with monkeypatch.context() as patch:
        patch.setitem(training.STRATEGIES, "finetune", breaking_loss(4, lambda: os.kill(os.getpid(), signal.SIGTERM)))
        with pytest.raises(SystemExit, match="SIGTERM"):
            train({"a": head(0)}, checkpoint=checkpoint)
    history, weights = train({"a": head(0)}, checkpoint=checkpoint)
    assert "resumed at step 4" in capsys.readouterr().out
    assert same(weights, unbroken) and history.equals(unbroken_history)


def test_a_state_of_another_digest_starts_from_zero(train, tmp_path, capsys):
    train({"a": head(0)}, checkpoint=Checkpoint(tmp_path / "state.pt", "old", save_every=0))
    _, weights = train({"a": head(1)}, checkpoint=Checkpoint(tmp_path / "state.pt", "new"))
    assert "starting from zero" in capsys.readouterr().out
    assert same(weights, train({"a": head(1)})[1])


def breaking_loss(call, act):
    """Return the loss of plain fine-tuning that does something on one of its calls."""
    calls = []
    loss = training.STRATEGIES["finetune"]

    def breaking(*arguments):
        calls.append(None)
        if len(calls) == call:
            act()
        return loss(*arguments)

    return breaking


def error():
    raise RuntimeError("power cut")


def test_a_loss_sees_replica_pretrained_network_features_logits_and_labels(train, monkeypatch):
    seen = []

    def loss(replica, pretrained, features, logits, labels):
        seen.append((features.shape, logits.shape, labels.shape, pretrained.head(features).shape))
        moved = [
            (new - old).abs().sum()
            for new, old in zip(replica.tail.parameters(), pretrained.tail.parameters(), strict=True)
        ]
        return functional.cross_entropy(logits, labels) + sum(moved)

    monkeypatch.setitem(training.STRATEGIES, "pulled", loss)
    train({"a": head(0)}, strategy="pulled", steps=1, evaluate_at=[0])
    assert seen == [((4, 5), (4, 3), (4,), (4, 4))]


def test_all_faults_are_named_before_training(train, images, evaluation):
    with pytest.raises(ValueError, match="cannot train") as found:
        train(
            {"a": (np.zeros((3, 4)), np.zeros(3))},
            images=replace(images, labels=images.labels + 1),
            evaluation={"test": (evaluation["test"][0], np.array([0]))},
            strategy="none",
            batch_norm="off",
            dropout=1.0,
            evaluate_at=[0, 99],
        )
    for fault in (
        "head a has weight (3, 4) and bias (3,), expected (3, 5) and (3,)",
        "train: labels from 1 to 3, expected 0 to 2",
        "test: 6 images and 1 labels",
        "unknown strategy 'none', valid are finetune",
        "unknown batch_norm 'off', valid are train, eval",
        "dropout is the probability of dropping, from 0 to below 1, got 1.0",
        "evaluate_at has to be steps from 0 to 7, got [0, 99]",
    ):
        assert fault in str(found.value)


def test_logits_that_are_no_numbers_are_refused_by_initialisation(train):
    weight, bias = head(0)
    with pytest.raises(ValueError, match=r"initialisation b: 6 of 6 images have logits that are NaN"):
        train({"a": head(0), "b": (weight * np.nan, bias)})


def test_evaluation_steps_start_at_zero_end_at_the_last_and_are_log_spaced():
    assert evaluation_steps(64, 8) == [0, 1, 2, 4, 8, 16, 32, 64]
    assert evaluation_steps(3, 20) == [0, 1, 2, 3]
    assert evaluation_steps(500, 2) == [0, 500]
    assert evaluation_steps(1, 5) == [0, 1]
    many = evaluation_steps(1000, 13)
    assert many[0] == 0 and many[-1] == 1000 and len(many) == 13 and sorted(set(many)) == many
    with pytest.raises(ValueError, match="at least 1 step and 2 evaluations"):
        evaluation_steps(0, 2)


def test_an_epoch_shows_every_image_once_and_keeps_the_last_small_batch(images):
    sizes, seen = [], []
    for step in (1, 2, 3):
        _, labels = draw_batch(images, step, CPU)
        sizes.append(len(labels))
        seen += labels.tolist()
    assert sizes == [4, 4, 1] and sorted(seen) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_crops_and_order_change_with_the_epoch(images, store):
    for step, epoch, rows in ((2, 0, slice(4, 8)), (5, 1, slice(4, 8)), (9, 2, slice(8, 9))):
        names = [images.names[i] for i in batch_order(9, seed=1, shots=3, epoch=epoch)[rows]]
        crops = np.stack([random_crop(store.pixels(name), 32, 1, name, epoch) for name in names])
        inputs, labels = draw_batch(images, step, CPU)
        assert torch.equal(inputs, normalise(crops, [0.5] * 3, [0.5] * 3, CPU))
        assert labels.tolist() == labels_of(names).tolist()
    place_in_first, place_in_second = (random_crop(store.pixels("n01_0.png"), 32, 1, "n01_0.png", e) for e in (0, 1))
    assert (place_in_first != place_in_second).any()


def test_batches_depend_on_seed_shots_and_step_alone(images):
    first, labels = draw_batch(images, 1, CPU)
    again, again_labels = draw_batch(images, 1, CPU)
    assert torch.equal(first, again) and torch.equal(labels, again_labels)
    for other in (replace(images, seed=2), replace(images, shots=2)):
        assert not torch.equal(draw_batch(other, 1, CPU)[0], first)
    assert not torch.equal(draw_batch(images, 4, CPU)[0], first)


def test_the_order_is_a_permutation_that_changes_with_each_key():
    order = batch_order(50, seed=1, shots=2, epoch=0)
    assert sorted(order) == list(range(50)) and (order == batch_order(50, 1, 2, 0)).all()
    for other in ((2, 2, 0), (1, 3, 0), (1, 2, 1), (12, 0, 0)):
        assert (order != batch_order(50, *other)).any()


def test_dropout_drops_its_share_and_scales_the_rest():
    mask = dropout_mask(200, 100, 0.75, seed=0, step=1)
    assert set(mask.unique().tolist()) == {0.0, 4.0}
    assert abs(float((mask == 0).float().mean()) - 0.75) < 0.01  # about three standard deviations of 20000 draws
    assert torch.equal(mask, dropout_mask(200, 100, 0.75, 0, 1))
    assert not torch.equal(mask, dropout_mask(200, 100, 0.75, 0, 2))
    assert not torch.equal(mask, dropout_mask(200, 100, 0.75, 1, 1))
