"""Where everything of an experiment lies; rules, plan and closing words read it off here."""

from __future__ import annotations

# Braces are the wildcards of rules. `sample` is `all`, or `<shots>-<seed>` for a measure that looks at images.
PLACES = {
    # What other programs or machines could have made.
    "tar": "resources/{experiment}/{wnid}.tar",
    "captions": "resources/{experiment}/{wnid}.txt",
    "download": "resources/{experiment}/downloads/{file}",
    "wordnet": "resources/{experiment}/wordnet/data.noun",
    "unpacked": "resources/{experiment}/wordvectors/{part}",
    # Data.
    "store": "results/{experiment}/images/{wnid}.arrow",
    "image_audit": "results/{experiment}/images/{wnid}.audit.csv",
    "digests": "results/{experiment}/images/{wnid}.digests.csv",
    "samples": "results/{experiment}/images/samples.arrow",
    "synsets": "results/{experiment}/classes.tsv",
    "classes": "results/{experiment}/classes.csv",
    "audit": "results/{experiment}/audit.csv",
    "targets": "results/{experiment}/targets.csv",
    "images": "results/{experiment}/images.csv",
    "split": "results/{experiment}/splits/{seed}.csv",
    "doubles": "results/{experiment}/doubles.csv",
    # The source network and what it sees.
    "weights": "results/{experiment}/source/weights.safetensors",
    "accuracy": "results/{experiment}/source/accuracy.csv",
    "features": "results/{experiment}/features.safetensors",
    "head": "results/{experiment}/head.safetensors",
    # What filters answer to images, and the source images nearest to each target image by that.
    "described": "results/{experiment}/filters/images.csv",
    "channels": "results/{experiment}/filters/channels.csv",
    "descriptors": "results/{experiment}/filters/{role}.npy",
    "nearest": "results/{experiment}/filters/nearest-{most}.npy",
    "vectors": "results/{experiment}/wordvectors.bin",
    "similarity": "results/{experiment}/similarity/{measure}/{sample}.parquet",
    # What the classes' meaning says of their rows, and the mixtures of kernels that were tried.
    "semantic": "results/{experiment}/semantic.safetensors",
    "mixtures": "results/{experiment}/semantic.csv",
    "sweep": "results/{experiment}/sweep/{seed}.parquet",
    "neighbours": "results/{experiment}/neighbours/{seed}.csv",
    # Heads and runs; one file holds all starts of a strategy, number of images and seed.
    "heads": "results/{experiment}/heads/{shots}-{seed}.safetensors",
    "starts": "results/{experiment}/starts/{shots}-{seed}.csv",
    "trunk": "results/{experiment}/trunk/evaluation.npy",
    "evaluation": "results/{experiment}/trunk/evaluation.csv",
    "batches": "results/{experiment}/trunk/{shots}-{seed}.npy",
    "history": "results/{experiment}/runs/{strategy}/{shots}-{seed}.parquet",
    "trained": "results/{experiment}/runs/{strategy}/{shots}-{seed}.safetensors",
    "state": "work/{experiment}/runs/{strategy}/{shots}-{seed}.pt",
    # The model to take home.
    "candidates": "results/{experiment}/model/candidates.csv",
    "model": "results/{experiment}/model/{file}",
    # Anti-aliasing on the source task.
    "antialias": "results/{experiment}/antialias/{pupil}/{seed}.csv",
    "consistency": "results/{experiment}/consistency/{strategy}/{shots}-{seed}.csv",
    "pupil_state": "work/{experiment}/antialias/{pupil}/{seed}.pt",
    # What is shown.
    "table": "results/{experiment}/tables/{table}.{form}",
    "figure": "results/{experiment}/figures/{figure}.{form}",
    "explorer": "results/{experiment}/explore.html",
    "plain_explorer": "work/{experiment}/explore.html",
    "sources_explorer": "work/{experiment}/explore-sources.html",
    "provenance": "results/{experiment}/provenance.json",
    "config": "results/{experiment}/config.yaml",
}
TABLE_FORMS = ("csv", "html", "md", "tex")
FIGURE_FORMS = ("svg", "pdf", "csv")
# What lies in the folder of the model: written by export_model, and by describe_model.
EXPORTED = {"weights": "model.safetensors", "config": "config.json", "onnx": "model.onnx"}
DESCRIBED = {
    "card": "card.json",
    "page": "README.md",
    "confusion": "confusion.svg",
    "test": "test.csv",
    "settings": "config.yaml",
}
MODEL_FILES = (*EXPORTED.values(), *DESCRIBED.values())
WORDVECTORS = ("feature.bin", "id.txt", "shape.txt")  # the three files of the BigFile form


class Layout:
    """The places of one experiment, by name: `layout.split` is that of every seed, `layout.at("split", seed=0)` of one.

    >>> layout = Layout("shapes")
    >>> layout.split, layout.at("split", seed=0)
    ('results/shapes/splits/{seed}.csv', 'results/shapes/splits/0.csv')
    """

    def __init__(self, experiment: str) -> None:
        """Lay out an experiment of this name."""
        self.experiment = experiment

    def __getattr__(self, name: str) -> str:
        """Return a place with the wildcards of rules left in it."""
        if name not in PLACES:
            raise AttributeError(f"no place is called {name!r}; known are {', '.join(PLACES)}")
        return PLACES[name].replace("{experiment}", self.experiment)

    def at(self, name: str, **wildcards: object) -> str:
        """Return a place with its wildcards filled in."""
        return getattr(self, name).format(**wildcards)

    def log(self, rule: str, run: str = "") -> str:
        """Return where a rule's jobs write what they say; `run` holds the wildcards, if it has any.

        >>> Layout("shapes").log("split_images", "{seed}")
        'results/shapes/logs/split_images/{seed}.log'
        """
        return f"results/{self.experiment}/logs/{rule}{f'/{run}' if run else ''}.log"

    def benchmark(self, rule: str, run: str = "") -> str:
        """Return where Snakemake writes a rule's times and memory."""
        return f"results/{self.experiment}/benchmarks/{rule}{f'/{run}' if run else ''}.tsv"
