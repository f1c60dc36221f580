# The one door: `make help` lists what is behind it.

SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv
EMULATOR_VENV := .venv-emulator
SAM_VENV := .venv-sam
DYNOXIDE := @dynoxide/linux-x64@1.2.1
PIP := -m pip install -qq --disable-pip-version-check --require-hashes --only-binary :all: -r
COMPILE := $(VENV)/bin/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header

# A real 3.13: version managers put launchers on PATH that fail for a version they do not select.
FIND_PYTHON := for candidate in "$$PYTHON" python3.13 python3 "$$HOME"/.pyenv/versions/3.13*/bin/python3.13 \
	/usr/local/bin/python3.13 /opt/homebrew/bin/python3.13 /opt/python/*/bin/python3.13; do \
	[ -n "$$candidate" ] && "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))' \
	2>/dev/null && { echo "$$candidate"; break; }; done

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ── Setting up ───────────────────────────────────────────────────────────────────────────────────

.PHONY: setup
setup: $(VENV)/.ready $(EMULATOR_VENV)/.ready ## Install everything `serve` and `test` need

$(VENV)/.ready: tests/requirements.txt
	@echo "Installing Farebox's dependencies into $(VENV) …"
	@python="$$($(FIND_PYTHON))"; [ -n "$$python" ] || { \
	echo "Farebox needs Python 3.13 with venv. Install it, or set PYTHON=/path/to/python3.13." >&2; exit 1; }; \
	"$$python" -m venv $(VENV)
	@$(VENV)/bin/python $(PIP) tests/requirements.txt
	@touch $@

$(EMULATOR_VENV)/.ready: local/emulator-requirements.txt
	@echo "Installing the AWS emulator into $(EMULATOR_VENV) …"
	@python="$$($(FIND_PYTHON))"; [ -n "$$python" ] || { \
	echo "Farebox needs Python 3.13 with venv. Install it, or set PYTHON=/path/to/python3.13." >&2; exit 1; }; \
	"$$python" -m venv $(EMULATOR_VENV)
	@$(EMULATOR_VENV)/bin/python $(PIP) local/emulator-requirements.txt
	@touch $@

.PHONY: lock
lock: $(VENV)/.ready ## Compile the hashed locks anew from pyproject.toml and the *.in files
	@$(COMPILE) --output-file layers/dependencies/requirements.txt pyproject.toml
	@$(VENV)/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")' \
	| $(COMPILE) --constraint layers/dependencies/requirements.txt --output-file tests/requirements.txt pyproject.toml -
	@$(COMPILE) --output-file local/emulator-requirements.txt local/emulator-requirements.in
	@$(COMPILE) --output-file tests/aws/requirements.txt tests/aws/requirements.in

# ── Running ──────────────────────────────────────────────────────────────────────────────────────

.PHONY: serve
serve: setup ## Run everything on this machine (PORT, STATE_DIR, RELOAD=1, SANDBOX_LENIENT=1)
	@exec $(VENV)/bin/python -m local.serve

# ── Checking ─────────────────────────────────────────────────────────────────────────────────────

.PHONY: test
test: setup dynoxide lint ## Check everything that runs on this machine without Node, a browser or SAM
	@$(VENV)/bin/python -m pytest -q -n 2 --dist loadgroup -m "not long and not aws and not web" tests

.PHONY: dynoxide
dynoxide: $(EMULATOR_VENV)/.dynoxide

# A second DynamoDB engine, so that no test passes for the sake of one emulator's habits.
$(EMULATOR_VENV)/.dynoxide: $(EMULATOR_VENV)/.ready
	@if command -v npm >/dev/null 2>&1; then \
	echo "Installing dynoxide into .emulators …"; \
	npm install --silent --no-save --no-package-lock --no-audit --no-fund --prefix .emulators $(DYNOXIDE) \
	>/dev/null 2>&1 || echo "dynoxide is not to be had here: its share of the contract tests will be skipped."; \
	else echo "No npm: the dynoxide share of the contract tests will be skipped."; fi
	@touch $@

# `sam build` runs the python3.13 it finds first, and takes a version manager's launcher for broken.
# It asks for a region, and for no account.
SAM := PATH="$(CURDIR)/$(SAM_VENV)/bin:$$PATH" AWS_DEFAULT_REGION="$${AWS_DEFAULT_REGION:-eu-central-1}" \
	SAM_CLI_TELEMETRY=0 sam

$(SAM_VENV)/.ready: tests/aws/requirements.txt
	@echo "Installing the SAM command line into $(SAM_VENV) …"
	@python="$$($(FIND_PYTHON))"; [ -n "$$python" ] || { \
	echo "Farebox needs Python 3.13 with venv. Install it, or set PYTHON=/path/to/python3.13." >&2; exit 1; }; \
	"$$python" -m venv $(SAM_VENV)
	@$(SAM_VENV)/bin/python $(PIP) tests/aws/requirements.txt
	@touch $@

# Byte code goes with the modules: they lose their dates in the archive, so any that is checked
# against its source would count as stale, and every cold start would compile.
.PHONY: build
build: $(SAM_VENV)/.ready ## Build functions and layers for arm64, as `sam deploy` takes them
	@$(SAM) build
	@$(SAM_VENV)/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash .aws-sam/build

.PHONY: test-aws
test-aws: build ## Check the template as SAM translates it, and what was built from it
	@$(SAM) validate
	@$(SAM) validate --lint
	@$(SAM_VENV)/bin/python -m pytest -q -m aws --confcutdir tests/aws tests/aws

# The page in a browser, the clients of Node.
.PHONY: test-web
test-web: setup chromium tests/web/node_modules/.ready ## Check the page in Chromium, and the clients of Node
	@$(VENV)/bin/python -m pytest -q -m web tests/browser tests/web

.PHONY: chromium
chromium:
	@for name in chromium chromium-browser google-chrome; do \
	if command -v $$name >/dev/null 2>&1; then exit 0; fi; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	echo "Installing Chromium …"; \
	apt-get update -qq >/dev/null && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	else echo "test-web needs Chromium (chromium or google-chrome on PATH); install it and try again." >&2; exit 1; fi

tests/web/node_modules/.ready: tests/web/package.json
	@command -v npm >/dev/null 2>&1 || { echo "test-web needs Node 20 or newer, with npm; install it and try again." >&2; exit 1; }
	@echo "Installing the clients of Node into tests/web/node_modules …"
	@npm install --loglevel=error --no-package-lock --no-audit --no-fund --prefix tests/web >/dev/null
	@touch $@

.PHONY: lint
lint: $(VENV)/.ready ## Formatting, lint, types and the direction of imports
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/mypy --no-error-summary
	@PYTHONPATH=shared:. $(VENV)/bin/lint-imports >.lint-imports.log || { cat .lint-imports.log; exit 1; }

.PHONY: format
format: $(VENV)/.ready ## Format the code and mend what can be mended
	@$(VENV)/bin/ruff check --quiet --fix .
	@$(VENV)/bin/ruff format --quiet .

.PHONY: bench-chat
bench-chat: setup dynoxide ## Measure the CPU a chat request costs (BENCH=--variants, --at-once)
	@PYTHONPATH=shared:. $(VENV)/bin/python -m bench.chat $(BENCH)

.PHONY: bench-cold
bench-cold: setup ## Measure what every function's start costs (BENCH=--variants, --why)
	@PYTHONPATH=shared:. $(VENV)/bin/python -m bench.cold $(BENCH)

.PHONY: proof-long
proof-long: setup dynoxide ## The long profile: what takes minutes to an hour
	@$(VENV)/bin/python -m pytest -q -n 2 --dist loadgroup -m long tests

.PHONY: clean
clean: ## Remove what the targets installed and built; keeps .local
	@rm -rf $(VENV) $(EMULATOR_VENV) $(SAM_VENV) .emulators .aws-sam .mypy_cache .ruff_cache .pytest_cache \
	.import_linter_cache .lint-imports.log tests/web/node_modules build
