"""Rule choose_model: which run becomes the model, and at which step, by the validation images alone."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

import pandas as pd
from safetensors.numpy import load_file

from headstart.data.splits import locate
from headstart.jobs.files import write_table
from headstart.models.choice import candidates, read_runs, untrained_runs

inputs, params = snakemake.input, snakemake.params
targets, images, split = pd.read_csv(inputs.targets), pd.read_csv(inputs.images), pd.read_csv(inputs.split)
features = load_file(inputs.features)["features"]
located = {part: locate(split[split["part"] == part], images, targets["wnid"]) for part in ("validation", "test")}
shown = {part: (features[rows], labels) for part, (rows, labels) in located.items()}
untrained = untrained_runs(
    dict(zip(params.seeds, inputs.heads, strict=True)), params.untrained, shown, list(targets["wnid"])
)
history = pd.concat([read_runs(inputs.history, params.runs), untrained], ignore_index=True)
table = candidates(history, params.order)
print(table.head(20).to_string(index=False))
write_table(table, snakemake.output.candidates)
