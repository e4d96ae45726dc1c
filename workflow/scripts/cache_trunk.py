"""Rule cache_trunk: the frozen blocks' output for the test and validation images."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import pandas as pd

from headstart.data.images import PixelStore
from headstart.data.views import View
from headstart.jobs.files import write_table
from headstart.machine.machines import pick_machine
from headstart.machine.memory import Sizes, fitting
from headstart.networks.backbones import cut, load_classifier
from headstart.networks.embedding import cache_trunk

params = snakemake.params
machine = pick_machine(snakemake.threads, **params.gpu)
model = load_classifier(classes=params.classes, weights=Path(snakemake.input.weights), **params.network)
# Parts lie together, so that a training job can map each without copying it.
images = pd.read_csv(snakemake.input.split).query("part != 'train'").sort_values("part", kind="stable")
with fitting(Sizes(64), snakemake.resources.attempt) as sizes:
    cache_trunk(
        cut(model, params.trained_from, params.view["side"]).trunk,
        PixelStore([Path(path) for path in snakemake.input.stores]),
        list(images["name"]),
        View(**params.view),
        machine.holding(sizes),
        path=Path(snakemake.output.trunk),
        batch=64,
        dtype=params.precision,
    )
write_table(images, snakemake.output.images)
