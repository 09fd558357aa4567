# Two commands for a newcomer: `make demo` and `make test`. Both make .venv if need be.
PYTHON ?= python3
VENV ?= .venv
# The newest version this project was tested with; any build of it will do (see README, "Which PyTorch").
TORCH ?= torch==2.13.0
READY := $(VENV)/.ready
BIN := $(VENV)/bin

.PHONY: demo test test-slow lint format wheel clean
.DEFAULT_GOAL := demo

demo: $(READY) ## the whole pipeline on this machine, offline
	$(BIN)/sage run quickstart

test: $(READY) ## the default tests: offline, CPU, under two minutes
	$(BIN)/python -m pytest -q -n 2 -m "not slow"

test-slow: $(READY) ## the tests that take longer
	$(BIN)/python -m pytest -q -m slow

lint: $(READY) ## style, types, layer contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

wheel: $(READY) ## build dist/*.whl
	$(BIN)/python -m pip install --quiet build
	$(BIN)/python -m build --wheel

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet --editable ".[all,dev]"
	touch $@

clean:
	rm -rf $(VENV) runs dist build
