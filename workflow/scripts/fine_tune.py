"""Rule fine_tune: the runs of one strategy, number of images and seed, one for each start, trained in lockstep."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import pandas as pd

from headstart.data.views import View
from headstart.finetuning.batches import chosen_images
from headstart.finetuning.evaluation import evaluation_of
from headstart.finetuning.runs import Files, digests_of, finished_runs, write_runs
from headstart.finetuning.settings import Task, Training, evaluation_steps
from headstart.finetuning.training import train_lockstep
from headstart.heads.starts import load_heads
from headstart.jobs.checkpoints import Checkpoint, digest_of
from headstart.machine.computing import precision_on, processor_of
from headstart.machine.machines import pick_machine
from headstart.machine.memory import fitting, sizes_on
from headstart.networks.backbones import load_classifier
from headstart.vocabulary import STRATEGIES, code_of

inputs, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
settings, view, files = params.training, View(**params.view), dict(inputs.items())
machine = pick_machine(settings["threads"], **params.gpu)
found = load_heads(inputs.heads)
heads = {name: (found[name].weight, found[name].bias) for name in params.initialisations}
decisive = {name: params[name] for name in ("strategy", "options", "network", "view", "training", "gpu", "code")}
common = digest_of(
    [*decisive.items(), *wildcards.items(), ("device", machine.device.type)],
    [Path(inputs[name]) for name in ("split", "targets", "weights")],
    large=[Path(path) for path in inputs if path not in (inputs.heads, inputs.split, inputs.targets, inputs.weights)],
)
digests = digests_of(common, heads)
places = Files(Path(snakemake.output.history), Path(snakemake.output.weights), Path(params.state).with_suffix(".json"))
kept = finished_runs(places, digests)
heads = {name: head for name, head in heads.items() if name not in set(kept[0]["initialisation"])}
checkpoint = Checkpoint(Path(params.state), digest_of([("runs", sorted(digests[name] for name in heads))], []))

targets = list(pd.read_csv(inputs.targets)["wnid"])
strategy = code_of(STRATEGIES[params.strategy].code)(params.options, files)
model = load_classifier(classes=params.classes, weights=Path(inputs.weights), **params.network)
network = strategy.cut(model, settings["trained_from"], view.side)
keys = {"seed": int(wildcards.seed), "shots": int(wildcards.shots), "batch": settings["batch"]}
images = chosen_images(inputs.stores, inputs.split, targets, view, **keys)
scratch = Path(params.state).with_suffix(".npy")
evaluation = evaluation_of(network.trunk, files, targets, view, machine, scratch)
training = Training(
    steps=settings["steps"],
    evaluate_at=evaluation_steps(settings["steps"], settings["evaluations"]),
    **{key: settings[key] for key in ("learning_rate", "betas", "eps", "dropout", "batch_norm")},
)
with fitting(sizes_on(machine.device, settings["batch"], max(1, len(heads))), snakemake.resources.attempt) as sizes:
    made = train_lockstep(
        strategy, network, heads, Task(targets, images, evaluation), training, machine.holding(sizes), checkpoint
    )

facts = {
    "strategy": wildcards.strategy,
    "shots": int(wildcards.shots),
    "seed": int(wildcards.seed),
    "device": machine.device.type,
    "processor": processor_of(machine.device),
    "precision": precision_on(machine.device, params.gpu["precision"]),
}
write_runs(kept, made, facts, digests, places)
checkpoint.remove()
