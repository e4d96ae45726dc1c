"""Rule unpack_wordvectors: the three files of word vectors in the BigFile form, taken out of their archive."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

from headstart.measures.wordvectors import unpack

unpack(Path(snakemake.input.archive), Path(snakemake.output[0]).parent)
