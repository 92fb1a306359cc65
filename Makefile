PYTHON ?= python3
PYTEST_ARGS ?=
TEST_PROCESSES ?= 3
CLICKS ?= 200000
KILLS ?= 5
FAULTS ?= 300
OUTAGE ?= 600
SEEDS ?= 1000
JOBS ?= 2
KAFKA_PORT ?= 9092
SEED ?= 1
MINUTES ?= 60
RATE ?= 500
PLOT ?= .cache/soak.svg
ROUNDS ?= 3
CANDIDATES ?= all
SHAPES ?=
SAMPLE ?= 40
PACKAGES ?=
# Without CLICKS= the benchmark uses its own default.
BENCH_CLICKS = $(if $(filter file,$(origin CLICKS)),,--clicks $(CLICKS))
# Most tests wait more than they work, so the whole suite runs in several processes; a few tests are faster in one.
ALL_TESTS = --numprocesses=$(TEST_PROCESSES) --dist=loadgroup
BIN := .venv/bin
STAMP := .venv/.installed
COMPILED := $(shell find consumer edge runtime -name "*.pyx" -o -name "*.pxd" -o -name "*.h")
UV := .cache/uv
AXE := .cache/axe/package/axe.min.js
AXE_VERSION := 4.14.1
AXE_SHA256 := e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745
CHROMIUM = $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.DEFAULT_GOAL := help
.PHONY: help demo test install check format coverage bench bench-peers faults chaos soak planted-bugs mutants simulate sanitize lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install ## Show everything end to end on sample data
	$(BIN)/link-actions demo

test: install ## Run the tests; PYTEST_ARGS="-k name" narrows them
	$(BIN)/python -m pytest $(or $(PYTEST_ARGS),$(ALL_TESTS))

.PHONY: test-python
test-python: install ## Run the tests with Python instead of the compiled modules
	LINK_ACTIONS_IMPLEMENTATION=python $(BIN)/python -m pytest -m "not kafka" $(or $(PYTEST_ARGS),$(ALL_TESTS) tests/loop tests/demo)

install: $(STAMP) ## Set up .venv from requirements.lock, if it is not up to date

# --no-deps: the lock is complete, and older pips ignore a pin if a package requires an extra.
# compileall: pip compiles no bytecode for an editable install; with PYTHONDONTWRITEBYTECODE each start would compile again.
$(STAMP): requirements.lock pyproject.toml $(COMPILED)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "link-actions needs Python 3.11 or newer, and $(PYTHON) is older or missing." >&2; \
	  echo "Install a newer one and name it: make PYTHON=python3.13 $(or $(MAKECMDGOALS),install)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  echo "$(PYTHON) cannot make virtual environments: install its venv package (Debian, Ubuntu: python3-venv)." >&2; exit 1; }
	@echo "Setting up .venv in three steps, once. Together they take about a minute, longer on a slow connection."
	@echo "1 of 3: installing $$(grep -c '^[a-z].*==' requirements.lock) locked packages; nothing is shown meanwhile (30 s)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@echo "2 of 3: compiling the fast paths; without a C compiler their Python twins are used (15 s)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@echo "3 of 3: checking what was installed"
	@$(BIN)/python -m pip check --quiet --disable-pip-version-check
	@$(BIN)/python -m compileall -q actions cli consumer deploy edge runtime schemas scripts
	@touch $@

check: install ## Run the static checks: format, lint, types, imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## Format the code and apply automatic fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

coverage: install ## Run the tests and show the branches they miss
	$(BIN)/python -m pytest --cov --cov-report=term-missing $(or $(PYTEST_ARGS),$(ALL_TESTS))

.PHONY: kafka tour
kafka: install ## Run a Kafka for experiments at 127.0.0.1:9092 (KAFKA_PORT) until Ctrl-C
	@$(BIN)/python -m deploy.kafka $(KAFKA_PORT)

tour: install ## Run the commands of docs/tour.md and update their output
	$(BIN)/python -m tests.tour

bench: install ## Measure CPU per click, compared with the client library alone
	$(BIN)/python -m bench --rounds $(ROUNDS) --shapes "$(SHAPES)" $(BENCH_CLICKS)

bench-peers: install ## Compare with all CANDIDATES; SHAPES=all for every kind of traffic
	$(BIN)/python -m bench --rounds $(ROUNDS) --shapes "$(or $(SHAPES),one-action duplicates)" --candidates "$(CANDIDATES)" \
	  --markdown .cache/bench/tables.md $(BENCH_CLICKS)

.PHONY: bench-edge guard latency
bench-edge: install ## Measure an answered click, compared with a bare redirect and with other ways to keep it
	$(BIN)/python -m bench.edge --rounds $(ROUNDS)

