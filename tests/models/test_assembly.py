"""The run is trained again to the very weights that were scored, whatever its strategy, and becomes a whole network."""

import numpy as np
import pandas as pd
import pytest
import torch
from small_model import CLASSES, MACHINE, NETWORK, SHORT_SIDE, VIEW
from torch import nn

from headstart.data.splits import label
from headstart.finetuning.batches import TrainingImages
from headstart.finetuning.settings import Task, Training
from headstart.finetuning.strategies.finetune import FineTune
from headstart.finetuning.training import train_lockstep
from headstart.jobs.files import write_arrays
from headstart.measures.metrics import confusion, f_scores
from headstart.models.assembly import assemble, names_in, state_of, train_until
from headstart.models.evaluation import show
from headstart.models.folder import Model
from headstart.naming import complete
from headstart.networks.backbones import cut, load_classifier
from headstart.networks.embedding import cache_trunk, embed
from headstart.vocabulary import STRATEGIES, code_of

STEPS, STEP = 5, 2
TRAINING = Training(steps=STEPS, evaluate_at=[0, STEP, STEPS], learning_rate=0.01)
HEAD = np.random.default_rng(0).normal(size=(3, 16)).astype(np.float32), np.zeros(3, np.float32)


@pytest.fixture
def images(store, split):
    rows = split.query("part == 'train'")
    return TrainingImages(store, list(rows["name"]), label(rows, CLASSES), VIEW, seed=1, shots=3, batch=5)


def source():
    return load_classifier(classes=6, seed=1, **NETWORK)


@pytest.fixture(scope="session")
def strategy_of(pictures, store, tmp_path_factory):
    """A strategy and its files: features, and pictures of source classes, for which the same pictures stand."""
    folder, model = tmp_path_factory.mktemp("files"), source()
    network = cut(model, "layer4", VIEW.side)
    seen = embed(network.trunk, network.tail, store, store.names, VIEW, MACHINE, batch=4)
    write_arrays({"features": seen}, folder / "features.safetensors")
    pd.DataFrame({"name": store.names}).to_csv(folder / "images.csv", index=False)
    pd.DataFrame({"wnid": CLASSES, "role": "source"}).to_csv(folder / "classes.csv", index=False)
    files = {name.partition(".")[0]: folder / name for name in ("features.safetensors", "images.csv", "classes.csv")}
    # Of every image all pictures, in their order, are its nearest ones.
    described = [(name, role) for role in ("target", "source") for name in store.names]
    pd.DataFrame(described, columns=["name", "role"]).to_csv(folder / "described.csv", index=False)
    np.save(folder / "nearest.npy", np.tile(np.arange(len(store.names), dtype=np.int32), (len(store.names), 1)))
    files |= {"nearest": folder / "nearest.npy", "described": folder / "described.csv"}
    files |= {"sources": [pictures / ".all.arrow"]}
    return lambda word: code_of(STRATEGIES[word].code)(complete(word, {}), files)


def recorded(strategy, images, store, split, folder):
    """The history and final weights of a run beside another, as fine_tune records them."""
    network = strategy.cut(source(), "layer4", VIEW.side)
    tests = split.query("part == 'test'")
    cache_trunk(network.trunk, store, list(tests["name"]), VIEW, MACHINE, folder / "trunk.npy", batch=4)
    evaluation = {"test": (np.load(folder / "trunk.npy"), label(tests, CLASSES))}
    heads = {"other": (HEAD[0][::-1].copy(), HEAD[1]), "run": HEAD}
    return train_lockstep(strategy, network, heads, Task(CLASSES, images, evaluation), TRAINING, MACHINE)


def exported(strategy, images, step):
    model = source()
    before, network = state_of(model), strategy.cut(model, "layer4", VIEW.side)
    names = names_in(model, network)
    trained = train_until(strategy, network, HEAD, Task(CLASSES, images, {}), TRAINING, MACHINE, step=step)
    return assemble(load_classifier(classes=len(CLASSES), **NETWORK), before, trained, names)


@pytest.mark.parametrize("word", [word for word, one in STRATEGIES.items() if "trunk" in one.reads])
def test_the_whole_network_scores_what_the_run_scored_at_that_step(word, strategy_of, images, store, split, tmp_path):
    history, weights = recorded(strategy_of(word), images, store, split, tmp_path)
    for step in (0, STEP):
        model = Model(exported(strategy_of(word), images, step), VIEW, SHORT_SIDE, [{"wnid": one} for one in CLASSES])
        shown = show(model, store, split, "test", MACHINE)
        scores = f_scores(confusion(shown.labels, shown.logits.argmax(axis=1), 3))
        then = history.query(f"initialisation == 'run' and step == {step}")["f1"]
        assert scores.tolist() == then.tolist()
    state = exported(strategy_of(word), images, STEPS).state_dict()
    ours = {name.partition("/")[2]: value for name, value in weights.items() if name.startswith("run/")}
    assert ours and all(torch.equal(state[name], value) for name, value in ours.items() if name in state)
    assert {"layer4.0.conv1.weight", "layer4.0.bn1.running_mean", "fc.bias"} <= set(ours) & set(state)


def test_frozen_blocks_are_the_sources_own(images):
    state, before = exported(FineTune({}), images, STEP).state_dict(), source().state_dict()
    assert torch.equal(state["layer1.0.conv1.weight"], before["layer1.0.conv1.weight"])
    assert not torch.equal(state["layer4.0.conv1.weight"], before["layer4.0.conv1.weight"])


def test_a_step_beyond_the_budget_is_refused(images):
    network, task = FineTune({}).cut(source(), "layer4", VIEW.side), Task(CLASSES, images, {})
    with pytest.raises(ValueError, match="from 0 to 5, got 6; take one of the run's history"):
        train_until(FineTune({}), network, HEAD, task, TRAINING, MACHINE, step=6)


def test_a_blurred_network_is_refused(strategy_of):
    model, strategy = source(), strategy_of("ktft")
    with pytest.raises(ValueError, match=r"this strategy alters the network.*another in model\.group"):
        names_in(model, strategy.cut(model, "layer4", VIEW.side))


def test_a_strategy_that_alters_the_network_is_refused_by_name():
    model, other = source(), source()
    other.layer4.append(nn.Conv2d(16, 16, 1))
    with pytest.raises(ValueError, match=r"this strategy alters the network.*another in model\.group"):
        names_in(model, cut(other, "layer4", VIEW.side))


def test_weights_between_a_transformers_modules_keep_their_names():
    options = {"img_size": 32, "patch_size": 16, "embed_dim": 12, "depth": 2, "num_heads": 2}
    model = load_classifier("timm", "vit_tiny_patch16_224", classes=4, options=options)
    names = names_in(model, cut(model, "patch_embed", side=32))
    assert {"cls_token", "pos_embed", "head.weight"} <= set(names.values())
    assert set(names.values()) <= set(model.state_dict())
