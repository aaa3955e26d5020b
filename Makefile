# Commands for development. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
# One test process per core, so numeric libraries must not start threads.
TEST_ENV := OMP_NUM_THREADS=1 TRYON_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help install demo serve test test-long lint format clean

help: ## list all targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.installed ## create .venv and install pinned versions

.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed; run: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: install ## run the pipeline and print the summary table
	@$(BIN)/python -m flows

serve: install ## serve deployments and Prefect's UI until Ctrl-C; options: OPTIONS="--port 4300"
	@$(BIN)/python -m flows.serve $(OPTIONS)

test: install ## run the test suite
	$(TEST_ENV) $(BIN)/python -m pytest -n 2

test-long: install ## run the long tests (soak, fuzz, browser)
	$(TEST_ENV) $(BIN)/python -m pytest -m long --timeout 1800

lint: install ## check style, formatting, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

format: install ## fix imports and formatting with ruff
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## delete the outputs of all stages, but not the DVC cache
	rm -rf data/raw data/work data/index data/manifests data/subset data/pretrained data/checkpoints data/evaluation
