"""Rule measure_antialias: one way to anti-alias the source network, fine-tuned on a few images of its own classes."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import numpy as np
import pandas as pd

from headstart.data.images import PixelStore
from headstart.data.views import View
from headstart.finetuning.antialiasing import few_of_each, fine_tune_source, steadiness, whole
from headstart.finetuning.batches import TrainingImages
from headstart.finetuning.settings import Task, Training
from headstart.finetuning.strategies.ktft import KnowledgeTransfer
from headstart.jobs.checkpoints import Checkpoint, digest_of
from headstart.jobs.files import write_table
from headstart.machine.machines import pick_machine
from headstart.networks.backbones import load_classifier
from headstart.networks.pretraining import source_split

inputs, params, seed = snakemake.input, snakemake.params, int(snakemake.wildcards.seed)
wanted, settings, view = params.wanted, params.training, View(**params.view)
machine = pick_machine(settings["threads"], **params.gpu)
decisive = {name: params[name] for name in ("options", "wanted", "network", "view", "training", "gpu", "code")}
stores = [Path(path) for path in [*inputs.stores, *inputs.samples]]
rests_on = digest_of([*decisive.items(), ("seed", seed)], [], large=[Path(inputs.weights), *stores])
checkpoint = Checkpoint(Path(params.state), rests_on)

known, test = source_split(PixelStore(stores), params.sources, params.held_out, inputs.samples)
train = few_of_each(known, wanted["train"], seed)
strategy = KnowledgeTransfer(params.options)
model = load_classifier(classes=len(params.sources), weights=Path(inputs.weights), **params.network)
network = strategy.cut(model, wanted["trained_from"] or settings["trained_from"], view.side)
store = PixelStore(stores)
images = TrainingImages(
    store, train.names, np.array(train.labels), view, seed=seed, shots=wanted["train"], batch=settings["batch"]
)
training = Training(
    steps=wanted["steps"],
    evaluate_at=[0],
    dropout=0.0,  # as the source network was pretrained
    learning_rate=wanted["learning_rate"],
    **{key: settings[key] for key in ("betas", "eps", "batch_norm")},
)
before = steadiness(whole(network), store, test, view, machine, seed)
task = Task(params.sources, images, evaluation={})
after = steadiness(
    fine_tune_source(strategy, network, task, training, machine, checkpoint), store, test, view, machine, seed
)
facts = {**params.options, "train": wanted["train"], "steps": wanted["steps"], "classes": len(params.sources)}
rows = [{**facts, "trained": trained, **found} for trained, found in ((False, before), (True, after))]
write_table(pd.DataFrame(rows), snakemake.output.scores)
checkpoint.remove()
