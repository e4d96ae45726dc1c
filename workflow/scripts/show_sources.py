"""Rule show_sources: the source images that were selected for target images, added to the interactive page."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import numpy as np
import pandas as pd

from headstart.data.images import PixelStore
from headstart.explorer.additions import write_html
from headstart.explorer.selected import add_selected

inputs = snakemake.input
page = add_selected(
    Path(inputs.page).read_text(encoding="utf-8"),
    pd.read_csv(inputs.images),
    np.load(inputs.nearest, mmap_mode="r"),
    pd.read_csv(inputs.classes, keep_default_na=False),
    PixelStore([Path(path) for path in inputs.pictures]),
    snakemake.params.examples,
)
write_html(page, snakemake.output.page)
