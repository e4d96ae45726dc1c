"""Rule train_source: the demo's source network, trained on the drawn source classes."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import pandas as pd

from headstart.data.images import PixelStore
from headstart.jobs.files import write_table
from headstart.networks.backbones import load_classifier, pick_device
from headstart.networks.pretraining import accuracy, hold_out, save_weights, train_classifier

params, training = snakemake.params, snakemake.params.training
device = pick_device(params.torch_threads)
store = PixelStore([Path(path) for path in snakemake.input.stores])
train, test = hold_out(store.names, params.sources, training["held_out"])
model = load_classifier(classes=len(params.sources), seed=training["seed"], **params.network)
passes = {"crop": params.crop, "threads": params.torch_threads, "device": device, **params.pixels}
optimisation = {key: training[key] for key in ("epochs", "batch", "learning_rate", "seed")}
train_classifier(model, store, *train, **optimisation, **passes)
top1 = accuracy(model, store, *test, **passes)
print(f"top-1 on {len(test[0])} held-out images of {len(params.sources)} source classes: {top1:.4f}")
save_weights(model, Path(snakemake.output.weights))
write_table(pd.DataFrame({"images": [len(test[0])], "top1": [top1]}), snakemake.output.accuracy)
