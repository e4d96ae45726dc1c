"""Rule weigh_strategies: what a step of each strategy costs, in time and memory."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

from headstart.report.rendering import write_all
from headstart.report.strategies import CAPTION_COSTS, lay_out_costs, read_costs, table_costs

jobs = read_costs(snakemake.input.history, Path(snakemake.params.benchmarks))
write_all(lay_out_costs(table_costs(jobs)), CAPTION_COSTS, snakemake.output)
