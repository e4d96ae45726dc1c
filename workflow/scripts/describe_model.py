"""Rule describe_model: how good the exported model is, calibrated and checked, with its card."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import pandas as pd
import yaml

from headstart.data.images import PixelStore
from headstart.data.views import View
from headstart.heads.starts import load_heads
from headstart.jobs.files import replacing, write_table
from headstart.jobs.provenance import commit, digest, versions
from headstart.machine.machines import pick_machine
from headstart.models.calibration import calibrate, probabilities
from headstart.models.card import describe_classes, draw_confusion, licence, write_card, write_page
from headstart.models.choice import of_seed, read_choice, say_chosen
from headstart.models.evaluation import check_onnx, list_images, show
from headstart.models.folder import Model, class_names
from headstart.models.scoring import say_scores, score_model
from headstart.networks.backbones import load_classifier

inputs, params, made = snakemake.input, snakemake.params, snakemake.output
machine = pick_machine(snakemake.threads)
choice = read_choice(inputs.candidates)
split = pd.read_csv(of_seed(inputs.splits, choice.seed))
head = load_heads(of_seed(inputs.heads, choice.seed))[choice.initialisation]
targets, classes = (pd.read_csv(path, keep_default_na=False) for path in (inputs.targets, inputs.classes))
sources = classes.query("role == 'source'").set_index("wnid").loc[params.sources].reset_index()
store = PixelStore([Path(path) for path in inputs.stores])

network = load_classifier(classes=len(targets), weights=Path(inputs.weights), **params.network)
model = Model(network, View(**params.view), params.short_side, targets[["wnid"]].to_dict("records"))
validation, test = (show(model, store, split, part, machine) for part in ("validation", "test"))
scores = score_model(test.labels, test.logits.argmax(axis=1), len(targets))
calibration = calibrate(validation.logits, validation.labels, test.logits, test.labels)
described = describe_classes(targets, split, params.shots, scores, head, sources)
card = {
    "experiment": params.config["experiment"],
    "network": params.network,
    "preprocessing": {"short_side": params.short_side, "interpolation": "bilinear", **params.view},
    "chosen": say_chosen(choice, inputs.candidates, params.steps, params.shots, params.looks),
    "scores": say_scores(scores),
    "calibration": calibration,
    "onnx": check_onnx(Path(inputs.onnx), model, store, test),
    "weights": {"file": Path(params.source).name, "licence": licence(params.network, params.terms)},
    "origin": {
        "commit": commit(Path(snakemake.scriptdir)),
        "config_digest": digest(params.config),
        "packages": versions(("torch", "torchvision", "timm", "onnx", "onnxruntime")),
    },
    "classes": described,
}
write_page(card, Path(made.page))
draw_confusion(scores.counts, class_names(targets), Path(made.confusion))
write_table(list_images(described, test, probabilities(test.logits, calibration["temperature"])), made.test)
with replacing(made.settings) as path:
    path.write_text(yaml.safe_dump(params.config, sort_keys=False))
# The last one, so that a folder with a card is whole.
write_card(card, Path(made.card))
