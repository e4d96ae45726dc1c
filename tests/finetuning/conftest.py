"""Pictures and outputs of a trunk, made once, and a training with settings that a test may change."""

import numpy as np
import pandas as pd
import pytest
from noisy_pictures import write_noise
from test_backbones import Chain, build
from toys import CLASSES, MACHINE, STEPS, VIEW, evaluated, fresh_network, labels_of, plain

from headstart.data.images import PixelStore, decode_folder
from headstart.finetuning.batches import TrainingImages
from headstart.finetuning.settings import Task, Training
from headstart.finetuning.training import train_lockstep
from headstart.jobs.files import write_arrays
from headstart.machine.machines import use_threads
from headstart.naming import complete
from headstart.networks.embedding import cache_trunk, embed
from headstart.vocabulary import STRATEGIES, code_of


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Plain loops have as many threads as runs: gradients depend on it in the last bits, and small ones are faster."""
    with use_threads(MACHINE.threads):
        yield


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Path of a store of five pictures of each class, a class being a colour with much noise."""
    folder = tmp_path_factory.mktemp("pictures")
    write_noise(folder, CLASSES, [(36, 40)] * 5, noise=200)
    decode_folder(folder, folder / "all.arrow", 36)
    return folder / "all.arrow"


@pytest.fixture(scope="session")
def store(pictures):
    return PixelStore([pictures])


@pytest.fixture(scope="session")
def files(pictures, store, tmp_path_factory):
    """What a job gives to a strategy: store, split into three parts, features, and pictures of source classes.

    The same pictures stand for those of source classes, of which the last has none.
    """
    folder = tmp_path_factory.mktemp("files")
    path, classes, features = folder / "split.csv", folder / "classes.csv", folder / "features.safetensors"
    parts = {"3": "test", "4": "validation"}
    table = pd.DataFrame({"wnid": [name[:3] for name in store.names], "name": store.names})
    table.assign(part=[parts.get(name[4], "train") for name in store.names]).to_csv(path, index=False)
    pd.DataFrame({"wnid": [*CLASSES, "n04"], "role": "source"}).to_csv(classes, index=False)
    pd.DataFrame({"name": store.names}).to_csv(folder / "images.csv", index=False)
    network = fresh_network()
    seen = embed(network.trunk, network.tail, store, store.names, VIEW, MACHINE, batch=4)
    write_arrays({"features": seen}, features)
    # Of every training image all pictures, in an order of its own, are its nearest ones.
    training = [name for name in store.names if name[4] not in parts]
    described = [*((name, "target") for name in training), *((name, "source") for name in store.names)]
    pd.DataFrame(described, columns=["name", "role"]).to_csv(folder / "described.csv", index=False)
    rng = np.random.default_rng(0)
    np.save(folder / "nearest.npy", np.array([rng.permutation(len(store)) for _ in training], np.int32))
    found = {"nearest": folder / "nearest.npy", "described": folder / "described.csv"}
    found |= {"split": path, "stores": [pictures], "features": features, "images": folder / "images.csv"}
    return found | {"sources": [pictures], "classes": classes}


@pytest.fixture
def strategy_of(files):
    """A strategy with its options, and the files that its rules would have made."""
    return lambda word, **options: code_of(STRATEGIES[word].code)(complete(word, options), files)


@pytest.fixture(scope="session")
def evaluation(store, tmp_path_factory):
    path = tmp_path_factory.mktemp("trunk") / "trunk.npy"
    names = evaluated(store.names)
    cache_trunk(fresh_network().trunk, store, names, VIEW, MACHINE, path, batch=4)
    return {"test": (np.load(path, mmap_mode="r"), labels_of(names))}


@pytest.fixture
def images(store):
    names = [name for name in store.names if name not in evaluated(store.names)]
    return TrainingImages(store, names, labels_of(names), VIEW, seed=1, shots=3, batch=4)


@pytest.fixture
def train(images, evaluation):
    """A training of some heads by a strategy; further words are settings of `Training`."""
    plain_images, plain_evaluation = images, evaluation

    def run(
        heads,
        strategy=None,
        network=None,
        images=plain_images,
        evaluation=plain_evaluation,
        machine=MACHINE,
        checkpoint=None,
        **settings,
    ):
        strategy = strategy or plain()
        network = network or strategy.cut(build(Chain), "features.1")
        training = Training(**({"steps": STEPS, "evaluate_at": [0, 2, STEPS]} | settings))
        return train_lockstep(
            strategy, network, heads, Task(CLASSES, images, evaluation), training, machine, checkpoint
        )

    return run
