# Everything there is to do with a checkout. `make help` lists it.

# Another interpreter for the virtual environment: make up PYTHON=/usr/bin/python3.13
PYTHON = python3
PY = .venv/bin/python
PIP = $(PY) -m pip --disable-pip-version-check --no-input --quiet

.PHONY: help up dev test check bench migrate openapi clean

help: ## This list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1 /p' Makefile | while read -r name text; do \
	  printf '  make %-9s %s\n' "$$name" "$$text"; done

up: .venv/.installed ## Start everything on this machine, run two sample jobs, keep serving (Ctrl-C ends it)
	@exec .venv/bin/opsconductor up

dev: .venv/.installed-dev ## The same with what every process logs, and the tools for working on the code
	@exec .venv/bin/opsconductor up --verbose

test: .venv/.installed-dev ## Every test, on this machine
	$(PY) -m pytest $(ARGS)

check: .venv/.installed-dev ## What a machine can check: lint, format, types, layering, generated files
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	@$(PY) -c "$$FRESH_OPENAPI" | diff -q docs/openapi.json - >/dev/null \
	  || { echo 'docs/openapi.json is not what the gateway serves. Run: make openapi' >&2; exit 1; }
	@$(PY) -m contracts.jobs.schema | diff -q docs/job.schema.json - >/dev/null \
	  || { echo 'docs/job.schema.json is not what the API accepts. Run: make openapi' >&2; exit 1; }
	@$(PY) -m infra.rabbitmq.definitions | diff -q infra/rabbitmq/definitions.json - >/dev/null \
	  || { echo 'infra/rabbitmq/definitions.json is not the topology. Run: make openapi' >&2; exit 1; }
	@echo 'Everything is in order.'

bench: .venv/.installed-dev ## Throughput and latency, as ratios to a baseline measured in the same run
	$(PY) -m tests.load $(ARGS)

migrate: .venv/.installed ## Bring the database and the broker to what this version needs
	@exec .venv/bin/opsconductor migrate

openapi: .venv/.installed-dev ## Write the generated descriptions of API, job definitions and topology anew
	$(PY) -m gateway.openapi
	$(PY) -m contracts.jobs.schema > docs/job.schema.json
	$(PY) -m infra.rabbitmq.definitions > infra/rabbitmq/definitions.json

clean: ## Remove the virtual environment and caches; data and logs stay
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

FRESH_OPENAPI = import sys; from gateway.app import routes_only; from gateway.openapi import document_of; sys.stdout.buffer.write(document_of(routes_only()))
export FRESH_OPENAPI

# Installed anew only when what is to be installed has changed.
.venv/.installed: requirements.lock pyproject.toml
	@$(MAKE_VENV)
	@echo 'Installing into .venv (only when something changed) …'
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

.venv/.installed-dev: requirements-dev.lock pyproject.toml
	@$(MAKE_VENV)
	@echo 'Installing into .venv, with the tools for working on the code …'
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --editable .
	@touch $@ .venv/.installed

MAKE_VENV = if ! .venv/bin/python -c '' 2>/dev/null; then \
	command -v '$(PYTHON)' >/dev/null \
	  || { echo 'There is no $(PYTHON). OpsConductor needs Python 3.11 or newer: make up PYTHON=/path/to/python3.11' >&2; exit 1; }; \
	'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "OpsConductor needs Python 3.11 or newer; $(PYTHON) is $$('$(PYTHON)' -V 2>&1). Name a newer one: make up PYTHON=/path/to/python3.11" >&2; exit 1; }; \
	rm -rf .venv; '$(PYTHON)' -m venv .venv \
	  || { rm -rf .venv; echo '$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }; \
	fi
