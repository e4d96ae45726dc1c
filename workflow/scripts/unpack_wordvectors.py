"""Rule unpack_wordvectors: the three files of word vectors in the BigFile form, taken out of their archive."""

from pathlib import Path

from headstart.jobs.logs import follow
from headstart.measures.wordvectors import unpack

follow(snakemake.log[0])
unpack(Path(snakemake.input.archive), Path(snakemake.output[0]).parent)
