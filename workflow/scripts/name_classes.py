"""Rule name_classes: names, glosses and types of all classes, by the synsets chosen for the targets' names."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from headstart.jobs.files import write_table
from headstart.measures.choices import chosen, read_choices
from headstart.measures.own_classes import describe_own

inputs, params = snakemake.input, snakemake.params
synsets = chosen(read_choices(inputs.synsets))
write_table(describe_own(params.classes, synsets, params.sources, inputs.wordnet), snakemake.output.classes)
