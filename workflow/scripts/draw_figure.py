"""Rule draw_figure: one figure of the paper or about it, with the numbers it shows."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

import pandas as pd

from headstart.report.charts import write_figure
from headstart.report.gallery import first_pictures
from headstart.report.results import (
    Results,
    read_by_seed,
    read_history,
    read_published,
    read_similarities,
    read_starts,
)
from headstart.vocabulary import FIGURES, code_of

inputs, params = snakemake.input, snakemake.params
results = Results(
    classes=pd.read_csv(inputs.classes, keep_default_na=False),
    history=read_history(inputs.get("history", []), params.runs),
    sweep=read_by_seed(inputs.get("sweep", [])),
    neighbours=read_by_seed(inputs.get("neighbours", [])),
    similarities=read_similarities(inputs.get("similarity", []), params.measures),
    published=read_published(inputs.published),
    starts=read_starts(inputs.get("starts", []), params.starts),
    examples=[params.example],
    audit=pd.read_csv(inputs.audit),
    sweep_shots=params.sweep_shots,
    picture=first_pictures(inputs.get("pictures", [])),
)
write_figure(*code_of(FIGURES[snakemake.wildcards.figure].code)(results), snakemake.output)
