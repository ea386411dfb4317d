# Everything there is to do with a checkout. `make help` lists it.

# Another interpreter for the virtual environment: make up PYTHON=/usr/bin/python3.13
PYTHON = python3
PY = .venv/bin/python
PIP = $(PY) -m pip --disable-pip-version-check --no-input --quiet

.PHONY: help up dev test check bench migrate openapi docs web web-if-possible clean

help: ## This list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1 /p' Makefile | while read -r name text; do \
	  printf '  make %-9s %s\n' "$$name" "$$text"; done

up: .venv/.installed web-if-possible ## Start everything on this machine, run two sample jobs, keep serving (Ctrl-C ends it)
	@exec .venv/bin/opsconductor up

dev: .venv/.installed-dev web-if-possible ## The same with what every process logs, and the tools for working on the code
	@exec .venv/bin/opsconductor up --verbose

# Most tests wait most of the time, for processes, leases and connections: two of them share two processors well.
test: .venv/.installed-dev ## Every test, on this machine; or those that ARGS names
	$(PY) -m pytest $(if $(ARGS),$(ARGS),-n 2 --dist loadfile)

check: .venv/.installed-dev ## What a machine can check: lint, format, types, layering, generated files
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	@$(PY) -c "$$FRESH_OPENAPI" | diff -q docs/openapi.json - >/dev/null \
	  || { echo 'docs/openapi.json is not what the gateway serves. Run: make openapi' >&2; exit 1; }
	@$(PY) -m contracts.jobs.schema | diff -q docs/job.schema.json - >/dev/null \
	  || { echo 'docs/job.schema.json is not what the API accepts. Run: make openapi' >&2; exit 1; }
	@$(PY) -m contracts.causes.help.page | diff -q docs/causes.md - >/dev/null \
	  || { echo 'docs/causes.md is not what the causes say. Run: make openapi' >&2; exit 1; }
	@$(PY) -m infra.rabbitmq.definitions | diff -q infra/rabbitmq/definitions.json - >/dev/null \
	  || { echo 'infra/rabbitmq/definitions.json is not the topology. Run: make openapi' >&2; exit 1; }
	@if $(NODE_IS_THERE); then $(MAKE) --silent --no-print-directory web/node_modules/.installed && npm --prefix web run --silent check; \
	elif [ -n "$$OPS_REQUIRE_NODE" ]; then echo '$(NO_NODE)' >&2; exit 1; \
	else echo '$(NO_NODE)'; fi
	@$(PY) -m infra.settings_reference | diff -q docs/settings.md - >/dev/null \
	  || { echo 'docs/settings.md is not what the processes read. Run: make openapi' >&2; exit 1; }
	@COLUMNS=100 $(PY) -m cli.reference | diff -q docs/cli.md - >/dev/null \
	  || { echo 'docs/cli.md is not what the commands say. Run: make openapi' >&2; exit 1; }
	@echo 'Everything is in order.'

bench: .venv/.installed-dev ## Throughput and latency, as ratios to a baseline measured in the same run
	$(PY) -m tests.load $(ARGS)

migrate: .venv/.installed ## Bring the database and the broker to what this version needs
	@exec .venv/bin/opsconductor migrate

openapi: .venv/.installed-dev ## Write the generated descriptions of API, jobs, topology, settings and commands anew
	$(PY) -m gateway.openapi
	$(PY) -m contracts.jobs.schema > docs/job.schema.json
	$(PY) -m contracts.causes.help.page > docs/causes.md
	$(PY) -m infra.rabbitmq.definitions > infra/rabbitmq/definitions.json
	$(PY) -m infra.settings_reference > docs/settings.md
	$(PY) -m cli.reference > docs/cli.md

docs: .venv/.installed-dev ## Build the documentation into site/, without a network
	.venv/bin/zensical build --clean --config-file mkdocs.yml

web: web/dist/.built ## Build the web client (needs Node 20.19 or newer)

# A start never fails for the client's sake: the API and the command line do without it.
web-if-possible:
	@if $(NODE_IS_THERE); then \
	  $(MAKE) --silent --no-print-directory web/dist/.built || echo 'The web client could not be built; going on without it.' >&2; \
	else echo '$(NO_NODE)'; fi

clean: ## Remove the virtual environment and caches; data and logs stay
	rm -rf web/node_modules web/dist
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

FRESH_OPENAPI = import sys; from gateway.app import routes_only; from gateway.openapi import document_of; sys.stdout.buffer.write(document_of(routes_only()))
export FRESH_OPENAPI

NODE_IS_THERE = node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
NO_NODE = The web client is left out: it needs Node 20.19 or newer.

web/node_modules/.installed: web/package.json web/package-lock.json web/.npmrc
	@echo 'Installing what the web client is made of (only when something changed) …'
	@npm --prefix web ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

web/dist/.built: web/node_modules/.installed web/index.html web/vite.config.ts $(shell find web/src web/public web/scripts -type f 2>/dev/null)
	@echo 'Building the web client (only when something changed) …'
	@npm --prefix web run --silent build
	@touch $@

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
