"""Rule check_source: the source network's top-1 on pictures of its own classes."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import pandas as pd

from headstart.data.images import PixelStore
from headstart.data.views import View
from headstart.jobs.files import write_table
from headstart.machine.machines import pick_machine
from headstart.networks.backbones import load_classifier
from headstart.networks.normalisation import published_views, warn_of_others
from headstart.networks.pretraining import Labelled, accuracy, class_indices, print_accuracies

params = snakemake.params
machine = pick_machine(snakemake.threads)
store = PixelStore([Path(snakemake.input.store)])
model = load_classifier(classes=len(params.sources), weights=Path(snakemake.input.weights), **params.network)
pictures = Labelled(store.names, class_indices(store.names, params.sources))
view, named = View(**params.view), (params.network["library"], params.network["name"])
top1 = accuracy(model, store, pictures, view, machine)
print(f"top-1 on {len(store.names)} pictures of {len(params.sources)} source classes: {top1:.4f}")
warn_of_others(*named, view)
print_accuracies(model, store, pictures, published_views(*named, view), machine)
write_table(pd.DataFrame({"images": [len(store.names)], "top1": [top1]}), snakemake.output.accuracy)
