SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ON_POSTGRESQL := answers cards decisions kills main_path outages pausing
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

# Without byte code each process that a test starts compiles all it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test extended long torture bench check page screenshots lock upgrade clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 16

demo: $(VENV)/ready  ## the real bot between a simulated TGC and a local stand-in for Slack
	@$(BIN)/python -m bot demo

test: $(VENV)/ready-dev  ## the tests for every day, on every core
	$(BIN)/python -m pytest -n auto --maxschedchunk 1

extended: $(VENV)/ready-dev  ## the rest of what CI runs: rarer paths, processes, the page in chromium, PostgreSQL
	$(BIN)/python -m pytest -n auto --maxschedchunk 1 -m "extended and not long and not torture"

long: $(VENV)/ready-dev  ## those that take many seconds each
	$(BIN)/python -m pytest -n auto --maxschedchunk 1 -m "long and not torture"

torture: $(VENV)/ready-dev  ## kill and hang the bot, feed it nonsense, let it run for long, and play on PostgreSQL
	$(BIN)/python -m pytest -m "torture or long"
	$(BIN)/python -m pytest -n auto --hypothesis-profile thorough -m "not long and not torture" tests/bot tests/tgc tests/handlers
	$(BIN)/python -m pytest --database postgresql -m "" $(ON_POSTGRESQL:%=tests/scenarios/test_%.py)

bench: $(VENV)/ready-dev  ## measure what the bot costs, beside peers; see docs/performance.md
	$(BIN)/python -m benchmarks

check: $(VENV)/ready-dev  ## lint, format, types, import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

page:  ## build playground/static from playground/page, with Node 20 or newer
	cd playground/page && npm ci && npm run build

screenshots: $(VENV)/ready-dev  ## take the pictures in docs/ anew, with chromium
	$(BIN)/python -m tests.browser.screenshots

# Two environments in one folder: users get what the bot needs, developers the rest on top.
$(VENV)/ready: requirements/base.txt requirements/build.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here: install Python 3.11 or newer, or name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tintri-bot needs Python 3.11 or newer, and $(PYTHON) is older: name a newer one: make $(MAKECMDGOALS) PYTHON=python3.12")'
	@echo "Installing what the bot needs into $(VENV), which takes a minute ..."
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(INSTALL) --require-hashes -r requirements/base.txt
	@$(INSTALL) --require-hashes -r requirements/build.txt
	@$(INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/ready-dev: requirements/dev.txt $(VENV)/ready
	@echo "Installing what its tests need ..."
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

lock:  ## write requirements/*.txt for what pyproject.toml asks for, keeping the versions there are
	$(COMPILE) pyproject.toml --output-file requirements/base.txt
	$(COMPILE) --extra postgres --constraint requirements/base.txt pyproject.toml --output-file requirements/postgres.txt
	$(COMPILE) --extra postgres --extra dev --constraint requirements/base.txt pyproject.toml --output-file requirements/dev.txt
	printf 'hatchling\neditables\n' | $(COMPILE) --constraint requirements/base.txt - --output-file requirements/build.txt

upgrade:  ## the same with the newest versions
	$(MAKE) lock COMPILE="$(COMPILE) --upgrade"

clean:  ## remove the environment and what was built
	rm -rf $(VENV) build dist *.egg-info
