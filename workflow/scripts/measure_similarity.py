"""Rule measure_similarity: how similar each target class is to each source class, by one measure."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

import pandas as pd

from headstart.jobs.files import write_table
from headstart.measures.material import measured, read_material
from headstart.vocabulary import MEASURES, code_of

wildcards = snakemake.wildcards
material = read_material(dict(snakemake.input.items()), wildcards.sample, snakemake.params.settings)
measure = MEASURES[wildcards.measure]
similarity = measured(code_of(measure.code), measure.reads, material)
rows, columns = (list(classes["wnid"]) for classes in (material.targets, material.sources))
write_table(pd.DataFrame(similarity, rows, columns), snakemake.output.similarity)
