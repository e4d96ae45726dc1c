"""Rule pack_images: the files of one class as a tar."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

from headstart.data.packing import pack

files = map(Path, snakemake.input.files)
pack(dict(zip(snakemake.params.members, files, strict=True)), Path(snakemake.output.tar))
