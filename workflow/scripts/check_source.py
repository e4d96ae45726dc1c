"""Rule check_source: the source network's top-1 on pictures of its own classes."""

from pathlib import Path

from headstart.backbones import load_classifier, pick_device
from headstart.files import write_table
from headstart.images import PixelStore
from headstart.logs import follow
from headstart.pretraining import accuracy_table, class_indices

follow(snakemake.log[0])
params = snakemake.params
device = pick_device(snakemake.threads)
store = PixelStore([Path(snakemake.input.store)])
model = load_classifier(classes=len(params.sources), weights=Path(snakemake.input.weights), **params.network)
measured = accuracy_table(
    model,
    store,
    store.names,
    class_indices(store.names, params.sources),
    crop=params.crop,
    threads=snakemake.threads,
    device=device,
    **params.pixels,
)
print(measured.to_string(index=False))
write_table(measured, snakemake.output.accuracy)
