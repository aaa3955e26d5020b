# `make help` lists the targets.
PYTHON ?= python3
BIN := .venv/bin
# One test process per core, so the numeric libraries must not start threads of their own.
TEST_ENV := OMP_NUM_THREADS=1 TRYON_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help install demo serve test test-fast test-long lint format docs clean

help: ## list all targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.installed ## create .venv and install the pinned versions

.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "error: $$($(PYTHON) --version) is not supported, expected Python 3.11 to 3.13. Run: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: install ## run the whole pipeline on synthetic data and print the summary
	@$(BIN)/python -m flows

serve: install ## start a Prefect server and serve the deployments until Ctrl-C; OPTIONS="--port 4300"
	@$(BIN)/python -m flows.serve $(OPTIONS)

test: install ## run the test suite
	$(TEST_ENV) $(BIN)/python -m pytest -n 2

test-fast: install ## run the tests without subprocesses, servers and full-size rendering (under a minute)
	$(TEST_ENV) $(BIN)/python -m pytest -n 2 -m 'not slow and not long'

test-long: install ## run the long tests: soak, fuzz, browser
	$(TEST_ENV) $(BIN)/python -m pytest -m long --timeout 1800

lint: install ## run ruff, basedpyright, import-linter and typos
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/typos

format: install ## sort imports and format with ruff
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: install ## build the documentation site into build/site; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

clean: ## remove the outputs of the stages (the DVC cache stays)
	rm -rf data/raw data/work data/index data/manifests data/subset data/pretrained data/checkpoints data/evaluation
