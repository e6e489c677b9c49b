# Swerve's door. Needs Python 3.11+ and make; the live tests and the conformance suite also need Node and npm.
# Everything is installed from hash-pinned lock files into .venv and into node_modules beside each package.json.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
ARGS ?=
LOCK_TOOL := uv==0.13.9
COMPILE = $(BIN)/uv --quiet --no-config pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-strip-extras --custom-compile-command "make lock (ARGS=--upgrade takes newer versions)" $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help setup demo run test check core conformance bench format lock clean node named-origin

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.dev ## everything needed to work on Swerve, in .venv

demo: $(VENV)/.runtime ## run Swerve in front of its built-in demo origin
	@$(BIN)/swerve demo $(ARGS)

run: named-origin $(VENV)/.runtime ## run in front of ORIGIN=http://localhost:3000, with ARGS="--dialect standard"
	@$(BIN)/swerve "$(ORIGIN)" $(ARGS)

test: check node ## every test: the check, the core's coverage, the live ring, conformance
	$(BIN)/pytest tests/core --quiet --cov --cov-report=term
	$(BIN)/pytest tests/live -ra

check: setup ## format, lint, types, imports and the quick tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest tests --ignore=tests/live --quiet

# Without the plugins that tables do not need: they cost more than the tables.
core: setup ## the tables of the pure core alone, in under a second
	@$(BIN)/pytest tests/core --quiet $(addprefix -p no:,logging unraisableexception threadexception doctest pytest_cov hypothesispytest cacheprovider)

conformance: setup ## run the public HTTP cache suite and print the counts (ARGS="--id ID" for one, with its heads)
	@$(BIN)/python -m tests.live.conformance.run $(ARGS)

bench: setup ## measure Swerve beside nginx and Varnish (ARGS="--case hit-1k --rounds 3", --list for all)
	@$(BIN)/python -m bench $(ARGS)

format: setup ## rewrite the code as the check wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

node: setup ## what npm installs and builds for the live tests
	@$(BIN)/python -m tests.live.node

lock: | $(BIN)/python ## renew the lock files from pyproject.toml (ARGS=--upgrade takes newer versions)
	$(PIP) install '$(LOCK_TOOL)'
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) --group build -o requirements-build.lock
	$(COMPILE) pyproject.toml --group dev -c requirements.lock -c requirements-build.lock -o requirements-dev.lock
	$(COMPILE) tests/live/vendors/requirements.in -o tests/live/vendors/requirements.lock

clean: ## remove what was installed, built and cached
	rm -rf $(VENV) build dist .coverage htmlcov .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf tests/live/apps/*/node_modules tests/live/apps/*/.next tests/live/conformance/node_modules
	rm -rf tests/live/vendors/node_modules tests/live/vendors/.venv
	find app tests -name __pycache__ -prune -exec rm -rf {} +

named-origin:
	@test -n "$(ORIGIN)" || { \
		echo "Which origin? Say for example: make run ORIGIN=http://localhost:3000" >&2; exit 2; }

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Swerve needs Python 3.11 or newer: make PYTHON=python3.13" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# The build backend comes from a lock file too, so that the editable install fetches nothing that is not pinned.
$(VENV)/.runtime: pyproject.toml requirements.lock requirements-build.lock | $(BIN)/python
	$(PIP) install --require-hashes -r requirements.lock -r requirements-build.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml requirements-dev.lock | $(BIN)/python
	$(PIP) install --require-hashes -r requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.runtime
