"""Rule find_doubles: the same pictures in two classes, and almost the same ones in training and test."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

import pandas as pd

from headstart.data.doubles import find_doubles, read_digests
from headstart.jobs.files import write_table

doubles = find_doubles(read_digests(snakemake.input.digests), pd.read_csv(snakemake.input.split))
print(doubles.to_string(index=False))
write_table(doubles, snakemake.output.doubles)
