"""Rule measure_word2vec: cosine between the averaged word vectors of targets and sources."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from os.path import commonpath

import pandas as pd

from headstart.jobs.files import write_table
from headstart.measures.similarity import known_words, word2vec
from headstart.measures.wordvectors import load_vectors

vectors = load_vectors(commonpath(snakemake.input.vectors))
targets = pd.read_csv(snakemake.input.targets)
sources = pd.read_csv(snakemake.input.classes).query("role == 'source'")
print(known_words(vectors, targets["lemmas"]).to_string(index=False))
similarity = word2vec(vectors, targets["lemmas"], sources["lemmas"], snakemake.params.lonely)
write_table(pd.DataFrame(similarity, targets["wnid"], sources["wnid"]), snakemake.output.similarity)
