"""Rule fetch_synset: the tar of one class, fetched, or found where it was put by hand."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

from headstart.fetching.downloads import fetch_tar, place

ADVICE = (
    "ImageNet gives its images to people with an account at image-net.org who have accepted its terms of use, and not "
    "every synset of the paper is offered any more. Tars that you have already can be put at {kept} (they are checked "
    "and used), or images.tars in the config can point at their folder: images.tars: /your/folder/{{wnid}}.tar"
)

params = snakemake.params
found = fetch_tar(params.url, Path(params.kept), Path(params.lock), advice=ADVICE.format(kept=params.kept))
place(found, Path(snakemake.output.tar))
