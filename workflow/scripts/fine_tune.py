"""Rule fine_tune: every initialisation of a group, trained on the same images, crops and dropout."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import numpy as np
import pandas as pd

from headstart.data.images import PixelStore
from headstart.data.splits import label, shots
from headstart.finetuning.batches import TrainingImages
from headstart.finetuning.training import evaluation_steps, train_lockstep
from headstart.heads.starts import load_heads
from headstart.jobs.checkpoints import Checkpoint, digest_of
from headstart.jobs.files import write_arrays, write_table
from headstart.machine.computing import precision_on, processor_of
from headstart.machine.memory import Sizes, fitting
from headstart.networks.backbones import cut, load_classifier, pick_device

params, training, wildcards = snakemake.params, snakemake.params.training, snakemake.wildcards
device = pick_device(training["threads"], **params.gpu)
model = load_classifier(classes=params.classes, weights=Path(snakemake.input.weights), **params.network)
heads = load_heads(snakemake.input.heads)
targets = list(pd.read_csv(snakemake.input.targets)["wnid"])
chosen = shots(pd.read_csv(snakemake.input.split), int(wildcards.shots))
trunk, evaluated = np.load(snakemake.input.trunk, mmap_mode="r"), pd.read_csv(snakemake.input.evaluation)
checkpoint = Checkpoint(
    Path(params.state),
    digest_of(
        [*params.items(), *wildcards.items(), ("device", device.type)],
        [Path(snakemake.input[name]) for name in ("heads", "split", "evaluation", "targets", "weights")],
        large=map(Path, [snakemake.input.trunk, *snakemake.input.stores]),
    ),
)

with fitting(Sizes(training["batch"], len(heads)), snakemake.resources.attempt) as sizes:
    history, weights = train_lockstep(
        network=cut(model, training["trained_from"]),
        heads={name: (heads[name].weight, heads[name].bias) for name in params.initialisations},
        classes=targets,
        images=TrainingImages(
            PixelStore([Path(path) for path in snakemake.input.stores]),
            list(chosen["name"]),
            label(chosen, targets),
            side=params.crop,
            seed=int(wildcards.seed),
            shots=int(wildcards.shots),
            batch=training["batch"],
            **params.pixels,
        ),
        # The images of each part lie together, so these are views into the mapped file.
        evaluation={
            str(part): (trunk[rows.min() : rows.max() + 1], label(evaluated.loc[rows], targets))
            for part, rows in evaluated.groupby("part").groups.items()
        },
        steps=training["steps"],
        evaluate_at=evaluation_steps(training["steps"], training["evaluations"]),
        device=device,
        threads=training["threads"],
        strategy=wildcards.strategy,
        side_by_side=sizes.side_by_side,
        at_once=sizes.at_once,
        checkpoint=checkpoint,
        **params.gpu,
        **{key: training[key] for key in ("learning_rate", "betas", "eps", "dropout", "batch_norm")},
    )

run = {
    "strategy": wildcards.strategy,
    "group": wildcards.group,
    "shots": int(wildcards.shots),
    "seed": int(wildcards.seed),
    "device": device.type,
    "processor": processor_of(device),
    "precision": precision_on(device, params.gpu["precision"]),
}
write_arrays({name: tensor.numpy() for name, tensor in weights.items()}, snakemake.output.weights)
write_table(history.assign(**run), snakemake.output.history)
checkpoint.remove()
