# Every target makes what it needs. `make help` lists them.
STACK ?= dev
SNAPSHOT ?= latest
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# On every processor there is; what shares running programs stays together (tests/conftest.py).
PYTEST := $(BIN)/python -m pytest -n auto --no-loadscope-reorder
# Those that failed, once more and alone (docs/adr/0118).
AGAIN := $(BIN)/python -m pytest --last-failed --last-failed-no-failures none
# Waivers and allowed types, where the project has some: docs/policy.md.
PACK := --policy-pack policy $(addprefix --policy-pack-config ,$(wildcard policy-config.json))

.DEFAULT_GOAL := help
.PHONY: help init doctor preview review deploy destroy orphans changes drift audit ssh rotate snapshots restore diagram picture report sbom \
	test test-engine test-real-engine test-interrupted test-slow test-host test-tools check \
	simulated up-simulated preview-simulated destroy-simulated \
	workflows lock vulnerabilities verify-images bench schema scale policy-state policy-coverage clean cli

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

# .venv is also where the Pulumi CLI looks (Pulumi.yaml), so `pulumi up` finds what `make` installed.
$(READY): requirements.lock
	@test -d .venv || $(PYTHON) -m venv .venv
	@echo "Installing the Python packages into .venv (once, about a minute) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $(READY)

# What only the real engine can do says so in one line where it is missing.
cli:
	@command -v pulumi >/dev/null || { echo "pulumi is not on PATH: https://www.pulumi.com/docs/install/" >&2; exit 1; }

init: $(READY) ## ask, and write the stack file of a new STACK (TARGET=local: without an account)
	@$(BIN)/python -m ops.init --stack $(STACK) --target $(or $(TARGET),cloud)

doctor: $(READY) ## is everything there for a deployment of STACK? Tools, tokens, permissions, stack file
	@$(BIN)/python -m ops.doctor --stack $(STACK)

preview: $(READY) ## what STACK would deploy, its exposure score, and whether it may be deployed
	@$(BIN)/python -m ops.preview --stack $(STACK) --engine

review: $(READY) ## what the working tree would change in STACK, compared with BASE (default origin/main), as Markdown
	@$(BIN)/python -m ops.review --stack $(STACK) --base $(or $(BASE),origin/main) $(if $(OUT),--out $(OUT))

deploy: cli $(READY) ## `pulumi up` of STACK with the policy pack; YES=1 asks nothing
	@pulumi up --stack $(STACK) $(PACK) $(if $(YES),--yes --non-interactive)

destroy: cli $(READY) ## a stack's end; its data stays, and a later `up` builds a server around it. YES=1 asks nothing
	@$(BIN)/python -m ops.destroy --stack $(STACK) $(if $(YES),--yes)

orphans: $(READY) ## what an interrupted `up` of STACK has made and Pulumi does not know; deleted on a word, or with YES=1
	@$(BIN)/python -m ops.orphans --stack $(STACK) $(if $(YES),--yes)

up-simulated preview-simulated destroy-simulated: $(READY)
	@$(BIN)/python -m ops.simulated --stack $(STACK) $(@:-simulated=)
up-simulated: ## `pulumi up` of STACK against simulated clouds on this machine: no account, no cost
preview-simulated: ## `pulumi preview` of the same
destroy-simulated: ## `pulumi destroy` of the same; what is protected stays

simulated: $(READY) ## RUN='make drift', or any command, on the simulated STACK; without RUN a shell
	@$(BIN)/python -m ops.simulated --stack $(STACK) run $(RUN)

drift: cli $(READY) ## is what STACK has deployed still what the program says? Exit code 1 where it is not
	@pulumi preview --stack $(STACK) $(PACK) --refresh --expect-no-changes --diff

audit: $(READY) ## look at what STACK has deployed, from outside and inside: exit code 1 on a failure; evidence in JSON
	@$(BIN)/python -m ops.audit --stack $(STACK) --json $(or $(JSON),build/audit-$(STACK).json) \
		$(if $(OUTPUTS),--outputs $(OUTPUTS)) $(if $(STRICT),--strict)

ssh: cli $(READY) ## a shell on the server of STACK, or RUN='docker ps' there; MACHINE=NAME of a Swarm
	@$(BIN)/python -m ops.ssh --stack $(STACK) $(if $(MACHINE),--machine $(MACHINE)) $(if $(RUN),-- '$(subst ','\'',$(RUN))')

rotate: $(READY) ## list the secrets of STACK, or make SECRET anew; YES=1 asks nothing
	@$(BIN)/python -m ops.rotate --stack $(STACK) $(if $(SECRET),--secret $(SECRET)) $(if $(YES),--yes)

