"""Rule check_source: the source network's top-1 on pictures of its own classes."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import pandas as pd

from headstart.data.images import PixelStore
from headstart.jobs.files import write_table
from headstart.networks.backbones import load_classifier, pick_device
from headstart.networks.pretraining import accuracy, class_indices

params = snakemake.params
device = pick_device(snakemake.threads)
store = PixelStore([Path(snakemake.input.store)])
model = load_classifier(classes=len(params.sources), weights=Path(snakemake.input.weights), **params.network)
passes = {"crop": params.crop, "threads": snakemake.threads, "device": device, **params.pixels}
top1 = accuracy(model, store, store.names, class_indices(store.names, params.sources), **passes)
print(f"top-1 on {len(store.names)} pictures of {len(params.sources)} source classes: {top1:.4f}")
write_table(pd.DataFrame({"images": [len(store.names)], "top1": [top1]}), snakemake.output.accuracy)
