"""Search path, config, wildcards and the functions that rules share; no rule."""

import os
import re
import sys
from pathlib import Path


def project():
    """The project's folder; where another workflow imports it off a git host, the copies of all its files."""
    if workflow.current_basedir.is_local:
        return Path(str(workflow.current_basedir)).parent.parent
    for name in Path(workflow.source_path("../files.txt")).read_text().split():
        copy = Path(workflow.source_path(f"../../{name}"))
    return Path(*copy.parts[: -len(Path(name).parts)])


PROJECT = project()
LIBRARY = PROJECT / "src"
# Whether another workflow imports this one as a module, perhaps with a prefix before every relative path.
IMPORTED = not workflow.modifier.is_main_snakefile()

# Snakemake hands its own search path on to every `script:`.
sys.path[:0] = [str(LIBRARY), str(PROJECT / "workflow")]

from pipeline.attempts import growing
from pipeline.closing import closing_words
from pipeline.code_reading import CodeError
from pipeline.code_version import code_version as version_of
from pipeline.config.loading import load_config
from pipeline.config.contradictions import PUBLISHED, ConfigError, is_url, read_wnids, used_measures
from pipeline.failure import failing_words
from headstart.fetching.manifest import read_manifest
from headstart.vocabulary import split_name

# Jobs inherit this environment; without bytecode each import of torch costs seven seconds more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

try:
    config = load_config(config, PROJECT, () if IMPORTED else workflow.configfiles, IMPORTED)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

EXPERIMENT = config["experiment"]
SEEDS = config["seeds"]
GROUPS = config["groups"]
MEASURES = used_measures(config)
SOURCES = sorted(read_wnids(config["classes"]["sources"]))
TARGETS = read_wnids(config["classes"]["targets"])
DRAWN = config["images"]["drawn"]
FETCHED = not DRAWN and is_url(config["images"]["tars"])
REMOTES = read_manifest(config["downloads"]["manifest"])
KEPT = config["downloads"]["folder"]
# Measures that look at training images have one matrix for each draw of them; the others have one for all.
IMAGE_MEASURES = ("inference",)
FIGURES = ("figure1", "figure2", "figure3", "shots")
TABLES = ("table1", "table2", "table2_clean", "neighbours", "claims")

# So many files are fetched at once, however many cores there are; `--resources downloads=N` says otherwise. It stands
# here because a `resources:` in profiles/default would replace that of every other profile.
if "downloads" not in workflow.global_resources:
    workflow.register_resource("downloads", 4)


wildcard_constraints:
    experiment=EXPERIMENT,
    wnid=r"n\d{8}",
    file="|".join(map(re.escape, REMOTES)) or "none",
    seed=r"\d+",
    shots=r"\d+",
    group="|".join(GROUPS),
    measure="|".join(("inference", "wordnet", "word2vec")),
    table="|".join(TABLES),
    figure="|".join(FIGURES),


def code_version(script, *words):
    """Digest of a rule's script and of the library code it reaches, by words of the config too ("module:name")."""
    try:
        return version_of(PROJECT / "workflow/scripts" / script, LIBRARY, words)
    except CodeError as error:
        raise WorkflowError(str(error)) from None


def tar_of(wildcards):
    """Where the images of one class come from."""
    if DRAWN or FETCHED:
        return f"resources/{EXPERIMENT}/{wildcards.wnid}.tar"
    return config["images"]["tars"].format(wnid=wildcards.wnid)


def remote_tar(wildcards):
    """The URL of the tar of one class."""
    return config["images"]["tars"].format(wnid=wildcards.wnid)


def remote_url(wildcards):
    """Where a file of the manifest is fetched from."""
    return REMOTES[wildcards.file].url


def remote_digest(wildcards):
    """The digest, or its first digits, that a file of the manifest must have."""
    return REMOTES[wildcards.file].sha256


def wordnet_url(wildcards):
    """Where NLTK's copy of WordNet is fetched from, if none is installed."""
    return REMOTES["wordnet.zip"].url


def wordnet_digest(wildcards):
    """The digest of NLTK's copy of WordNet."""
    return REMOTES["wordnet.zip"].sha256


def listed():
    """The published lists of images, if they are used."""
    return list((config["images"]["lists"] or {}).values())


def drawn_count(wildcards):
    """How many images of one class the demo draws."""
    return DRAWN["source" if wildcards.wnid in SOURCES else "target"]


def present(wnids):
    """The classes whose tar or decoded images are there; audit_images counts the others as found: 0."""
    if DRAWN or FETCHED:
        return wnids
    tars, decoded = config["images"]["tars"], f"results/{EXPERIMENT}/images/{{wnid}}.arrow"
    return [wnid for wnid in wnids if any(Path(path.format(wnid=wnid)).exists() for path in (tars, decoded))]


