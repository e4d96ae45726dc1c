"""Rule measure_inference: F-score of each source output for each target class, on n training images."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

import pandas as pd
from safetensors.numpy import load_file

from headstart.data.splits import locate, shots
from headstart.heads.sweeps import SourceHead, source_logits
from headstart.jobs.files import write_table
from headstart.measures.similarity import inference

targets = pd.read_csv(snakemake.input.targets)["wnid"]
chosen = shots(pd.read_csv(snakemake.input.split), int(snakemake.wildcards.shots))
rows, labels = locate(chosen, pd.read_csv(snakemake.input.images), targets)
logits = source_logits(
    SourceHead(**load_file(snakemake.input.head)), load_file(snakemake.input.features)["features"][rows]
)
similarity = inference(labels, logits, len(targets), snakemake.params.reading)
write_table(pd.DataFrame(similarity, targets, snakemake.params.sources), snakemake.output.similarity)
