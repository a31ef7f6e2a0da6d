# make setup        .venv with everything in it, from a package index alone
# make test         setup, then the tests; ARGS='tests/test_compat.py -k versions'
# make test FAMILY=onedl   the same with the onedl packages, in .venv-onedl
# make test-oldest  the same with the oldest versions that pyproject.toml
#                   promises, in .venv-oldest
# make lint         setup, then what .ci/run checks beside the tests
# make format       mends what can be mended automatically
# make docs         the site, in docs/_build/html; an environment of its own,
#                   .venv-docs, without torch; warnings are errors
# make demo         setup, then a town, a network on it and a report, in minutes
#
# PYTHON=python3.12 picks the interpreter of a new environment. pip is
# configured where pip is configured (pip.conf, PIP_* variables), never here.

FAMILY ?= openmmlab
WORKERS ?= 2
ARGS ?=

ifeq ($(FAMILY),openmmlab)
VENV := .venv
EXTRAS := lite,dev
CONSTRAINTS := requirements/constraints.txt
else ifeq ($(FAMILY),onedl)
VENV := .venv-onedl
EXTRAS := onedl,test
CONSTRAINTS := requirements/constraints.txt
else ifeq ($(FAMILY),oldest)
VENV := .venv-oldest
EXTRAS := lite,test
CONSTRAINTS := requirements/oldest.txt
# The first of them that runs (pyenv has commands that do not).
PYTHON ?= $(firstword $(foreach python,\
	python3.10 $(wildcard $(HOME)/.pyenv/versions/3.10.*/bin/python) python3,\
	$(shell $(python) -c 'import sys; print(sys.executable)' 2>/dev/null)))
else
$(error `FAMILY` should be openmmlab, onedl or oldest, but got '$(FAMILY)')
endif

PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
# What is imported gets compiled then; all of it would take half a minute.
PIP_INSTALL := $(BIN)/python -m pip install --no-compile \
	--constraint $(CONSTRAINTS)
CODE := fgsn_mmseg tools tests configs projects docs

# Several processes share the machine: one thread each.
export OMP_NUM_THREADS ?= 1

.PHONY: setup test test-oldest lint format docs demo

setup: $(STAMP)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# torch first: a compiled mmcv would be built against it.
$(STAMP): pyproject.toml $(CONSTRAINTS) | $(BIN)/python
	$(PIP_INSTALL) torch
	$(PIP_INSTALL) --editable '.[$(EXTRAS)]'
	touch $@

test: setup
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

test-oldest:
	$(MAKE) test FAMILY=oldest

lint: setup
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

format: setup
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

.venv-docs/.setup-done: requirements/docs.txt
	$(PYTHON) -m venv .venv-docs || { rm -rf .venv-docs; exit 1; }
	.venv-docs/bin/python -m pip install --requirement requirements/docs.txt
	touch $@

docs: .venv-docs/.setup-done
	.venv-docs/bin/python -m sphinx -W --keep-going -b html docs docs/_build/html

# One training at a time: it may have all the cores.
demo: setup
	OMP_NUM_THREADS=$(WORKERS) $(BIN)/python projects/town/demo.py --workers $(WORKERS) $(ARGS)
