# Everything a person types. `make help` lists it.
PYTHON ?= python3
BIN := .venv/bin
# Two cores: one test process each, so that the numeric libraries must not start threads of their own.
TEST_ENV := OMP_NUM_THREADS=1 TRYON_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help install demo serve test test-long lint format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.installed ## make .venv and install the pinned versions

.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed; name one with: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: install ## run the whole pipeline on the embedded default and show the headline table
	@$(BIN)/python -m flows

serve: install ## serve the deployments with a page to run them from, until Ctrl-C; OPTIONS="--port 4300" and others
	@$(BIN)/python -m flows.serve $(OPTIONS)

test: install ## run the test suite
	$(TEST_ENV) $(BIN)/python -m pytest -n 2

test-long: install ## run the long tests: soak, fuzz, browser
	$(TEST_ENV) $(BIN)/python -m pytest -m long --timeout 1800

lint: install ## ruff, format, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

format: install ## let ruff order imports and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what the stages wrote (the DVC cache stays)
	rm -rf data/raw data/work data/index data/manifests data/subset data/pretrained data/checkpoints data/evaluation
