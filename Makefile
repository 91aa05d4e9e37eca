# Every target does its own set-up. All it makes lies in .cache/ and .venv-X.Y/ of this checkout.
PYTHON ?= python3
SEED ?= default
ONLY ?=
# Processes that run tests side by side; 0: in this one.
WORKERS ?= 3

# The interpreter itself: with HOME moved, a shim that looks it up there would find nothing.
INTERPRETER := $(shell $(PYTHON) -c 'import sys; print(sys.executable)')
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
VENV := .venv-$(VERSION)
BIN := $(CURDIR)/$(VENV)/bin
CACHE := $(CURDIR)/.cache
READY := $(VENV)/.ready
AZURITE := $(CACHE)/azurite/.ready
KUSTO := $(CACHE)/kusto/.ready
# rpy2 needs R: without R there is nothing to make, and the tests of R services are skipped. The app
# itself needs neither.
RPY2_VENV := $(CACHE)/r-services/venv-$(VERSION)
RPY2 := $(if $(shell command -v Rscript),$(RPY2_VENV)/.ready)

# Configuration of the user's package clients is kept; everything that would be written is not.
USER_PIP_CONFIG := $(firstword $(wildcard $(HOME)/.config/pip/pip.conf $(HOME)/.pip/pip.conf))
ifneq ($(USER_PIP_CONFIG),)
export PIP_CONFIG_FILE ?= $(USER_PIP_CONFIG)
endif
USER_NPM_CONFIG := $(firstword $(NPM_CONFIG_USERCONFIG) $(wildcard $(HOME)/.npmrc))
ifneq ($(USER_NPM_CONFIG),)
export npm_config_userconfig ?= $(USER_NPM_CONFIG)
endif
export HOME := $(CACHE)/home
export XDG_CACHE_HOME := $(CACHE)/xdg
export PIP_CACHE_DIR := $(CACHE)/pip
export npm_config_cache := $(CACHE)/npm
export TMPDIR := $(CACHE)/tmp
export PYTHONPYCACHEPREFIX := $(CACHE)/pycache
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run night serve services test check fix bench setup

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

# make itself exits 2 whenever a recipe fails, but 1 in question mode (-q) when a target is not up to
# date. A night that was seen and is not good is exactly that, so `make run` asks in question mode.
ifneq ($(filter run,$(MAKECMDGOALS)),)
MAKEFLAGS += -q
endif
run: night ## Watch one night: make run [SEED=troubled]; exits 0 succeeded, 1 not, 2 could not run
	$(if $(filter 1,$(shell cat $(CACHE)/run/status)),@false)
	+$(if $(filter-out 0 1,$(shell cat $(CACHE)/run/status)),@exit 2)
night:
	+@mkdir -p $(CACHE)/run && echo 2 > $(CACHE)/run/status
	+@MAKEFLAGS= $(MAKE) --no-print-directory PYTHON=$(or $(INTERPRETER),$(PYTHON)) setup
	+@$(BIN)/python -m local_host.night --seed $(SEED) --folder $(CACHE)/run; \
		echo $$? > $(CACHE)/run/status

serve: setup ## Run the app and the emulator until Ctrl-C
	@$(BIN)/python -m local_host.serve --seed $(SEED) --folder $(CACHE)/serve

services: setup $(RPY2) ## Train and serve the R services on loopback until Ctrl-C; exits 2 without R
	@$(BIN)/python -m r_services --folder $(CACHE)/r-services

test: setup $(RPY2) $(KUSTO) ## Run the tests (writes .cache/tests-X.Y.xml)
	@$(BIN)/python -m pytest -n $(WORKERS) --junitxml=$(CACHE)/tests-$(VERSION).xml -o cache_dir=$(CACHE)/pytest-$(VERSION) $(ARGS)

check: setup ## Format, lint and type check; changes nothing
	@$(BIN)/ruff format --check --cache-dir $(CACHE)/ruff .
	@$(BIN)/ruff check --cache-dir $(CACHE)/ruff .
	@$(BIN)/mypy --cache-dir $(CACHE)/mypy-$(VERSION) .

fix: setup ## Format, and fix what the linter can
	@$(BIN)/ruff format --cache-dir $(CACHE)/ruff .
	@$(BIN)/ruff check --fix --cache-dir $(CACHE)/ruff .

bench: setup ## Measure: make bench [ONLY=name]
	@$(BIN)/python -m benchmarks $(ONLY)

setup: $(READY) $(AZURITE)
	@:

$(READY): requirements.txt requirements-dev.txt
	@case "$(VERSION)" in 3.11|3.12|3.13) ;; *) echo "Python 3.11 to 3.13 is needed, and $(PYTHON) is $(or $(VERSION),not there): make PYTHON=/path/to/python3.13 ..."; exit 1;; esac
	@mkdir -p $(HOME) $(TMPDIR) $(XDG_CACHE_HOME)
	@echo "installing into $(VENV) (a minute or two, once)"
	@$(INTERPRETER) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	@touch $(READY)

$(AZURITE): local_host/azurite/package-lock.json | $(READY)
	@mkdir -p $(HOME) $(TMPDIR)
	@echo "installing Azurite into .cache/azurite (half a minute, once)"
	@$(BIN)/python -m local_host.node_packages local_host/azurite $(CACHE)/azurite
	@touch $(AZURITE)

$(KUSTO): tests/dashboards/kusto_language/package-lock.json | $(READY)
	@mkdir -p $(HOME) $(TMPDIR)
	@echo "installing the language service of Kusto into .cache/kusto (a moment, once)"
	@$(BIN)/python -m local_host.node_packages tests/dashboards/kusto_language $(CACHE)/kusto
	@touch $(KUSTO)

$(RPY2_VENV)/.ready: r_services/rpy2_svm/requirements.txt | $(READY)
	@echo "installing rpy2 into .cache/r-services (half a minute, once)"
	@$(INTERPRETER) -m venv $(RPY2_VENV)
	@$(RPY2_VENV)/bin/python -m pip install --quiet --requirement r_services/rpy2_svm/requirements.txt
	@touch $(RPY2_VENV)/.ready
