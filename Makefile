# make demo — evaluate two tasks on two stacks and show the comparison
# make test — everything that CI checks
# make board — the board of what was measured here, or of the example reports
# make help — the other targets

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_BACKENDS := onnxruntime openvino
EXAMPLES := examples/store
CLAIMS := ../shared/data/bytemlperf
STORES ?= $(or $(wildcard accelbench-results),$(EXAMPLES))
WORKERS := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
PAGE := src/accelbench/board/assets/index.html

.DEFAULT_GOAL := help
PAGE_SOURCES := web/package-lock.json web/index.html web/style.css web/tools/build.mjs $(shell find web/src -type f)
.PHONY: help demo board page test test-all coverage lint unit backends clean

help:
	@echo 'make demo      evaluate two tasks on two stacks, print the comparison, write reports and a page'
	@echo 'make board     the board of the reports in accelbench-results (or STORES=...), else of the examples, in the folder board'
	@echo 'make page      the page of boards only, once; needs Node 20 or newer'
	@echo 'make test      everything that CI checks'
	@echo 'make test-all  the same and the slow tests, on every stack; run again, it goes on where it was ended'
	@echo 'make coverage  the tests of make test, and which lines they reach'
	@echo 'make lint      format, lint, types and the import contract only'
	@echo 'make unit      the quick tests only'
	@echo 'make backends  build the environments of the demo stacks'
	@echo 'make clean     remove .venv and the caches of the tools (not the reports)'

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'accelbench needs Python 3.11 or newer: make demo PYTHON=python3.12' >&2; exit 2; }
	@echo 'Making $(VENV) ...'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.user: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo 'Installing accelbench ...'
	@tools/quiet $(BIN)/python -m pip install --no-compile --require-hashes -r requirements.lock
	@tools/quiet $(BIN)/python -m pip install --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.user
	@echo 'Installing the development tools ...'
	@tools/quiet $(BIN)/python -m pip install --no-compile --require-hashes -r requirements-dev.lock
	@touch $@

backends: $(VENV)/.user
	@$(BIN)/accelbench backend install $(DEMO_BACKENDS)

demo: backends
	$(BIN)/accelbench run digits-cnn resnet50 -b onnxruntime -b openvino --precision fp32,bf16 --quick

page: $(PAGE)

$(PAGE): $(PAGE_SOURCES)
	@command -v npm >/dev/null && node -e 'process.exitCode = process.versions.node.split(".")[0] < 20 ? 1 : 0' 2>/dev/null || \
	  { echo 'The page of boards is built with Node 20 or newer and npm, which are not here (Debian 13: apt-get install nodejs npm). A wheel carries the page: pip install accelbench' >&2; exit 2; }
	@echo 'Building the page of boards ...'
	@tools/quiet npm ci --prefix web --no-audit --no-fund
	@node web/tools/build.mjs

$(EXAMPLES): $(wildcard examples/reports/*.zip) | $(VENV)/.user
	@rm -rf $@
	@echo 'Nothing was measured here yet: taking the reports of examples/reports ...'
	@tools/quiet $(BIN)/accelbench store add $@ examples/reports/*.zip
	@if test -d $(CLAIMS); then tools/quiet $(BIN)/accelbench import bytemlperf --store $@ $(CLAIMS); fi
	@touch $@

board: page $(VENV)/.user $(filter $(EXAMPLES),$(STORES))
	$(BIN)/accelbench board build $(STORES) -o board

lint: $(VENV)/.dev
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

unit: $(VENV)/.dev
	$(BIN)/pytest tests/unit

test: lint backends
	$(BIN)/pytest -m 'not slow' $(WORKERS) --durations=12

coverage: lint backends
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m 'not slow'
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --sort=cover

test-all: lint backends
	$(BIN)/pytest --resume -rs $(WORKERS) --durations=12

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*
