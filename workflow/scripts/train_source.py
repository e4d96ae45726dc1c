"""Rule train_source: the demo's source network, trained on the drawn source classes."""

from pathlib import Path

from headstart.backbones import load_classifier, pick_device
from headstart.files import write_table
from headstart.images import PixelStore
from headstart.logs import follow
from headstart.pretraining import accuracy_table, hold_out, save_weights, train_classifier

follow(snakemake.log[0])
params, training = snakemake.params, snakemake.params.training
device = pick_device(params.torch_threads)
store = PixelStore([Path(path) for path in snakemake.input.stores])
train, test = hold_out(store.names, params.sources, training["held_out"])
model = load_classifier(classes=len(params.sources), seed=training["seed"], **params.network)
train_classifier(
    model,
    store,
    *train,
    crop=params.crop,
    epochs=training["epochs"],
    batch=training["batch"],
    learning_rate=training["learning_rate"],
    seed=training["seed"],
    threads=params.torch_threads,
    device=device,
    **params.pixels,
)
measured = accuracy_table(
    model, store, *test, crop=params.crop, threads=params.torch_threads, device=device, **params.pixels
)
print(measured.to_string(index=False))
save_weights(model, Path(snakemake.output.weights))
write_table(measured, snakemake.output.accuracy)
