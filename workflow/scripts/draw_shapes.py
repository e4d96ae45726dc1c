"""Rule draw_shapes: the images of one class as a tar, and sentences about it."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

from headstart.shapes import write_captions, write_synset

wnid, params = snakemake.wildcards.wnid, snakemake.params
write_synset(Path(snakemake.output.tar), wnid, images=params.images, seed=params.seed, side=params.side)
write_captions(Path(snakemake.output.captions), wnid, count=params.captions, seed=params.seed)
