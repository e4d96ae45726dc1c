"""Rule prepare_wordnet: a complete copy of WordNet 3.0."""

from pathlib import Path

from headstart.logs import follow
from headstart.taxonomy import find_wordnet, prepare_wordnet

follow(snakemake.log[0])
prepare_wordnet(find_wordnet(snakemake.params.where), Path(snakemake.output.noun).parent)