def stores(wnids):
    """The pixel stores of some classes."""
    return [f"results/{EXPERIMENT}/images/{wnid}.arrow" for wnid in present(wnids)]


def source_pictures():
    """Pixel stores holding pictures of source classes, if there are any."""
    if DRAWN:
        return stores(SOURCES)
    return [f"results/{EXPERIMENT}/images/samples.arrow"] if config["source"]["samples"] else []


def source_accuracy():
    """The source network's own top-1, where something measures it."""
    measured = not config["source"]["weights"] or config["source"]["samples"]
    return [f"results/{EXPERIMENT}/source/accuracy.csv"] if measured else []


def taxonomy():
    """The table or the folder of WordNet that relates the classes."""
    given = config["classes"]["taxonomy"]
    return given if given.endswith(".tsv") else f"resources/{EXPERIMENT}/wordnet/data.noun"


def source_weights():
    """The weights of the source network."""
    return config["source"]["weights"] or f"results/{EXPERIMENT}/source/weights.safetensors"


def word_vectors():
    """The word vectors, a folder's files one by one so that Snakemake sees them change."""
    path = config["wordvectors"]["path"] or f"results/{EXPERIMENT}/wordvectors.bin"
    if path.endswith(".tar.gz"):
        return [f"resources/{EXPERIMENT}/wordvectors/{name}" for name in ("feature.bin", "id.txt", "shape.txt")]
    return [f"{path}/{name}" for name in ("feature.bin", "id.txt", "shape.txt")] if Path(path).is_dir() else [path]


def similarity_path(measure, shots, seed):
    """The similarity matrix that a head or a sweep of these images rests on."""
    if measure in IMAGE_MEASURES:
        return f"results/{EXPERIMENT}/similarity/{measure}/{shots}-{seed}.parquet"
    return f"results/{EXPERIMENT}/similarity/{measure}.parquet"


def inference_reading():
    """How the sweep reads inference similarity; nothing where it has none, so that it does not follow this key."""
    return config["inference"]["reading"] if "inference" in MEASURES else ""


def sweep_similarities(wildcards):
    """The matrices Figure 3 compares, for one seed."""
    shots = config["neighbours"]["shots"]
    return {measure: similarity_path(measure, shots, wildcards.seed) for measure in MEASURES}


def head_inputs(wildcards):
    """What the initialisations of a group are made from, besides the source head and the images."""
    blended = blended_heads(wildcards.group)
    inputs = {measure: similarity_path(measure, wildcards.shots, wildcards.seed) for measure, _ in blended}
    if any(fixed is None for _, fixed in blended):
        inputs["neighbours"] = f"results/{EXPERIMENT}/neighbours/{wildcards.seed}.csv"
    return inputs


def blended_heads(group):
    """Measure and fixed K (None where it is chosen) of each initialisation of a group that blends source rows."""
    names = [split_name(name) for name in GROUPS[group]["initialisations"]]
    return [(word, fixed) for word, fixed in names if word in MEASURES]


def head_rules(wildcards):
    """How rows are blended; nothing for groups that blend none, so that they do not follow these keys."""
    return config["heads"] if blended_heads(wildcards.group) else {}


def neighbour_rule(wildcards):
    """The rule that chose K; nothing for groups whose K is fixed."""
    chosen = any(fixed is None for _, fixed in blended_heads(wildcards.group))
    return config["neighbours"]["rule"] if chosen else ""


def group_initialisations(wildcards):
    """The initialisations trained side by side in one group."""
    return GROUPS[wildcards.group]["initialisations"]


def training_state(wildcards, output):
    """Where a training job keeps its progress: outside the declared outputs, which Snakemake deletes on failure.

    Like benchmarks_folder, told from an output, since parameters get no prefix where another workflow imports this one.
    """
    prefix, _, run = str(output.history).rpartition(f"results/{EXPERIMENT}/")
    return f"{prefix}work/{EXPERIMENT}/{Path(run).with_suffix('.pt')}"


def histories(group, shots=None):
    """The training histories of a group, of all its shot counts or of one."""
    strategy = GROUPS[group]["strategy"]
    counts = GROUPS[group]["shots"] if shots is None else [shots]
    folder = f"results/{EXPERIMENT}/runs/{strategy}/{group}"
    return [f"{folder}/{count}-{seed}.parquet" for count in counts for seed in SEEDS]


def for_seeds(pattern):
    """One path per seed."""
    return [f"results/{EXPERIMENT}/{pattern}".format(seed=seed) for seed in SEEDS]


def similarities():
    """The matrices Table 1 and Figure 2 name sources from: those of Figure 3, first seed."""
    shots = config["neighbours"]["shots"]
    return [similarity_path(measure, shots, SEEDS[0]) for measure in MEASURES]
