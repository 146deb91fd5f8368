# One word per habit. Everything is set up on demand; nothing needs root, Docker, Node or a database server.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
TESTS  ?= tests
# Which sandbox `make demo` works on: hubspot or salesforce.
CRM    ?= hubspot
# Two cores, and processes that wait for servers: three workers keep both busy. Files stay whole, for what their tests
# share, and in their order: what takes longest comes first.
WORKERS ?= 3

.PHONY: help setup demo run test test-deep check check-sfdx lock schemas bench clean
help:            ## what there is
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

setup: $(READY)  ## create the environment (every other target does it on demand)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Tierwise needs Python 3.11 or newer, and $(PYTHON) is %d.%d: make PYTHON=python3.12 ..." % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

demo: $(READY)   ## the main job against the sandbox CRM, printed as the CRM now shows it
	@$(BIN)/tierwise demo --crm $(CRM) $(ARGS)

run: $(READY)    ## the same stack, kept running
	@$(BIN)/tierwise run --sandbox $(ARGS)

test: $(READY)   ## every test in its quick profile
	$(BIN)/python -m pytest $(TESTS) -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-deep: $(READY)  ## all seeds and counts
	TIERWISE_TEST_PROFILE=deep $(BIN)/python -m pytest $(TESTS) -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(READY)  ## lint, types, floors and doors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check-sfdx:      ## Salesforce's own converter over ops/salesforce (needs Node 20.18.1 and npm)
	cd ops/ci/sfdx && npm ci --loglevel=error && npm run --silent check

lock: $(READY)   ## renew requirements.lock for Python 3.11, 3.12 and 3.13
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra analysis --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --upgrade --quiet --output-file requirements.lock

schemas: $(READY)  ## renew rules/*.schema.json, which editors read
	$(BIN)/tierwise policy schemas .

bench: $(READY)  ## ratios measured in one run, as JSON
	$(BIN)/python tests/bench/run.py $(ARGS)

clean:           ## remove the environment and caches; an installation's own files (.tierwise) stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
