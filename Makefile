# Two commands for newcomers: `make demo` and `make test`. Both set up a private .venv first.
PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)

# Without bytecode every job starts three times slower (import of torch: 11 s instead of 4 s).
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo photos test check unit lock clean

demo: $(VENV)/ready
	snakemake --cores $(CORES)
	snakemake --report results/shapes/report.html

$(VENV)/ready: requirements.txt requirements-uv.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Headstart needs Python 3.11 or newer; set PYTHON=...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-uv.txt
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --require-hashes --compile-bytecode --requirement requirements.txt
	touch $@
