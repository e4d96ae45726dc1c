"""Rule show_mistakes: the pictures that the model gets wrong, added to the interactive page."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

import json
from pathlib import Path

import pandas as pd

from headstart.explorer.additions import write_html
from headstart.explorer.mistakes import add_mistakes

inputs = snakemake.input
page = add_mistakes(
    Path(inputs.page).read_text(encoding="utf-8"),
    pd.read_csv(inputs.test, keep_default_na=False),
    json.loads(Path(inputs.card).read_text(encoding="utf-8")),
    inputs.stores,
)
write_html(page, snakemake.output.page)
