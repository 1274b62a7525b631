# Every target makes and reuses .venv, so each works as the first command on a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(abspath $(BIN)):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help repro lol paper test check style format clean

help:  ## what each target does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

repro: $(READY)  ## the whole pipeline on the built-in demo profile, every stage real
	@python -m benchmark.cli.repro demo

lol: $(READY)  ## real LOL: needs MLSM_BENCH_DATA or data/raw/LOL (see data/README.md)
	@python -m benchmark.cli.repro lol

paper: $(READY)  ## all of the paper's data sets: needs the folders of data/README.md and a GPU
	@python -m benchmark.cli.repro paper

test: $(READY)  ## all tests; those that need real data skip with the reason
	pytest -n 2

check: style  ## style, types, architecture, fast tests
	pytest -n 2 -m "not slow"

style: $(READY)  ## style, types and architecture alone
	ruff check .
	ruff format --check .
	mypy
	lint-imports

format: $(READY)  ## apply the style
	ruff check --fix .
	ruff format .

clean:  ## remove what the pipeline made; committed results stay
	rm -rf .cache data/work data/raw/demo weights/demo
