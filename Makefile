.DEFAULT_GOAL := help
.PHONY: help install dashboard run serve test chaos soak check audit fuzz docs wheel bench lock

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$p; break; }; done)
UV := .tools/bin/uv
SDK := tests/wire/typescript
SITE := src/clarion/dashboard/index.html
SITE_SOURCES := $(shell find dashboard/src -type f ! -name schema.d.ts) dashboard/index.html dashboard/package.json \
	dashboard/vite.config.ts dashboard/tsconfig.json $(wildcard src/clarion/api/*.py)
# Databases in memory, where there is room, don't wait for a disk; processes don't compile the source anew.
QUICK = PYTHONDONTWRITEBYTECODE= $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 2000000 { print "TMPDIR=/dev/shm" }')
NODE := PATH="$(CURDIR)/.venv/bin:$$PATH"
PIN := $(UV) pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --quiet
COMPILE := $(PIN) pyproject.toml --extra tracing

help: ## List the verbs
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  make %-9s %s\n", $$1, $$2}'

$(UV): requirements/tools.txt
	@test -n "$(PYTHON)" || { echo "Clarion needs Python 3.11 or newer on the PATH" >&2; exit 1; }
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --require-hashes -r requirements/tools.txt
	@touch $@

.venv/.installed: $(UV) requirements/dev.txt pyproject.toml
	$(UV) venv --quiet --allow-existing --python "$(PYTHON)" .venv
	$(UV) pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes requirements/dev.txt
	$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

install: .venv/.installed ## Prepare .venv with everything pinned

dashboard/node_modules/.installed: dashboard/package-lock.json | .venv/.installed
	cd dashboard && $(NODE) npm ci --no-audit --no-fund --silent
	@touch $@

$(SITE): $(SITE_SOURCES) dashboard/node_modules/.installed
	.venv/bin/clarion openapi > dashboard/openapi.json
	cd dashboard && $(NODE) npm run --silent build

dashboard: $(SITE) ## Build the dashboard into the package

wheel: $(SITE) ## Build the package, dashboard included, into dist
	$(UV) build --quiet --wheel --no-build-isolation --python .venv/bin/python --out-dir dist

run: $(SITE) ## Try Clarion against stand-ins of the providers; ARGS="..." goes to the demo
	.venv/bin/clarion demo $(ARGS)

serve: $(SITE) ## Run Clarion
	.venv/bin/clarion serve

$(SDK)/node_modules/.installed: $(SDK)/package-lock.json | .venv/.installed
	cd $(SDK) && PATH="$(CURDIR)/.venv/bin:$$PATH" npm ci --no-audit --no-fund --silent
	@touch $@

# Tests wait for servers, browsers and pauses for much of their time.
WORKERS = $(shell "$(PYTHON)" -c 'import os; print((os.cpu_count() or 1) * 3 // 2)')

test: $(SITE) $(SDK)/node_modules/.installed ## Run every test but the long ones, three workers on two cores; ARGS="-n 0 ..." in one process
	cd dashboard && $(NODE) npm test --silent
	$(QUICK) .venv/bin/python -m pytest -m "not soak" -n $(WORKERS) $(ARGS)

chaos: .venv/.installed ## Run the long tests: kills, faults and soaks; ARGS="..." goes to pytest
	.venv/bin/python -m pytest -m soak --timeout 0 $(ARGS)

MINUTES ?= 30
soak: .venv/.installed ## Run a steady load with faults for MINUTES (30); keeps what came of it in benchmarks/results
	.venv/bin/python benchmarks/soak.py --minutes $(MINUTES)

check: .venv/.installed ## Lint, check types and the import rule
	.venv/bin/ruff check src tests benchmarks .ci
	.venv/bin/ruff format --check src tests benchmarks .ci
	.venv/bin/mypy src tests benchmarks .ci/audit.py
	.venv/bin/python -m pytest -q tests/unit/test_imports.py

audit: .venv/.installed ## Look the pinned dependencies up among known vulnerabilities; needs the network
	.venv/bin/python .ci/audit.py $(ARGS)

.tools/fuzz/.installed: .venv/.installed requirements/fuzz.txt
	$(UV) pip install --quiet --python .venv/bin/python --target .tools/fuzz --require-hashes -r requirements/fuzz.txt
	@touch $@

SECONDS ?= 60
fuzz: .tools/fuzz/.installed ## Fuzz each parser of foreign bytes for SECONDS (60); ARGS="url csv" only those
	PYTHONPATH=.tools/fuzz .venv/bin/python tests/fuzz/run.py --seconds $(SECONDS) $(ARGS)

docs: .venv/.installed ## Build the documentation's site into build/site; any warning fails it
	NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build --strict --quiet

bench: $(SITE) ## Measure, on this machine
	.venv/bin/python benchmarks/journal_append.py
	.venv/bin/python benchmarks/accept.py
	.venv/bin/python benchmarks/broadcast.py
	.venv/bin/python benchmarks/singles.py
	.venv/bin/python benchmarks/latency.py
	.venv/bin/python benchmarks/timers.py
	.venv/bin/python benchmarks/sender.py
	.venv/bin/python benchmarks/decide.py
	.venv/bin/python benchmarks/send_cpu.py
	.venv/bin/python benchmarks/isolation.py
	.venv/bin/python benchmarks/compare.py
	.venv/bin/python benchmarks/growth.py
	.venv/bin/python benchmarks/pages.py
	.venv/bin/python benchmarks/dashboard.py

lock: $(UV) ## Pin the dependencies anew
	$(COMPILE) -o requirements/runtime.txt
	$(COMPILE) --group dev -o requirements/dev.txt
	$(PIN) requirements/fuzz.in -o requirements/fuzz.txt
