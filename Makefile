# `make demo` and `make test` set up what they need on a machine with Python >= 3.11; a second call skips the set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-stamp

.PHONY: demo test lint types layers clean

demo: $(STAMP)
	mkdir -p out
	$(BIN)/jevons plan scenarios/alibaba-380bn.yaml --out out/alibaba-380bn.html

test: $(STAMP) lint types layers
	$(BIN)/python -m pytest -n auto

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/python scripts/check_layers.py

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("jevons needs Python 3.11 or later; set PYTHON=...") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $(STAMP)

clean:
	rm -rf $(VENV) build out .mypy_cache .pytest_cache .ruff_cache
