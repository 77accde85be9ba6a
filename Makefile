# Every verb of Kefu. `make run` and `make test` need only Python ≥ 3.11 and make on a fresh machine.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# Without what Python keeps of its compiling, each of its programs takes twice as long to start.
unexport PYTHONDONTWRITEBYTECODE

HOST ?= 127.0.0.1
PORT ?= 8000

RECENT := import sys; sys.exit(sys.version_info < (3, 11))
ifndef PYTHON
PYTHON := $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$name" -c '$(RECENT)' >/dev/null 2>&1 && command -v "$$name" && break; done)
endif

BIN := .venv/bin
# Our programs come first on the path of what a recipe starts.
WITH_TOOLS := env PATH="$(CURDIR)/.tools/bin:$(CURDIR)/$(BIN):$$PATH"

.PHONY: help run setup test lint fmt types openapi evals bench bench-lists bench-desk soak faults e2e clean

help: ## Show the verbs
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: setup ## Install, build, load the demo shop and serve it (HOST, PORT)
	@test -z "$$DATABASE_URL" || $(BIN)/kefu migrate
	@exec $(BIN)/kefu serve --demo --host "$(HOST)" --port "$(PORT)"

setup: ## Install everything from the locks into this folder and build the web apps (PYTHON)
	@test -n "$(PYTHON)" && "$(PYTHON)" -c '$(RECENT)' 2>/dev/null || { \
		echo 'Kefu needs Python 3.11 or newer; $(or $(PYTHON),python3) is not.' >&2; \
		echo '  → Install it (Debian, Ubuntu: apt-get install python3 python3-venv), or name one: make … PYTHON=/path/to/python3' >&2; \
		exit 1; }
	@"$(PYTHON)" scripts/setup.py

test: setup ## Check everything, the long checks beside the quick ones; installs Debian packages when it may
	@$(BIN)/python scripts/check.py

lint: setup ## Format, lint, import layers, types; Python and web
	@$(BIN)/python scripts/check.py lint

fmt: setup ## Format Python and mend what ruff and eslint can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(WITH_TOOLS) npx eslint web --fix

types: setup ## Check the types of Python and the web apps
	@$(BIN)/mypy
	@$(WITH_TOOLS) npm run check --workspaces --if-present --silent

openapi: setup ## Write web/api/openapi.json and the client's types from the service
	@$(BIN)/python scripts/openapi.py

evals: setup ## Ask the golden questions and write the report
	@$(BIN)/python -m evals.run
	@$(BIN)/python -m evals.analysis

bench: setup ## Measure the running service against a bare endpoint and write the report
	@$(BIN)/python -m bench

bench-lists: setup ## Measure lists and search with 100,000 sessions and 2 million messages on PostgreSQL
	@$(BIN)/python -m bench.lists

bench-desk: setup ## Measure the workbench in Chromium with 10,000 sessions and 5,000 messages in one
	@$(BIN)/python -m bench.desk

soak: setup ## Talk for half an hour, and see whether anything grows (bench/soak.md)
	@$(BIN)/python -m bench.soak

faults: setup ## Kill every process and break every wire of a cluster under load, and write the report
	@PYTHONPATH=tests $(BIN)/python -m faults.long

e2e: setup ## Drive the running product in a browser
	@$(BIN)/pytest e2e

clean: ## Remove what was installed and built; the data folder stays
	rm -rf .venv .tools .stamps node_modules web/*/node_modules src/kefu/static dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
