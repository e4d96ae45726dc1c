"""Rule describe_filters: histograms of what filters answer to source images and to target images that may train."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import pandas as pd

from headstart.data.images import PixelStore
from headstart.data.views import View
from headstart.jobs.files import write_table
from headstart.machine.computing import place
from headstart.machine.machines import pick_machine
from headstart.networks.backbones import load_classifier
from headstart.networks.descriptors import Histograms
from headstart.networks.filters import Filters

inputs, params, made = snakemake.input, snakemake.params, snakemake.output
machine = pick_machine(snakemake.threads, **params.gpu)
model = load_classifier(classes=params.classes, weights=Path(inputs.weights), **params.network)
targets, sources = (PixelStore([Path(path) for path in paths]) for paths in (inputs.stores, inputs.sources))
split = pd.read_csv(inputs.split)
training = list(split.loc[split["part"] == "train", "name"])

histograms = Histograms(Filters(place(model, machine.device)), View(**params.view), machine)
histograms.fit(targets, training)
histograms.write(targets, training, Path(made.targets))
histograms.write(sources, sources.names, Path(made.sources))
write_table(pd.DataFrame(histograms.ranges()), made.channels)
roles = {"target": training, "source": sources.names}
rows = [(name, role) for role, names in roles.items() for name in names]
write_table(pd.DataFrame(rows, columns=["name", "role"]), made.images)
