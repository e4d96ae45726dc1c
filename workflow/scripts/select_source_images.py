"""Rule select_source_images: the source images that look most like each target image."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import numpy as np
import pandas as pd

from headstart.jobs.files import replacing
from headstart.machine.machines import pick_machine
from headstart.networks.divergence import nearest

inputs = snakemake.input
machine = pick_machine(snakemake.threads, **snakemake.params.gpu)
targets, sources = (np.load(path, mmap_mode="r") for path in (inputs.targets, inputs.sources))
channels = list(pd.read_csv(inputs.channels)["bank"].value_counts(sort=False))
found = nearest(targets, sources, channels, int(snakemake.wildcards.most), machine.device)
with replacing(Path(snakemake.output.nearest)) as partial:
    np.save(partial, found)
