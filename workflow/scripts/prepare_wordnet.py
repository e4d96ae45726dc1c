"""Rule prepare_wordnet: a complete copy of WordNet 3.0."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from functools import partial
from pathlib import Path

from headstart.fetching.downloads import fetch
from headstart.measures.taxonomy import INSTALL, find_wordnet, prepare_wordnet

params = snakemake.params
fetched = partial(
    fetch, params.url, Path(params.kept), Path(params.lock), sha256=params.sha256, advice=f"Or {INSTALL}."
)
prepare_wordnet(find_wordnet(params.where, fetched), Path(snakemake.output.noun).parent)
