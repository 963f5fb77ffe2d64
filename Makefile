# Two commands set up all that they need: `make quickstart` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
EXTRAS ?= dev,train
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: quickstart test check lint fast setup setup-dev clean

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
	$(BIN)/python -m pytest -m "not slow and not docker and not namespace and not train"

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

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
