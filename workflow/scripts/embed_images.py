"""Rule embed_images: what the source network's last layer sees of every image, and that layer itself."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import pandas as pd

from headstart.data.images import PixelStore
from headstart.data.views import View
from headstart.jobs.files import write_arrays
from headstart.machine.machines import pick_machine
from headstart.machine.memory import Sizes, fitting
from headstart.networks.backbones import cut, load_classifier
from headstart.networks.embedding import embed
from headstart.networks.normalisation import warn_of_others

params = snakemake.params
machine = pick_machine(snakemake.threads, **params.gpu)
model = load_classifier(classes=params.classes, weights=Path(snakemake.input.weights), **params.network)
view = View(**params.view)
warn_of_others(params.network["library"], params.network["name"], view, params.pretrained)
network = cut(model, side=view.side)
head = {name: value.detach().numpy() for name, value in network.head.state_dict().items()}
with fitting(Sizes(64), snakemake.resources.attempt) as sizes:
    features = embed(
        network.trunk,
        network.tail,
        PixelStore([Path(path) for path in snakemake.input.stores]),
        list(pd.read_csv(snakemake.input.images)["name"]),
        view,
        machine.holding(sizes),
        batch=64,
    )
write_arrays({"features": features}, snakemake.output.features)
write_arrays(head, snakemake.output.head)
