# `make demo` and `make test` need Python 3.11.4 or newer and nothing else: both set up a private .venv first.
PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
CONFIG ?= $(if $(IMAGES),config/own.yaml,config/paper.yaml)
MODEL ?= results/own/model
IMAGES ?=
SIZE ?= small
KEYS ?=
TABLE ?= predictions.csv
# The smallest experiment with every rule.
WITH_MODEL := model={start: imprinted}
VENV := $(CURDIR)/.venv
export PATH := $(VENV)/bin:$(PATH)

# Without bytecode every job starts three times slower (import of torch and torchvision: 11 s instead of 4 s).
unexport PYTHONDONTWRITEBYTECODE
# The private environment is complete; nothing from outside may slip in.
export PYTHONNOUSERSITE := 1

.PHONY: demo photos own predict rehearsal plan bench growth test lint types unit test-cluster format docs readme deviations lock clean

demo: .venv/ready  ## the default experiment on drawn shapes, with its report
	snakemake --cores $(CORES)
	snakemake --report results/shapes/report.html --quiet all
	@echo "report written: results/shapes/report.html"

photos: .venv/ready  ## the photographs (see README)
	snakemake --cores $(CORES) --configfile config/photos.yaml
	snakemake --configfile config/photos.yaml --report results/photos/report.html --quiet all
	@echo "report written: results/photos/report.html"

# Values that stand in for those of a config; quotes keep spaces in paths.
VALUES := $(if $(IMAGES),images="$(IMAGES)") $(if $(SOURCE),source="$(SOURCE)")

own: .venv/ready  ## images of your own (IMAGES=folder; SOURCE=timm:resnet50:file for another network)
	@if [ -z "$(IMAGES)" ]; then echo "say where your images are: make own IMAGES=path/to/folder" >&2; exit 1; fi
	snakemake --cores $(CORES) --configfile config/own.yaml --config $(VALUES)
	snakemake --configfile config/own.yaml --config $(VALUES) --report results/own/report.html --quiet all
	@echo "report written: results/own/report.html"

rehearsal: .venv/ready  ## the paper's experiment in small, on files from a server on this machine (SIZE=full: at full size, on a GPU)
	python tests/rehearsal.py $(SIZE) snakemake --cores $(CORES) --configfile config/rehearsal$(if $(filter full,$(SIZE)),_full).yaml

plan predict docs readme deviations: export PYTHONPATH := src:workflow

predict: .venv/ready  ## what is on the pictures of a folder, by a model that was made (MODEL=results/photos/model IMAGES=folder)
	python -m headstart.models "$(MODEL)" "$(IMAGES)" --table "$(TABLE)"

plan: .venv/ready  ## what an experiment needs: files, disk, work, hours (CONFIG=config/photos.yaml or IMAGES=folder; FILES=1 lists every file)
	python -m pipeline.plan.page $(CONFIG) $(if $(FILES),--files) $(if $(IMAGES),--config $(VALUES))

bench: .venv/ready  ## every fast form against its plain one: equal results, and as fast as asked (six to ten minutes)
	python benchmarks/bench.py

growth: .venv/ready  ## how the main steps grow with images, classes and shots
	python benchmarks/growth.py

test: lint types unit  ## everything continuous integration checks

lint: .venv/ready
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint --configfile config/minimal.yaml --config "$(WITH_MODEL)"

types: .venv/ready
	mypy

unit: .venv/ready  ## side by side on the cores there are, each file of tests by one process
	pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-cluster: .venv/ready  ## the smallest experiment on a real Slurm, installed by apt and started here; needs root on Debian or Ubuntu
	tests/cluster/slurm.sh install
	pytest tests/cluster

format: .venv/ready  ## let the formatters rewrite the code
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow

docs: .venv/ready  ## config/README.md from config/schema.yaml; the list of files that another workflow fetches
	python -m pipeline.config.reference
	python -m pipeline.docs.shipped

readme: .venv/ready  ## the demo's results and the list of files in README.md
	python -m pipeline.docs.readme

Dockerfile: .venv/ready envs/*.yaml  ## the conda environments as a container image, in the words of Snakemake
	PATH="tests/conda/bin:$(PATH)" snakemake --containerize --configfile config/minimal.yaml --config "$(WITH_MODEL)" > $@.partial
	mv $@.partial $@

deviations: .venv/ready  ## what each choice does that the paper leaves open, measured on the photographs (KEYS=training.passes measures one)
	python -m pipeline.docs.deviations $(CORES) $(KEYS)

lock: .venv/ready  ## newest versions that fit requirements.in, pinned with hashes
	uv pip compile --upgrade --universal --generate-hashes --no-header --quiet --python-version 3.11 requirements.in --output-file requirements.txt
	uv pip compile --upgrade --universal --generate-hashes --no-header --quiet --python-version 3.11 requirements-uv.in --output-file requirements-uv.txt

clean:  ## everything made, the environment included
	rm -rf .venv .snakemake results resources work

# Setting up clears what lies there: only what an earlier `make` set up, finished or not, may be cleared.
.venv/ready: requirements.txt requirements-uv.txt
	@if [ -L .venv ]; then echo ".venv is a link to $$(readlink .venv), which make would clear; take the link away, so that make can set up its own environment" >&2; exit 1; fi
	@if [ -e .venv ] && { [ ! -d .venv ] || { [ -n "$$(ls -A .venv)" ] && [ ! -e .venv/ready ] && [ ! -e .venv/unfinished ]; }; }; then echo ".venv is there, and make has not set it up; move it away, so that make can set up its own environment" >&2; exit 1; fi
	$(PYTHON) -c 'import sys; sys.exit("Headstart needs Python 3.11.4 or newer, whose tarfile refuses unsafe members: make PYTHON=python3.12 ..." if sys.version_info < (3, 11, 4) else 0)'
	$(PYTHON) -m venv --clear $(VENV)
	touch .venv/unfinished
	$(VENV)/bin/python -m pip install --quiet --require-hashes --requirement requirements-uv.txt
	VIRTUAL_ENV=$(VENV) $(VENV)/bin/uv pip install --quiet --require-hashes --compile-bytecode --requirement requirements.txt
	rm .venv/unfinished
	touch $@
