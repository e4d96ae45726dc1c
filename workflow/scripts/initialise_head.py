"""Rule initialise_head: the first weights of the new last layer."""

import pandas as pd
from safetensors.numpy import load_file

from headstart.heads import INITIALISATIONS, HeadInputs, parse_initialisation, save_head
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

initialise = INITIALISATIONS[parse_initialisation(wildcards.initialisation)[0]]
head = initialise(
    HeadInputs(
        names=list(targets["wnid"]),
        source_weight=source["weight"],
        source_bias=source["bias"],
        similarity=read_similarity(snakemake.input.get("similarity"), targets["wnid"], params.sources),
        neighbours=neighbours_per_class(
            wildcards.initialisation, targets["type"], snakemake.input.get("neighbours"), params.rule
        ),
        features=load_file(snakemake.input.features)["features"][rows],
        labels=labels,
        seed=int(wildcards.seed),
        **params.heads,
    )
)
save_head(head, snakemake.output.head)
