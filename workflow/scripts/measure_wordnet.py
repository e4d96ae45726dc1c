"""Rule measure_wordnet: Wu-Palmer similarity of every target with every source."""

import pandas as pd

from headstart.files import write_table
from headstart.logs import follow
from headstart.similarity import wordnet
from headstart.taxonomy import look_up, read_taxonomy

follow(snakemake.log[0])
synsets = read_taxonomy(snakemake.input.taxonomy)
targets, sources = pd.read_csv(snakemake.input.targets)["wnid"], snakemake.params.sources
similarity = wordnet(look_up(synsets, targets), look_up(synsets, sources))
write_table(pd.DataFrame(similarity, targets, sources), snakemake.output.similarity)
