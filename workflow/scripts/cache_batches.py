"""Rule cache_batches: the frozen blocks' output for every batch that a number of images and a seed draw."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import pandas as pd

from headstart.data.images import PixelStore
from headstart.data.splits import label, shots
from headstart.data.views import View
from headstart.finetuning.batches import TrainingImages
from headstart.finetuning.kept import keep_batches
from headstart.machine.machines import pick_machine
from headstart.machine.memory import Sizes, fitting
from headstart.networks.backbones import cut, load_classifier

inputs, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
settings, view = params.training, View(**params.view)
machine = pick_machine(settings["threads"], **params.gpu)
model = load_classifier(classes=params.classes, weights=Path(inputs.weights), **params.network)
chosen = shots(pd.read_csv(inputs.split), int(wildcards.shots))
images = TrainingImages(
    PixelStore([Path(path) for path in inputs.stores]),
    list(chosen["name"]),
    label(chosen, list(pd.read_csv(inputs.targets)["wnid"])),
    view,
    seed=int(wildcards.seed),
    shots=int(wildcards.shots),
    batch=settings["batch"],
)
trunk = cut(model, settings["trained_from"], view.side).trunk
with fitting(Sizes(settings["batch"]), snakemake.resources.attempt) as sizes:
    keep_batches(trunk, images, settings["steps"], machine.holding(sizes), Path(snakemake.output.batches))
