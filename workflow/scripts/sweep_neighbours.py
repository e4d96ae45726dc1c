"""Rule sweep_neighbours: F right after initialisation for every number of neighbours K."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

import pandas as pd
from safetensors.numpy import load_file

from headstart.data.splits import locate, shots
from headstart.heads.sweeps import Images, SourceHead, numbers_to_try, sweep_measures
from headstart.jobs.files import write_table

params, wanted = snakemake.params, snakemake.params.neighbours
targets, images = pd.read_csv(snakemake.input.targets), pd.read_csv(snakemake.input.images)
features = load_file(snakemake.input.features)["features"]
split = pd.read_csv(snakemake.input.split)
chosen = {"train": shots(split, wanted["shots"]), "test": split.query("part == 'test'")}
located = {which: locate(part, images, targets["wnid"]) for which, part in chosen.items()}
source = load_file(snakemake.input.head)

table = sweep_measures(
    {measure: pd.read_parquet(snakemake.input[measure]) for measure in params.measures},
    SourceHead(**source, **params.rules, seed=int(snakemake.wildcards.seed)),
    {which: Images(features[rows], labels) for which, (rows, labels) in located.items()},
    targets["type"],
    numbers_to_try(wanted["largest"], wanted["further"], len(source["bias"])),
    folds=wanted["folds"],
    seed=int(snakemake.wildcards.seed),
    image_measures=params.image_measures,
    reading=params.reading,
)
write_table(table, snakemake.output.sweep)
