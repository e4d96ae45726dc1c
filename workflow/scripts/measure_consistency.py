"""Rule measure_consistency: of how many test images two random crops get one label, for each run of a job."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import pandas as pd
from safetensors.torch import load_file

from headstart.data.images import PixelStore
from headstart.data.views import View
from headstart.finetuning.antialiasing import consistency, of_run, whole
from headstart.jobs.files import write_table
from headstart.machine.machines import pick_machine
from headstart.networks.backbones import load_classifier
from headstart.vocabulary import STRATEGIES, code_of

inputs, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
view, seed = View(**params.view), int(wildcards.seed)
machine = pick_machine(params.training["threads"], **params.gpu)
store = PixelStore([Path(path) for path in inputs.stores])
tests = list(pd.read_csv(inputs.split).query("part == 'test'")["name"])
strategy = code_of(STRATEGIES[params.strategy].code)(params.options)
model = load_classifier(classes=params.classes, weights=Path(inputs.weights), **params.network)
network = strategy.cut(model, params.training["trained_from"], view.side)
weights = load_file(inputs.trained)
found = {
    start: consistency(whole(network, of_run(weights, start)), store, tests, view, machine, seed)
    for start in sorted({name.partition("/")[0] for name in weights})
}
facts = {"strategy": wildcards.strategy, "shots": int(wildcards.shots), "seed": seed, "images": len(tests)}
rows = [{**facts, "initialisation": start, "consistency": share} for start, share in found.items()]
write_table(pd.DataFrame(rows), snakemake.output.consistency)
