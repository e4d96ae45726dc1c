"""Rule train_source: the demo's source network, trained on the drawn source classes."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import pandas as pd

from headstart.data.images import PixelStore
from headstart.data.views import View
from headstart.jobs.files import write_table
from headstart.machine.machines import pick_machine
from headstart.networks.backbones import load_classifier
from headstart.networks.pretraining import Course, accuracy, hold_out, save_weights, train_classifier

params, training = snakemake.params, snakemake.params.training
machine = pick_machine(params.torch_threads)
store = PixelStore([Path(path) for path in snakemake.input.stores])
train, test = hold_out(store.names, params.sources, training["held_out"])
model = load_classifier(classes=len(params.sources), seed=training["seed"], **params.network)
course = Course(**{key: training[key] for key in ("epochs", "batch", "learning_rate", "seed")})
view = View(**params.view)
train_classifier(model, store, train, course, view, machine)
top1 = accuracy(model, store, test, view, machine)
print(f"top-1 on {len(test.names)} held-out images of {len(params.sources)} source classes: {top1:.4f}")
save_weights(model, Path(snakemake.output.weights))
write_table(pd.DataFrame({"images": [len(test.names)], "top1": [top1]}), snakemake.output.accuracy)
