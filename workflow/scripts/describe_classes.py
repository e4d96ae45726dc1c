"""Rule describe_classes: names, glosses and types of all classes."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

import pandas as pd

from headstart.jobs.files import write_table
from headstart.measures.taxonomy import describe, read_taxonomy

sources = pd.read_csv(snakemake.input.sources, sep="\t")
targets = pd.read_csv(snakemake.input.targets, sep="\t")
synsets = read_taxonomy(snakemake.input.taxonomy)
write_table(describe(targets["wnid"], targets.get("type"), sources["wnid"], synsets), snakemake.output.classes)
