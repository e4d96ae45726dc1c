"""Rule fetch_file: one file of the manifest, fetched, or found where it was put by hand."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

from headstart.fetching.downloads import fetch, place

ADVICE = "Get the file by hand and put it at {kept} (it is checked and used), or correct its line in {manifest}."

params = snakemake.params
advice = ADVICE.format(kept=params.kept, manifest=params.manifest)
found = fetch(params.url, Path(params.kept), Path(params.lock), sha256=params.sha256, advice=advice)
place(found, Path(snakemake.output.file))
