# Every target makes what it needs. `make help` lists them.
STACK ?= dev
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help preview test test-host test-tools check bench schema policy-state policy-coverage clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# .venv is also where the Pulumi CLI looks (Pulumi.yaml), so `pulumi up` finds what `make` installed.
$(READY): requirements.txt requirements-dev.txt
	@test -d .venv || $(PYTHON) -m venv .venv
	@echo "Installing the Python packages into .venv (once, about a minute) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(READY)

preview: $(READY) ## what STACK would deploy, its exposure score, and whether it may be deployed
	@$(BIN)/python -m ops.preview --stack $(STACK) --engine

test: $(READY) ## all tests but test-host; those whose system program is missing are skipped by name
	@$(BIN)/python -m pytest

test-host: $(READY) ## the rendered server on virtual machines, attacked from outside (root, 10 to 20 minutes)
	@$(BIN)/python -m pytest -m machine tests/live/host

test-tools: ## install the system programs that tests run configuration on (Debian)
	@tests/install-tools.sh

check: $(READY) ## formatting, lint, types, and that generated files are current
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy .
	@$(BIN)/python -m ops.schema --check
	@$(BIN)/python -m policy.coverage --check
	@$(BIN)/python -m policy.source __main__.py deployment.py topology.py settings components

bench: $(READY) ## measurements, as ratios within one run
	@$(BIN)/python -m bench

schema: $(READY) ## write stack.schema.json, which editors use to complete and check stack files
	@$(BIN)/python -m ops.schema

policy-state: ## hold the policy pack against what STACK has deployed, reads and imports included
	@pulumi policy analyze --stack $(STACK) --policy-pack policy

policy-coverage: $(READY) ## write docs/policy-coverage.md from the rule table
	@$(BIN)/python -m policy.coverage

clean: ## remove what make made
	rm -rf .venv .cache build .pytest_cache .mypy_cache .ruff_cache .hypothesis
