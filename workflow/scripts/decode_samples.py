"""Rule decode_samples: pictures of source classes, decoded once."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

from headstart.data.images import decode_folder

decode_folder(Path(snakemake.input.folder), Path(snakemake.output.store), short_side=snakemake.params.short_side)
