"""A model of a size for tests: its classes, its network, and how it sees a picture."""

import torch

from headstart.data.views import View
from headstart.machine.machines import Machine

MACHINE = Machine(torch.device("cpu"), threads=1)
CLASSES = ["n01", "n02", "n03"]
NAMES = ["redstart", "greenfinch", "bluetit, tit"]
NETWORK = {
    "library": "timm",
    "name": "resnet18",
    "options": {"layers": [1, 1, 1, 1], "channels": [8, 8, 8, 16], "stem_width": 8},
}
VIEW = View(32, mean=[0.4, 0.5, 0.6], std=[0.2, 0.25, 0.3])
SHORT_SIDE = 36


def describe(temperature=2.0, network=NETWORK):
    """The part of a card that a model is read from."""
    started = [[{"wnid": "n9", "name": "robin", "share": 0.75}, {"name": "jay", "wnid": "n8", "share": 0.25}], [], []]
    rows = zip(CLASSES, NAMES, started, strict=True)
    return {
        "network": network,
        "preprocessing": {"short_side": SHORT_SIDE, "side": VIEW.side, "mean": VIEW.mean, "std": VIEW.std},
        "classes": [{"wnid": wnid, "name": name, "started_from": found} for wnid, name, found in rows],
        "calibration": {"temperature": temperature},
    }
