"""Rule embed_images: what the source network's last layer sees of every image, and that layer itself."""

from pathlib import Path

import pandas as pd

from headstart.backbones import cut, load_classifier, pick_device
from headstart.embedding import embed, save_features, save_head
from headstart.images import PixelStore
from headstart.logs import follow

follow(snakemake.log[0])
params = snakemake.params
device = pick_device(snakemake.threads)
model = load_classifier(classes=params.classes, weights=Path(snakemake.input.weights), **params.network)
network = cut(model, params.trained_from)
features = embed(
    network.trunk,
    network.tail,
    PixelStore([Path(path) for path in snakemake.input.stores]),
    list(pd.read_csv(snakemake.input.images)["name"]),
    params.crop,
    batch=64,
    device=device,
    **params.pixels,
)
save_features(features, Path(snakemake.output.features))
save_head(network.head, Path(snakemake.output.head))
