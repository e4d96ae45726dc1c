"""Rule measure_wordnet: Wu-Palmer similarity of every target with every source."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

import pandas as pd

from headstart.jobs.files import write_table
from headstart.measures.hypernyms import read_hypernyms
from headstart.measures.similarity import wordnet

hypernyms = read_hypernyms(snakemake.input.taxonomy)
targets, sources = pd.read_csv(snakemake.input.targets)["wnid"], snakemake.params.sources
similarity = wordnet(hypernyms, targets, sources)
write_table(pd.DataFrame(similarity, targets, sources), snakemake.output.similarity)