diagram: $(READY) ## draw STACK into OUT (default build/diagram): layers, networks, who may talk to whom, what is public
	@$(BIN)/python -m ops.diagram --stack $(STACK) $(if $(OUT),--out $(OUT))

picture: $(READY) ## draw docs/img/dev.svg, which the README shows
	@$(BIN)/python -m ops.diagram --stack dev --svg docs/img/dev.svg

report: $(READY) ## one HTML page about STACK, in build/report: score, evidence, pictures, who reaches whom, rules, images
	@$(BIN)/python -m ops.report --stack $(STACK) $(if $(OUT),--out $(OUT))

sbom: $(READY) ## what STACK is made of, as CycloneDX in build/sbom.cdx.json, with licences
	@$(BIN)/python -m ops.sbom --stack $(STACK)

snapshots: $(READY) ## what of STACK can be restored
	@$(BIN)/python -m ops.restore --stack $(STACK) --list

restore: $(READY) ## put SNAPSHOT (latest) of STACK in the place of what is there; SERVICE=NAME: of one service only
	@$(BIN)/python -m ops.restore --stack $(STACK) --snapshot $(SNAPSHOT) $(if $(SERVICE),--service $(SERVICE)) $(if $(YES),--yes)

test: $(READY) ## all tests but the slow ones; those whose system program is missing are skipped by name
	@$(PYTEST) $(if $(CI),|| { [ $$? -eq 1 ] && $(AGAIN); })

test-engine: cli $(READY) ## the tests that need the Pulumi CLI, on simulated clouds; `make test` skips them where it is missing
	@$(BIN)/python -m pytest -m "engine and not exhaustive and not slow" tests/engine

test-real-engine: cli $(READY) ## the CLI and the Docker provider on Docker Engines of the test's own, a Swarm too (root, 15 minutes)
	@$(BIN)/python -m pytest -m "engine and slow" tests/engine

test-interrupted: cli $(READY) ## `up` that fails at each API call in turn, on the real engine in simulated clouds (hours)
	@$(BIN)/python -m pytest -m exhaustive tests/engine

test-slow: $(READY) ## alerts and audit on the whole running stack, and a Swarm of three Engines (root, 15 minutes)
	@$(BIN)/python -m pytest -m slow tests/live/docker
	@$(BIN)/python -m pytest -m slow tests/live/swarm

test-host: $(READY) ## of these only the rendered server on virtual machines, attacked from outside (root, 15 minutes)
	@$(PYTEST) -m machine tests/live/host

test-tools: ## install the system programs that tests run configuration on (Debian)
	@tests/install-tools.sh

check: $(READY) workflows ## formatting, lint, types, workflows, and that generated files are current
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy .
	@$(BIN)/python -m ops.schema --check
	@$(BIN)/python -m ops.reference --check
	@$(BIN)/python -m policy.coverage --check
	@$(BIN)/python -m ops.scale --check
	@$(BIN)/python -m ops.diagram --stack dev --svg docs/img/dev.svg --check
	@$(BIN)/python -m policy.source __main__.py deployment.py topology settings components

workflows: $(READY) ## lint .github with actionlint and zizmor
	@.ci/actionlint
	@$(BIN)/zizmor --offline --quiet .github

lock: $(READY) ## write requirements.lock, every package with its hashes, after a change to requirements*.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		requirements-dev.txt --output-file requirements.lock

vulnerabilities: $(READY) ## look up the locked packages' known vulnerabilities (needs pypi.org); fails where one could not be looked up
	@$(BIN)/uvx --quiet --from pip-audit==2.10.1 pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

verify-images: $(READY) ## is each image of STACK signed by whoever is known to sign it? STRICT=1 fails where nobody is
	@$(BIN)/python -m ops.images --stack $(STACK) $(if $(STRICT),--strict)

changes: $(READY) ## write docs/changes.md: what the real engine does about a change of each field (a quarter of an hour)
	@$(BIN)/python -m ops.changes

bench: $(READY) ## measurements, as ratios within one run
	@$(BIN)/python -m bench

schema: $(READY) ## write stack.schema.json, which editors use to complete and check stack files, and docs/settings.md
	@$(BIN)/python -m ops.schema
	@$(BIN)/python -m ops.reference

policy-state: cli $(READY) ## hold the policy pack against what STACK has deployed, reads and imports included
	@pulumi policy analyze --stack $(STACK) $(PACK)

scale: $(READY) ## write the table in docs/scale.md: what many machines are made of, and where it ends
	@$(BIN)/python -m ops.scale

policy-coverage: $(READY) ## write docs/policy-coverage.md from the rule table
	@$(BIN)/python -m policy.coverage

clean: ## remove what make made
	rm -rf .venv .cache build .pytest_cache .mypy_cache .ruff_cache .hypothesis
