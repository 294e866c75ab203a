# Everything a newcomer types. Each target sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UP ?= examples/quickstart --echo

# Tests start some hundred processes; without bytecode each of them compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up test lint docs bench clean

help: ## what there is to type
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

up: $(VENV)/.run ## install, and serve the quickstart example with demo backends
	$(BIN)/pointsman up $(UP)

test: $(VENV)/.dev ## install what the tests need, and run them all
	$(BIN)/python -m pytest -n 3 --dist loadgroup

lint: $(VENV)/.dev ## style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.dev ## write the generated pages of docs/, and dashboards/
	$(BIN)/python scripts/generate_docs.py
	$(BIN)/python scripts/generate_dashboards.py

bench: $(VENV)/.dev ## run every benchmark (about fifteen minutes; needs wrk, nginx, haproxy, caddy)
	$(BIN)/python bench/all.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || { \
	  echo "Python's venv module is missing: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.run: $(VENV)/bin/python requirements/run.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

clean: ## remove what was installed here
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
