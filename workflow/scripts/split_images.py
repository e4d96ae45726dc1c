"""Rule split_images: training, validation and test images of every class, for one seed."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import pandas as pd

from headstart.data.lists import read_lists
from headstart.data.splits import Wanted, split_images
from headstart.jobs.files import write_table

params = snakemake.params
split = split_images(
    pd.read_csv(snakemake.input.images),
    seed=int(snakemake.wildcards.seed),
    wanted=Wanted(params.train, params.validation, params.test, params.test_min, params.test_share, params.parted),
    lists=read_lists([Path(path) for path in snakemake.input.lists]),
)
write_table(split, snakemake.output.split)
