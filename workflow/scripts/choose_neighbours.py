"""Rule choose_neighbours: K for every measure and class type, by the paper's rule and by the clean one."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

import pandas as pd

from headstart.heads.neighbours import choose
from headstart.jobs.files import write_table

chosen = choose(pd.read_parquet(snakemake.input.sweep))
print(chosen.to_string(index=False))
write_table(chosen, snakemake.output.neighbours)
