# make setup   .venv with everything in it, from a package index alone
# make test    setup, then the tests; ARGS='tests/test_compat.py -k version'
# make lint    setup, then what .ci/run checks beside the tests
# make format  mends what can be mended automatically
# make demo    setup, then a town, a network on it and a report, in minutes
#
# PYTHON=python3.12 picks the interpreter of a new .venv. pip is configured
# where pip is configured (pip.conf, PIP_* variables), never here.

PYTHON ?= python3
WORKERS ?= 2
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
PIP_INSTALL := $(BIN)/python -m pip install --constraint requirements/constraints.txt
CODE := fgsn_mmseg tools tests configs projects

# Several processes share the machine: one thread each.
export OMP_NUM_THREADS ?= 1

.PHONY: setup test lint format demo

setup: $(STAMP)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# torch first: a compiled mmcv would be built against it.
$(STAMP): pyproject.toml requirements/constraints.txt | $(BIN)/python
	$(PIP_INSTALL) torch
	$(PIP_INSTALL) --editable '.[lite,dev]'
	touch $@

test: setup
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

lint: setup
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

# One training at a time: it may have all the cores.
demo: setup
	OMP_NUM_THREADS=$(WORKERS) $(BIN)/python projects/town/demo.py --workers $(WORKERS) $(ARGS)
