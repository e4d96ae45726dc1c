"""Rule build_explorer: the interactive page, one file that needs no network."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

import pandas as pd

from headstart.explorer.page import write_page
from headstart.report.results import Results, read_history, read_published, read_similarities, read_starts

inputs, params = snakemake.input, snakemake.params
results = Results(
    classes=pd.read_csv(inputs.classes, keep_default_na=False),
    history=read_history(inputs.history, params.shown),
    similarities=read_similarities(inputs.similarity, params.measures),
    published=read_published(inputs.published),
    starts=read_starts(inputs.get("starts", []), params.starts),
    rule=params.rule,
    audit=pd.read_csv(inputs.audit),
    sample=params.sample,
)
runs, sweep = read_history(inputs.runs, params.explored), pd.read_csv(inputs.sweep)
doubles = pd.read_csv(inputs.doubles, keep_default_na=False)
write_page(params.title, results, runs, sweep, inputs.pictures, snakemake.output.page, doubles)
