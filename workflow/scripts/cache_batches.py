"""Rule cache_batches: the frozen blocks' output for every batch that a number of images and a seed draw."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import pandas as pd

from headstart.data.views import View
from headstart.finetuning.batches import chosen_images
from headstart.finetuning.kept import keep_batches
from headstart.machine.machines import pick_machine
from headstart.machine.memory import Sizes, fitting
from headstart.networks.backbones import cut, load_classifier

inputs, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
settings, view = params.training, View(**params.view)
machine = pick_machine(settings["threads"], **params.gpu)
model = load_classifier(classes=params.classes, weights=Path(inputs.weights), **params.network)
targets = list(pd.read_csv(inputs.targets)["wnid"])
keys = {"seed": int(wildcards.seed), "shots": int(wildcards.shots), "batch": settings["batch"]}
images = chosen_images(inputs.stores, inputs.split, targets, view, **keys)
trunk = cut(model, settings["trained_from"], view.side).trunk
with fitting(Sizes(settings["batch"]), snakemake.resources.attempt) as sizes:
    keep_batches(trunk, images, settings["steps"], machine.holding(sizes), Path(snakemake.output.batches))
