"""Rule decode_images: every image of one class, checked and decoded once."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

from headstart.data.images import decode_tar
from headstart.data.splits import all_listed

decode_tar(
    Path(snakemake.input.tar),
    Path(snakemake.output.store),
    Path(snakemake.output.audit),
    short_side=snakemake.params.short_side,
    min_side=snakemake.params.min_side,
    wanted=all_listed([Path(path) for path in snakemake.input.lists]),
)
