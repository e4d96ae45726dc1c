"""Rule export_model: the chosen run as a whole network, trained again up to its step, in the forms that others load."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import pandas as pd

from headstart.data.views import View
from headstart.finetuning.batches import chosen_images
from headstart.finetuning.settings import Task, Training
from headstart.heads.starts import load_heads
from headstart.machine.machines import pick_machine
from headstart.machine.memory import fitting, sizes_on
from headstart.models.assembly import assemble, names_in, state_of, train_until
from headstart.models.choice import of_seed, read_choice
from headstart.models.folder import class_names
from headstart.models.forms import write_config, write_onnx, write_weights
from headstart.networks.backbones import load_classifier
from headstart.vocabulary import STRATEGIES, code_of

inputs, params, made = snakemake.input, snakemake.params, snakemake.output
settings, view = params.training, View(**params.view)
machine = pick_machine(settings["threads"], **params.gpu)
choice = read_choice(inputs.candidates)
word, options = params.variants[choice.strategy]
targets = pd.read_csv(inputs.targets, keep_default_na=False)
wnids = list(targets["wnid"])
files = {**dict(inputs.items()), "split": of_seed(inputs.splits, choice.seed)}
head = load_heads(of_seed(inputs.heads, choice.seed))[choice.initialisation]

strategy = code_of(STRATEGIES[word].code)(options, files)
source = load_classifier(classes=params.classes, weights=Path(inputs.weights), **params.network)
before = state_of(source)
network = strategy.cut(source, settings["trained_from"], view.side)
names = names_in(source, network)
keys = {"seed": choice.seed, "shots": params.shots, "batch": settings["batch"]}
images = chosen_images(inputs.stores, files["split"], wnids, view, **keys)
training = Training(
    steps=settings["steps"],
    evaluate_at=[0],
    **{key: settings[key] for key in ("learning_rate", "betas", "eps", "dropout", "batch_norm")},
)
task = Task(wnids, images, evaluation={})
with fitting(sizes_on(machine.device, settings["batch"], 1), snakemake.resources.attempt) as sizes:
    held = machine.holding(sizes)
    trained = train_until(strategy, network, (head.weight, head.bias), task, training, held, step=choice.step)

whole = assemble(load_classifier(classes=len(wnids), **params.network), before, trained, names)
write_weights(whole, Path(made.weights))
write_config(whole, params.network, Path(made.config), class_names(targets), view, params.short_side)
write_onnx(whole, Path(made.onnx), view.side)
