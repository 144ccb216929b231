# What a person does with this repository. Each target does its own set-up: it needs make, and
# python3 (3.11 or later) with venv.
.DEFAULT_GOAL := help
.NOTPARALLEL:
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TIERS := $(BIN)/python tools/tiers.py
COVERED ?= tests/unit tests/conformance  # what `make coverage` runs

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

.PHONY: demo
demo: $(VENV)/.run  ## the whole road on this machine, without any cloud; Ctrl-C ends it
	@$(BIN)/firstlight demo

.PHONY: check
check: $(VENV)/.test  ## the quick suite: style, types, borders, unit tests (seconds)
	@$(TIERS) check

.PHONY: test
test: system-offer $(VENV)/.test  ## everything a change must pass, with real servers
	@$(TIERS) all

.PHONY: test-large
test-large: system-offer $(VENV)/.test  ## all that follow, as far as they fit into MINUTES
	@$(TIERS) large $(MINUTES)

.PHONY: test-deployments
test-deployments: system-offer $(VENV)/.test  ## files as deployers write them, beside Nova's services
	@$(TIERS) deployments

.PHONY: test-systemd
test-systemd: system-offer $(VENV)/.test  ## the shipped units under a real systemd
	@$(TIERS) systemd

.PHONY: test-releases
test-releases: system-offer $(VENV)/.test  ## older Novas beside ours; an environment is built of each
	@$(TIERS) releases

.PHONY: test-empty-root
test-empty-root: system-offer $(VENV)/.test  ## demo, check and test in a Debian with nothing in it
	@$(TIERS) empty-root

.PHONY: soak
soak: system-offer $(VENV)/.test  ## the large counts
	@FIRSTLIGHT_SOAK=1 $(TIERS) all

.PHONY: bench
bench: system-offer $(VENV)/.test  ## side by side with the real peers, in one run
	@$(BIN)/python -m bench

.PHONY: coverage
coverage: $(VENV)/.test  ## branches that the unit and conformance tests take; nothing depends on it
	@mkdir -p .cache/coverage && $(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q $(COVERED)
	@$(BIN)/coverage combine --quiet && $(BIN)/coverage report

.PHONY: guest
guest:  ## dist/firstlight-guest.pyz, the tools inside the guest, and dist/elements for diskimage-builder
	@$(PYTHON) guest/make_zipapp.py

.PHONY: format
format: $(VENV)/.test  ## rewrite the sources as `make check` wants them
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: samples
samples: $(VENV)/.run  ## write the sample configuration files anew
	@$(BIN)/python tools/samples.py

.PHONY: lock
lock: $(VENV)/.test  ## resolve requirements/*.txt anew
	@tools/lock

.PHONY: system-deps
system-deps:  ## install, from Debian, the servers and clients that the tests use (root)
	@$(PYTHON) tools/system_deps.py

# As root on Debian: the same where a terminal, YES=1 or CI=true agrees. Elsewhere it says what is
# missing.
.PHONY: system-offer
system-offer:
	@$(PYTHON) tools/system_deps.py --offer

.PHONY: clean
clean:  ## remove the environment and all caches
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/.run: requirements/run.txt pyproject.toml dpm/pyproject.toml
	@tools/venv $(PYTHON) $(VENV) requirements/run.txt
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements/test.txt
	@tools/venv $(PYTHON) $(VENV) requirements/test.txt
	@touch $@
