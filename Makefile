# Each target sets up what it needs on a machine with Python >= 3.11; a second call skips the set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-stamp
LOCK := requirements.lock
# one more process than processors: the tests of the page wait for a browser much of their time
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.DEFAULT_GOAL := help
.PHONY: help demo test quick lint types layers format docs reference fit validate bench golden lock test-lowest dist fuzz web warm clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) ## plan the main scenario, print its tables, write out/alibaba-380bn.html
	mkdir -p out
	$(BIN)/jevons plan scenarios/alibaba-380bn.yaml --out out/alibaba-380bn.html

test: $(STAMP) ## lint, types, import order and all tests: what CI runs
	$(MAKE) -j 2 lint types layers warm # types take one processor, and each process of the tests would compile the kernels
	$(BIN)/python -m pytest -n $(JOBS)

quick: $(STAMP) ## the quick tests only, under two minutes on two cores
	$(BIN)/python -m pytest -n $(JOBS) -m "not slow"

lint: $(STAMP) ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## static types
	$(BIN)/mypy

layers: $(STAMP) ## order of imports between stages
	$(BIN)/python scripts/check_layers.py

format: $(STAMP) ## rewrite the source in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.docs-stamp ## build the documentation into build/docs/index.html, without a network
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs
	@echo build/docs/index.html

reference: $(STAMP) ## rewrite the pages that are generated from the code
	$(BIN)/python scripts/build_reference.py
	$(BIN)/python scripts/build_architecture.py

fit: $(STAMP) ## fit operators, serving, training and memory to measured tables: make fit DATA=FOLDER
	@test -n "$(DATA)" || { echo "make fit DATA=FOLDER: the folder with the measured tables"; exit 2; }
	$(BIN)/python scripts/fit_operators.py --data "$(DATA)"
	$(BIN)/python scripts/fit_serving.py --data "$(DATA)"
	$(BIN)/python scripts/fit_training.py --data "$(DATA)"
	$(BIN)/python scripts/fit_memory.py --data "$(DATA)"

validate: $(STAMP) ## predict measured rows and say how far off: make validate DATA=FILE.csv
	@test -n "$(DATA)" || { echo "make validate DATA=FILE.csv: a table of measured rows"; exit 2; }
	$(BIN)/jevons validate "$(DATA)"

bench: $(STAMP) ## time the commands, cold and warm
	$(BIN)/python benchmarks/commands.py

golden: $(STAMP) ## write the kept outputs anew; look at the difference before you commit it
	$(BIN)/python -m pytest tests/golden --refresh-golden

lock: $(STAMP) ## resolve the newest versions into requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-header --no-annotate \
		--no-emit-index-url --extra dev --extra docs --extra web pyproject.toml --output-file $(LOCK)

test-lowest: ## the quick tests with the lowest versions that pyproject.toml allows, in an environment of its own
	test -x build/lowest/bin/python || $(PYTHON) -m venv build/lowest
	build/lowest/bin/python -m pip install --quiet --disable-pip-version-check uv
	build/lowest/bin/uv pip install --quiet --python build/lowest/bin/python --resolution lowest-direct -e '.[dev]'
	build/lowest/bin/python -m pytest -n $(JOBS) -m "not slow" --ignore tests/golden \
		-W ignore::DeprecationWarning -W ignore::PendingDeprecationWarning

dist: $(STAMP) ## build wheel and sdist into build/dist, the same bytes each time from the same commit
	$(BIN)/python scripts/build_release.py build/dist

fuzz: $(STAMP) ## throw damaged files and random options at every command
	$(BIN)/python scripts/fuzz.py

web: $(VENV)/.web-stamp ## open the planner page: Size, Buy·rent·API, Replay, Train, Plan, Compare, Facts
	$(BIN)/jevons web

warm: $(STAMP) ## compile the kernels once, so that the first command is quick
	$(BIN)/jevons simulate --model llama-3.1-8b --rate 2 --requests 200 >/dev/null
	$(BIN)/jevons simulate --model llama-3.1-8b --concurrency 2 --requests 200 >/dev/null
	$(BIN)/jevons simulate --model llama-3.1-8b --rate 2 --requests 200 --replicas 2 >/dev/null

$(STAMP): pyproject.toml $(wildcard $(LOCK))
	@$(PYTHON) -c 'import sys; sys.exit("jevons needs Python 3.11 or later; set PYTHON=...") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(wildcard $(LOCK)),-c $(LOCK)) -e '.[dev]'
	touch $(STAMP)

$(VENV)/.docs-stamp: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(wildcard $(LOCK)),-c $(LOCK)) -e '.[docs]'
	touch $@

$(VENV)/.web-stamp: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(wildcard $(LOCK)),-c $(LOCK)) -e '.[web]'
	touch $@

clean: ## remove what was built
	rm -rf $(VENV) build out .mypy_cache .pytest_cache .ruff_cache
