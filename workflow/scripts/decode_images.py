"""Rule decode_images: every image of one class, checked and decoded once."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

from headstart.data.doubles import digest_pictures
from headstart.data.images import PixelStore, decode_tar
from headstart.data.lists import all_listed
from headstart.jobs.files import write_table

decode_tar(
    Path(snakemake.input.tar),
    Path(snakemake.output.store),
    Path(snakemake.output.audit),
    short_side=snakemake.params.short_side,
    min_side=snakemake.params.min_side,
    wanted=all_listed([Path(path) for path in snakemake.input.lists]),
)
write_table(digest_pictures(PixelStore([Path(snakemake.output.store)])), snakemake.output.digests)
