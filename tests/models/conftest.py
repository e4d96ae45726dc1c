"""A small model in a folder, made as the rules make one, and the pictures it was made from."""

import json

import pandas as pd
import pytest
from noisy_pictures import write_noise
from small_model import CLASSES, MACHINE, NAMES, NETWORK, SHORT_SIDE, VIEW, describe

from headstart.data.images import PixelStore, decode_folder
from headstart.machine.machines import use_threads
from headstart.models.assembly import state_of
from headstart.models.folder import CARD, WEIGHTS, Model
from headstart.models.forms import write_config, write_onnx, write_weights
from headstart.networks.backbones import load_classifier


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    with use_threads(MACHINE.threads):
        yield


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of six pictures of each class, a class being a colour with much noise, and of their store."""
    folder = tmp_path_factory.mktemp("pictures")
    write_noise(folder, CLASSES, [(60 + 9 * picture, 70) for picture in range(6)], noise=180)
    decode_folder(folder, folder / ".all.arrow", SHORT_SIDE)
    return folder


@pytest.fixture(scope="session")
def store(pictures):
    return PixelStore([pictures / ".all.arrow"])


@pytest.fixture(scope="session")
def split(store):
    parts = {"3": "validation", "4": "test", "5": "test"}
    table = pd.DataFrame({"wnid": [name[:3] for name in store.names], "name": store.names})
    return table.assign(part=[parts.get(name[4], "train") for name in store.names])


@pytest.fixture(scope="session")
def network():
    """The network, whose weights are random but whose BatchNorm has seen something."""
    model = load_classifier(classes=len(CLASSES), seed=3, **NETWORK)
    state = {name: value + 0.05 if "running_mean" in name else value for name, value in state_of(model).items()}
    model.load_state_dict(state)
    return model.eval()


@pytest.fixture(scope="session")
def model(network):
    return Model(network, VIEW, SHORT_SIDE, describe()["classes"], temperature=2.0)


@pytest.fixture(scope="session")
def folder(network, tmp_path_factory):
    """The folder as rules write it, but for the parts of the card that nobody reads back."""
    made = tmp_path_factory.mktemp("made") / "model"
    write_weights(network, made / WEIGHTS)
    write_config(network, NETWORK, made / "config.json", NAMES, VIEW, SHORT_SIDE)
    write_onnx(network, made / "model.onnx", VIEW.side)
    (made / CARD).write_text(json.dumps(describe()))
    return made
