"""Rule choose_synsets: all senses of the classes' names, and which of them their images look like."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

from headstart.data.images import PixelStore
from headstart.data.splits import some_of_each
from headstart.data.views import View
from headstart.machine.machines import pick_machine
from headstart.measures.choices import read_choices
from headstart.measures.choosing import propose, seen_senses, settled, several, write_choices
from headstart.measures.senses import nouns_of
from headstart.networks.backbones import load_classifier
from headstart.networks.pretraining import mean_probabilities

inputs, params = snakemake.input, snakemake.params
machine, nouns, names = pick_machine(snakemake.threads), nouns_of(inputs.wordnet), [name for _, name in params.classes]
rows = settled(read_choices(snakemake.output.synsets), nouns)
senses = several(names, rows, nouns)
store = PixelStore([Path(path) for path in inputs.stores])
unclear = {name: key for key, name in params.classes if name in senses}
chosen = some_of_each(store.names, unclear, params.train, params.parted)
model = load_classifier(classes=len(params.sources), weights=Path(inputs.weights), **params.network)
looks = mean_probabilities(model, store, chosen, View(**params.view), machine)
table = propose(names, rows, nouns, seen_senses(looks, senses, params.sources, inputs.wordnet))
write_choices(table, snakemake.output.synsets)
print(*("{class}: {wnid} {gloss}; {why}".format(**row) for row in table if row["why"]), sep="\n")
