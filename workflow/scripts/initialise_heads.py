"""Rule initialise_heads: the first weights of the new last layer, for every start of these images."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

import pandas as pd
from safetensors.numpy import load_file

from headstart.data.splits import locate, shots
from headstart.heads.neighbours import neighbours_per_class
from headstart.heads.starts import HeadInputs, initialise, save_heads
from headstart.measures.semantics import load_semantics
from headstart.measures.similarity import read_similarity
from headstart.vocabulary import MEASURES

params, wildcards = snakemake.params, snakemake.wildcards
targets = pd.read_csv(snakemake.input.targets)
wnids, types = list(targets["wnid"]), targets["type"]
chosen = shots(pd.read_csv(snakemake.input.split), int(wildcards.shots))
rows, labels = locate(chosen, pd.read_csv(snakemake.input.images), wnids)
source = load_file(snakemake.input.head)

table = snakemake.input.get("neighbours")
heads = initialise(
    params.initialisations,
    HeadInputs(
        names=wnids,
        source_weight=source["weight"],
        source_bias=source["bias"],
        features=load_file(snakemake.input.features)["features"][rows],
        labels=labels,
        semantic=load_semantics(snakemake.input.get("semantic")),
        seed=int(wildcards.seed),
        **params.heads,
    ),
    similarities={word: read_similarity(snakemake.input.get(word), wnids, params.sources) for word in MEASURES},
    neighbours={name: neighbours_per_class(name, types, table, params.rule) for name in params.initialisations},
)
save_heads(heads, snakemake.output.heads)
