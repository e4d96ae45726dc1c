"""Rule predict_rows: what the classes' meaning says of their rows, by kernel regression over all source classes."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from safetensors.numpy import load_file

from headstart.jobs.files import write_table
from headstart.measures.material import read_material
from headstart.measures.semantics import predict_rows, save_semantics
from headstart.vocabulary import KERNELS, code_of

material = read_material(dict(snakemake.input.items()), "", {})
kernels = {word: code_of(KERNELS[word].code) for word in snakemake.params.kernels}
found, tried = predict_rows(material, kernels, **load_file(snakemake.input.head))
save_semantics(found, snakemake.output.semantic)
write_table(tried, snakemake.output.mixtures)
