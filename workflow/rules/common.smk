"""Search path, config, wildcards and the names that rules share; no rule."""

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

from headstart.vocabulary import FIGURES, KERNELS, MEASURES, TABLES, codes
from pipeline import selection
from pipeline.attempts import growing
from pipeline.closing import closing_words
from pipeline.code_reading import CodeError
from pipeline.code_version import code_version as version_of
from pipeline.config.contradictions import ConfigError
from pipeline.config.loading import load_config
from pipeline.config.pictures import require_source_tars
from pipeline.experiment import Experiment
from pipeline.failure import failing_words
from pipeline.model import Candidates
from pipeline.pupils import Pupils
from pipeline.selection import Selection
from pipeline.trainings import Trainings

# Jobs inherit this environment; without bytecode each import of torch costs seven seconds more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

try:
    config = load_config(config, PROJECT, () if IMPORTED else workflow.configfiles, IMPORTED)
    require_source_tars(config)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

# The experiment's classes and files, where they lie, and its runs.
experiment = Experiment(config)
AT = experiment.layout
runs = Selection(experiment)
# What each job of fine-tuning is told and reads.
trainings = Trainings(experiment)
# The runs among which the model to take home is chosen, if one is wanted.
candidates = Candidates(runs)
# The ways to anti-alias the source network, if any are tried.
pupils = Pupils(experiment)

# So many files are fetched at once, however many cores there are; `--resources downloads=N` says otherwise. It stands
# here because a `resources:` in profiles/default would replace that of every other profile.
if "downloads" not in workflow.global_resources:
    workflow.register_resource("downloads", 4)


wildcard_constraints:
    wnid=experiment.class_pattern(),
    file="|".join(map(re.escape, experiment.remotes)) or "none",
    seed=r"\d+",
    shots=r"\d+",
    most=r"\d+",
    sample=r"all|\d+-\d+",
    strategy="|".join(map(re.escape, trainings.variants)),
    pupil="|".join(map(re.escape, pupils.found)) or "none",
    measure="|".join(MEASURES),
    table="|".join(TABLES),
    figure="|".join(FIGURES),


def code_version(script, *words):
    """Digest of a rule's script and of the library code it reaches, by words of the config too ("module:name")."""
    try:
        return version_of(PROJECT / "workflow/scripts" / script, LIBRARY, words)
    except CodeError as error:
        raise WorkflowError(str(error)) from None


def measure_code(wildcards):
    """Code version of a measure."""
    return code_version("measure_similarity.py", MEASURES[wildcards.measure].code)


def rows_code(wildcards):
    """Code version of the rows that kernel regression predicts."""
    return code_version("predict_rows.py", *(KERNELS[word].code for word in experiment.kernels()))


def sweep_code(wildcards):
    """Code version of a sweep, which measures again what looks at images."""
    return code_version("sweep_neighbours.py", *(MEASURES[word].code for word in experiment.sampled_measures()))


def heads_code(wildcards):
    """Code version of the heads in one file."""
    return code_version("initialise_heads.py", *runs.start_codes(wildcards))


def training_code(wildcards):
    """Code version of the runs of one strategy."""
    return code_version("fine_tune.py", *trainings.strategy_codes(wildcards))


def consistency_code(wildcards):
    """Code version of what is measured of one strategy's networks."""
    return code_version("measure_consistency.py", *trainings.strategy_codes(wildcards))


def export_code(wildcards):
    """Code version of the model, which is trained by any of its candidates' strategies."""
    return code_version("export_model.py", *candidates.codes())


def table_code(wildcards):
    """Code version of a table."""
    return code_version("tabulate.py", TABLES[wildcards.table].code)


def figure_code(wildcards):
    """Code version of a figure."""
    return code_version("draw_figure.py", FIGURES[wildcards.figure].code)
