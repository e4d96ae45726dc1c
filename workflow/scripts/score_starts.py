"""Rule score_starts: F of every start on the test images, before any training."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

import pandas as pd
from safetensors.numpy import load_file

from headstart.data.splits import locate
from headstart.heads.scoring import first_scores
from headstart.heads.starts import load_heads
from headstart.jobs.files import write_table

targets = list(pd.read_csv(snakemake.input.targets)["wnid"])
tests = pd.read_csv(snakemake.input.split).query("part == 'test'")
rows, labels = locate(tests, pd.read_csv(snakemake.input.images), targets)
features = load_file(snakemake.input.features)["features"][rows]
write_table(first_scores(load_heads(snakemake.input.heads), features, labels, targets), snakemake.output.scores)
