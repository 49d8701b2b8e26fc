# Two commands matter: `make demo` and `make test`. Both need Python 3.11 or later and make;
# containers are isolated only where bubblewrap is installed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test lint types docs clean

demo: $(VENV)/.sandbox $(VENV)/.bytecode
	$(BIN)/exatrust demo

# A file's tests share a cluster, so that a file is the unit that a worker takes. Many wait for a
# deadline or a process, so that one worker more than there are processors has something to do.
test: lint types $(VENV)/.bytecode
	$(BIN)/python -m pytest --numprocesses=$$($(BIN)/python -c 'import os; print(os.cpu_count() + 1)') --dist=loadfile --no-loadscope-reorder

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

docs: $(VENV)/.dev
	$(BIN)/python -m exatrust_udf.findings > docs/findings.md
	$(BIN)/python -m exatrust.reference > docs/sql.md

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'make: $(PYTHON) is older than 3.11; try PYTHON=python3.12 make ...' >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.sandbox: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[sandbox]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.sandbox

# The install compiled the UDF code as it was then.
$(VENV)/.bytecode: $(wildcard udfs/exatrust_udf/*.py udfs/exatrust_udf/*/*.py) | $(VENV)/.sandbox
	$(BIN)/python installer/compile_udfs.py
	@touch $@

clean:
	rm -rf $(VENV) .clients build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
