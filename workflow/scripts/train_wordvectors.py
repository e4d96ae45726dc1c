"""Rule train_wordvectors: word vectors from the demo's captions."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

from headstart.measures.wordvectors import read_sentences, save_vectors, train_vectors

params = snakemake.params
sentences = read_sentences([Path(path) for path in snakemake.input.captions])
save_vectors(train_vectors(sentences, params.dimensions, params.epochs, params.seed), Path(snakemake.output.vectors))
