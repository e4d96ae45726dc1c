"""Co-Tuning tunes the source head towards the source classes that go with a target class, and is plain without."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file
from scipy.special import log_softmax, softmax
from toys import CPU, MACHINE, STEPS, fresh_network, head, same

from headstart.finetuning.batches import draw_step
from headstart.finetuning.settings import Training

HEADS = {"random": head(0), "wordnet": head(1)}


def test_without_its_second_error_it_is_plain_fine_tuning_bit_for_bit(train, strategy_of):
    history, weights = train(HEADS, strategy_of("cotuning", weight=0))
    expected_history, expected = train(HEADS)
    assert same({name: weights[name] for name in expected}, expected) and history.equals(expected_history)
    assert torch.equal(weights["random/source_head.weight"], fresh_network().head.weight)


@pytest.mark.parametrize("options", [{"estimator": "direct"}, {"estimator": "reverse"}, {"weight": 0.1}])
def test_the_second_error_and_its_estimator_change_blocks_and_source_head(train, strategy_of, options):
    _, weights = train(HEADS, strategy_of("cotuning", **options))
    _, plain = train(HEADS)
    _, other = train(HEADS, strategy_of("cotuning", weight=1))
    for expected in (plain, other):
        assert not any(torch.equal(weights[name], expected[name]) for name in plain if name.endswith("1.0.weight"))
    assert (weights["random/source_head.weight"] != fresh_network().head.weight).any()


def test_the_loss_is_that_of_arithmetic_by_hand(images, files, strategy_of):
    strategy, network = strategy_of("cotuning", weight=0.5), fresh_network()
    strategy.begin(network, MACHINE, Training(steps=STEPS, evaluate_at=[0]), images)
    replica = strategy.replica(*head(0))
    step = strategy.share(1, draw_step(images, 5, 0.75, CPU, 1))

    weight, bias = (value.detach().numpy().astype(float) for value in (network.head.weight, network.head.bias))
    rows = [list(pd.read_csv(files["images"])["name"]).index(name) for name in images.names]
    seen = softmax(load_file(files["features"])["features"][rows] @ weight.T + bias, axis=1)
    relation = np.array([seen[images.labels == label].mean(axis=0) for label in range(3)])
    features = replica(step.outputs)[0].detach().numpy()
    wanted = -(relation[step.labels.numpy()] * log_softmax(features @ weight.T + bias, axis=1)).sum(axis=1).mean()
    logits = (features * step.mask.numpy()) @ head(0)[0].T + head(0)[1]
    plain = -log_softmax(logits, axis=1)[np.arange(len(logits)), step.labels.numpy()].mean()
    assert strategy.loss(replica, step).item() == pytest.approx(plain + 0.5 * wanted, abs=1e-5)


def test_images_without_features_are_refused(images, files, strategy_of, tmp_path):
    pd.DataFrame({"name": images.names[1:]}).to_csv(tmp_path / "images.csv", index=False)
    strategy = strategy_of("cotuning")
    strategy.files = files | {"images": tmp_path / "images.csv"}
    with pytest.raises(ValueError, match="lacks features of 1 of 9 training images; embed the images again"):
        strategy.begin(fresh_network(), MACHINE, Training(steps=STEPS, evaluate_at=[0]), images)