guard: install ## Fail if a click costs more CPU than it did
	$(BIN)/python -m bench.guard

latency: install ## Measure update latency at a constant rate, compared with Kafka Streams
	$(BIN)/python -m bench.latency --rounds $(ROUNDS)

faults: install ## Kill two workers KILLS times each while CLICKS clicks flow, then verify the output
	$(BIN)/python -m tests.faults --clicks $(CLICKS) --kills $(KILLS) --seed $(SEED)

.PHONY: edge-kills edge-outage edge-disk edge-strangers
edge-kills: install ## Kill an edge KILLS times under load, count the clicks that come
	$(BIN)/python -m tests.edge_trials kills --kills $(KILLS)

edge-outage: install ## Freeze an edge's broker, take it away for OUTAGE seconds at 200 clicks/s, count the clicks that come
	$(BIN)/python -m tests.edge_trials outage --outage $(OUTAGE)

edge-disk: install ## Fill the disk of an edge, let it fail, damage a segment; needs root to mount disks
	$(BIN)/python -m tests.edge_trials disk

edge-strangers: install ## Attack an edge with slow clients and 5,000 idle connections, and with slowhttptest if it is there
	$(BIN)/python -m tests.edge_trials strangers --rate 100

chaos: install ## Inject FAULTS faults into workers and brokers while clicks flow, then verify the output
	$(BIN)/python -m tests.chaos --faults $(FAULTS) --seed $(SEED)

soak: install ## Run RATE clicks a second for MINUTES with faults; verify the output and that nothing grows
	$(BIN)/python -m tests.soak --minutes $(MINUTES) --rate $(RATE) --seed $(SEED) --plot $(PLOT)

planted-bugs: install ## Plant bugs in copies of the program and check that tests catch each
	$(BIN)/python -m tests.planted

mutants: install ## Try SAMPLE mutants of each of PACKAGES (default: all), chosen by SEED, and show which survive
	$(BIN)/python -m tests.mutants --sample $(SAMPLE) --seed $(SEED) --jobs $(JOBS) $(PACKAGES)

simulate: install ## Simulate several workers under faults, once per seed (SEEDS), in JOBS processes
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --jobs $(JOBS)

sanitize: install ## Run the compiled modules under AddressSanitizer and UndefinedBehaviorSanitizer
	$(BIN)/python -m tests.sanitized

.PHONY: browser
browser: install $(AXE) ## Check the pages in Chromium with axe-core, both installed if they are missing
	@test -n "$(CHROMIUM)" || \
	  $(if $(filter 0,$(shell id -u)),,sudo) apt-get install --yes --no-install-recommends chromium
	REQUIRE_BROWSER=1 $(BIN)/python -m pytest $(or $(PYTEST_ARGS),tests/edge/pages/test_in_chromium.py)

$(AXE):
	@mkdir -p .cache/axe
	@cd .cache/axe && npm pack --silent axe-core@$(AXE_VERSION)
	@cd .cache/axe && echo "$(AXE_SHA256)  axe-core-$(AXE_VERSION).tgz" | sha256sum --check --quiet
	@tar -xzf .cache/axe/axe-core-$(AXE_VERSION).tgz -C .cache/axe && touch $@

.PHONY: hostile-scripts script-kills
script-kills: install ## Kill both workers KILLS times while CLICKS clicks run scripts, compare the effects with another engine's
	$(BIN)/python -m tests.script_trials --clicks $(CLICKS) --kills $(KILLS) --seed $(SEED)

hostile-scripts: install ## Run hostile scripts in the sandbox and print how each ended
	$(BIN)/python -m tests.scripts.hostile

.PHONY: pins
pins: install ## Pin newly released schemas
	$(BIN)/python -m tests.schemas.pins

.PHONY: metrics
metrics: install ## Write docs/metrics.md from the catalogue of metrics
	$(BIN)/python -m tests.monitoring.metrics_page

lock: ## Resolve the dependencies again, the benchmark peers' too, into requirements.lock
	$(PYTHON) -m venv $(UV)
	$(UV)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(UV)/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" --extra dev --upgrade -o requirements.lock pyproject.toml
	$(UV)/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" --upgrade -o bench/peers/requirements.lock \
	  bench/peers/requirements.in

clean: ## Remove all generated files, .venv and .cache too
	rm -rf .venv .cache build dist *.egg-info .coverage htmlcov .hypothesis .import_linter_cache \
	  .mypy_cache .pytest_cache .ruff_cache $(patsubst %.pyx,%.c,$(filter %.pyx,$(COMPILED)))
	find consumer edge runtime -name "*.so" -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
