"""Headstart: give a new image classifier a head start. Read this file as the table of contents."""

from pathlib import Path

from snakemake.utils import min_version

min_version("9.20")

DEFAULT = Path("config/config.yaml")

# A config file on the command line replaces the default experiment; it is not mixed with it.
if not workflow.overwrite_configfiles:

    configfile: DEFAULT if DEFAULT.exists() else Path(str(workflow.current_basedir), DEFAULT)


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/own.smk"
include: "workflow/rules/doubles.smk"
include: "workflow/rules/network.smk"
include: "workflow/rules/similarity.smk"
include: "workflow/rules/heads.smk"
include: "workflow/rules/sources.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/model.smk"
include: "workflow/rules/antialias.smk"
include: "workflow/rules/report.smk"


rule all:
    """Everything: Tables 1 and 2, Figures 1 to 3, the interactive page, and where they come from."""
    default_target: True
    input:
        runs.tables(),
        runs.figures(),
        AT.explorer,
        AT.provenance,
        candidates.files(),
    message:
        "Everything is made"


onsuccess:
    configs = [str(path) for path in workflow.overwrite_configfiles]
    print(closing_words(Path(AT.explorer).parent, configs, workflow.config_settings.config))


onerror:
    print(failing_words(map(Path, log)))
