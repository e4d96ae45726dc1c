"""Rule initialise_heads: the first weights of the new last layer, for every initialisation of a group."""

import pandas as pd
from safetensors.numpy import load_file

from headstart.heads import INITIALISATIONS, HeadInputs, parse_initialisation, save_heads
from headstart.logs import follow
from headstart.neighbours import neighbours_per_class
from headstart.similarity import read_similarity
from headstart.splits import locate, shots

follow(snakemake.log[0])
params, wildcards = snakemake.params, snakemake.wildcards
targets = pd.read_csv(snakemake.input.targets)
chosen = shots(pd.read_csv(snakemake.input.split), int(wildcards.shots))
rows, labels = locate(chosen, pd.read_csv(snakemake.input.images), targets["wnid"])
source = load_file(snakemake.input.head)
features = load_file(snakemake.input.features)["features"][rows]

heads = {}
for name in params.initialisations:
    word = parse_initialisation(name)[0]
    matrix = snakemake.input.get(word)  # none where no source rows are blended
    inputs = HeadInputs(
        names=list(targets["wnid"]),
        source_weight=source["weight"],
        source_bias=source["bias"],
        similarity=read_similarity(matrix, targets["wnid"], params.sources),
        neighbours=neighbours_per_class(name, targets["type"], snakemake.input.get("neighbours"), params.rule)
        if matrix
        else None,
        features=features,
        labels=labels,
        seed=int(wildcards.seed),
        **params.heads,
    )
    heads[name] = INITIALISATIONS[word](inputs)
save_heads(heads, snakemake.output.heads)
