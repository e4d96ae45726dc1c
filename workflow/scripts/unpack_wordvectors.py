"""Rule unpack_wordvectors: the three files of word vectors in the BigFile form, taken out of their archive."""

from pathlib import Path

from headstart.logs import follow
from headstart.wordvectors import unpack

follow(snakemake.log[0])
unpack(Path(snakemake.input.archive), Path(snakemake.output[0]).parent)
