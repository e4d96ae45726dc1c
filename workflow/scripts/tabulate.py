"""Rule tabulate: one table of the paper or about it, in every form."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

import pandas as pd

from headstart.report.rendering import write_all
from headstart.report.results import (
    Results,
    read_by_seed,
    read_consistency,
    read_history,
    read_published,
    read_pupils,
    read_similarities,
    read_starts,
)
from headstart.report.tabulation import tabulate

inputs, params = snakemake.input, snakemake.params
results = Results(
    classes=pd.read_csv(inputs.classes, keep_default_na=False),
    history=read_history(inputs.get("history", []), params.runs),
    sweep=read_by_seed(inputs.get("sweep", [])),
    neighbours=read_by_seed(inputs.get("neighbours", [])),
    similarities=read_similarities(inputs.get("similarity", []), params.measures),
    published=read_published(inputs.published),
    starts=read_starts(inputs.get("starts", []), params.starts),
    consistency=read_consistency(inputs.get("consistency", []), params.runs),
    antialias=read_pupils(inputs.get("antialias", [])),
    examples=params.examples,
    rule=params.rule,
    audit=pd.read_csv(inputs.audit),
    sample=params.sample,
    sweep_shots=params.sweep_shots,
)
write_all(*tabulate(snakemake.wildcards.table, results), snakemake.output)
