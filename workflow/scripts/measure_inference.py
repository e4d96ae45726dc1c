"""Rule measure_inference: F-score of each source output for each target class, on n training images."""

import pandas as pd
from safetensors.numpy import load_file

from headstart.files import write_table
from headstart.logs import follow
from headstart.similarity import inference
from headstart.splits import locate, shots
from headstart.sweeps import SourceHead, source_logits

follow(snakemake.log[0])
targets = pd.read_csv(snakemake.input.targets)["wnid"]
chosen = shots(pd.read_csv(snakemake.input.split), int(snakemake.wildcards.shots))
rows, labels = locate(chosen, pd.read_csv(snakemake.input.images), targets)
logits = source_logits(
    SourceHead(**load_file(snakemake.input.head)), load_file(snakemake.input.features)["features"][rows]
)
similarity = inference(labels, logits, len(targets), snakemake.params.reading)
write_table(pd.DataFrame(similarity, targets, snakemake.params.sources), snakemake.output.similarity)
