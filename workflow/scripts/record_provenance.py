"""Rule record_provenance: commit, config, versions, devices, seeds and times behind the results."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import yaml

from headstart.jobs.files import replacing
from headstart.jobs.provenance import commit, digest, machine, times, versions

PACKAGES = (
    *("snakemake", "torch", "torchvision", "timm", "safetensors", "nltk", "gensim", "numpy", "pandas", "pyarrow"),
    *("scikit-learn", "scipy", "matplotlib", "altair", "vl-convert-python", "pillow"),
)

config = snakemake.params.config
runs = pd.concat([pd.read_parquet(path, columns=["device", "processor", "precision"]) for path in snakemake.input.runs])
record = {
    "experiment": config["experiment"],
    "commit": commit(Path(snakemake.scriptdir)),
    "config_digest": digest(config),
    "seeds": config["seeds"],
    "devices": sorted(runs["device"].unique()),
    "processors": sorted(runs["processor"].unique()),
    "precisions": sorted(runs["precision"].unique()),
    "source_accuracy": [pd.read_csv(path).to_dict("records") for path in snakemake.input.accuracy],
    "packages": versions(PACKAGES),
    "machine": machine(),
    "times": times(Path(snakemake.params.benchmarks)),
    "written": datetime.now(UTC).isoformat(timespec="seconds"),
}
with replacing(snakemake.output.provenance) as path:
    path.write_text(json.dumps(record, indent=2) + "\n")
with replacing(snakemake.output.config) as path:
    path.write_text(yaml.safe_dump(config, sort_keys=False))
