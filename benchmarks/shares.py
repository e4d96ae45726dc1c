"""Run a whole experiment from nothing, and say what its time goes to: start-up of jobs, reading images, the rest.

python benchmarks/shares.py config/photos.yaml
"""

import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import yaml

import comparison

sys.path.insert(0, str(Path(__file__).parent.parent / "workflow"))

from headstart.data.crops import crop_batch
from headstart.data.images import PixelStore, decode_tar
from headstart.finetuning.settings import evaluation_steps
from pipeline.config.contradictions import read_wnids
from pipeline.config.loading import load_config
from pipeline.plan.counts import count

PROJECT = Path(__file__).parent.parent
NAME = "shares"
IMPORT = re.compile(r"import time: +(\d+) \|")  # microseconds of one module, without those that it imports itself
CORES = os.cpu_count() or 1


def main(path: str) -> None:
    """Run the experiment of a config under another name, and print the shares."""
    for place in ("results", "resources", "work"):
        shutil.rmtree(PROJECT / place / NAME, ignore_errors=True)
    start = perf_counter()
    imports = run(path)
    wall = perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    reading = seconds_reading(load_config(yaml.safe_load(Path(path).read_text()), PROJECT, [path]))
    print(f"{path} on {CORES} cores: {wall:.0f} s, in which all processes used {cpu:.0f} s of CPU time")
    for what, seconds in (("start-up of jobs", imports), ("reading images", reading)):
        print(f"  {what:18} {seconds:6.0f} s  {seconds / cpu:6.1%}")
    print(
        f"  {'the rest':18} {cpu - imports - reading:6.0f} s  {1 - (imports + reading) / cpu:6.1%}  computing, mostly"
    )


def run(path: str) -> float:
    """Run the pipeline; return the seconds that its processes took to import what they need."""
    command = ["snakemake", "--cores", str(CORES), "--configfile", path, "--config", f"experiment={NAME}"]
    # Python itself says on its error stream how long each import took.
    environment = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    microseconds = 0
    with subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            found = IMPORT.search(line)
            microseconds += int(found[1]) if found else 0
            if not found and "import time:" not in line:
                sys.stderr.write(line)
    if process.returncode:
        raise SystemExit(f"the run of {path} ended with status {process.returncode}; its shares say nothing")
    return microseconds / 1e6


def seconds_reading(config: Mapping[str, Any]) -> float:
    """Return what all decoding and all reads from the stores take, from one class's images measured here."""
    wnid = read_wnids(config["classes"]["targets"])[0]
    drawn = PROJECT / "resources" / NAME / f"{wnid}.tar"
    tar = drawn if drawn.exists() else Path(config["images"]["tars"].format(wnid=wnid))
    training = config["training"]
    counts = count(config, lambda steps: len(evaluation_steps(steps, training["evaluations"])))
    reads = counts.embedded + counts.evaluated + counts.pretrained + counts.checked + counts.trunk
    with TemporaryDirectory() as folder:
        path = Path(folder, "store.arrow")
        sides = (config["images"]["short_side"], config["images"]["min_side"])
        decode, _ = comparison.measure(lambda: decode_tar(tar, path, Path(folder, "audit.csv"), *sides), repeat=3)
        store = PixelStore([path])
        names = store.names[:64]
        read, _ = comparison.measure(lambda: crop_batch(store, names, config["images"]["crop"]), repeat=9)
        return counts.decoded * decode / len(store) + reads * read / len(names)


if __name__ == "__main__":
    main(*sys.argv[1:])
