"""Rule sweep_neighbours: F right after initialisation for every number of neighbours K."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from functools import partial

import pandas as pd
from safetensors.numpy import load_file

from headstart.data.splits import locate, shots
from headstart.heads.sweeps import CrossValidation, Images, SourceHead, numbers_to_try, sweep_measures
from headstart.jobs.files import write_table
from headstart.measures.material import Material, measured_on
from headstart.vocabulary import MEASURES, code_of

params, wanted = snakemake.params, snakemake.params.neighbours
targets, images = pd.read_csv(snakemake.input.targets), pd.read_csv(snakemake.input.images)
features = load_file(snakemake.input.features)["features"]
split = pd.read_csv(snakemake.input.split)
chosen = {"train": shots(split, wanted["shots"]), "test": split.query("part == 'test'")}
located = {which: locate(part, images, targets["wnid"]) for which, part in chosen.items()}
source = load_file(snakemake.input.head)
sources = pd.read_csv(snakemake.input.classes, keep_default_na=False).query("role == 'source'")
sampled = {
    word: partial(measured_on, code_of(MEASURES[word].code), Material(targets=targets, sources=sources, settings=given))
    for word, given in params.sampled.items()
}

table = sweep_measures(
    {measure: pd.read_parquet(snakemake.input[measure]) for measure in params.measures},
    SourceHead(**source, **params.rules, seed=int(snakemake.wildcards.seed)),
    {which: Images(features[rows], labels) for which, (rows, labels) in located.items()},
    targets["type"],
    numbers_to_try(wanted["largest"], wanted["further"], len(source["bias"])),
    CrossValidation(wanted["folds"], int(snakemake.wildcards.seed), sampled),
)
write_table(table, snakemake.output.sweep)
