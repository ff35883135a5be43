# Every target sets up what it needs: an environment in .venv, servers from a cache outside the repository.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
PYTEST = $(BIN)/python -m pytest
# Tests mostly wait, so there are more workers than cores; the first begins with the real Airflow.
WORKERS ?= 3
PARALLEL = $(BIN)/python -m tests.services -- $(PYTEST) -n $(WORKERS) --max-worker-restart=2

.DEFAULT_GOAL := help
.PHONY: help env demo servers test unit proofs visibility mutants fuzz coverage lint types layers site docs format airflow32 bench wheel release lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

env: $(STAMP) ## make the environment from the lock file

$(STAMP): requirements.lock pyproject.toml .ci/environment
	@PYTHON="$(PYTHON)" sh .ci/environment "$(VENV)" requirements.lock
	@touch $(STAMP)

$(VENV)/.mysqlclient: $(STAMP) .ci/mysqlclient
	@sh .ci/mysqlclient "$(VENV)" requirements.lock
	@touch $@

demo: env ## a legacy shop, an embedded broker, two runs of a DAG; UI=1: the DAG in Airflow's user interface
	@$(BIN)/python -m airflow_legacy_events.cli.demo$(if $(UI), --ui)

servers: env $(VENV)/.mysqlclient ## the servers of the tests until Ctrl-C; prints the variables by which any pytest uses them
	@$(BIN)/python -m tests.services

test: env $(VENV)/.mysqlclient ## all tests, WORKERS=3 beside each other, against real servers that it starts itself
	$(PARALLEL)

unit: env $(VENV)/.mysqlclient ## the tests that need no server
	$(PYTEST) tests/unit tests/property/test_envelopes.py tests/property/test_facts.py tests/property/test_relay.py

proofs: env $(VENV)/.mysqlclient ## the long forms: every kill, 150 more of drains at random, 1,000 histories, 1 M rows, a stopped Airflow; goes on where it stopped
	LEGACY_EVENTS_TEST_PROFILE=long $(PARALLEL) -p tests.support.proofs --timeout=3600 $(or $(PROOFS),tests/contract tests/property tests/faults tests/integration \
	  tests/airflow tests/browser)

visibility: env $(VENV)/.mysqlclient ## the visibility machine: 100,000 steps a database; goes on where it stopped; SEED=... for other steps
	LEGACY_EVENTS_TEST_PROFILE=long LEGACY_EVENTS_TEST_PARTS=$(or $(PARTS),100) $(if $(SEED),LEGACY_EVENTS_TEST_SEED=$(SEED)) \
	  $(PARALLEL) -p tests.support.proofs --timeout=3600 tests/property/test_visibility.py

mutants: env $(VENV)/.mysqlclient ## each rule of the horizons, taken out of a copy of the tree, turns a test red; ONLY=word runs some
	$(BIN)/python -m tests.services -- $(BIN)/python -m tests.mutants $(if $(ONLY),--only $(ONLY))

fuzz: env $(VENV)/.mysqlclient ## ROWS=10000 random rows of every type of the databases, through the broker; SEED=... repeats a run
	LEGACY_EVENTS_TEST_ROWS=$(or $(ROWS),10000) $(if $(SEED),LEGACY_EVENTS_TEST_SEED=$(SEED)) \
	  $(PYTEST) -s tests/property/test_types_postgres.py \
	    tests/property/test_types_mariadb.py tests/property/test_types_sqlite.py tests/integration/test_binlog_types.py \
	    tests/property/test_types_sink.py tests/property/test_types_log_to_table.py

coverage: env $(VENV)/.mysqlclient ## line and branch coverage of core, sources and watermarks, at least 95 %
	$(PARALLEL) --cov --cov-report= tests/unit tests/contract tests/property tests/integration \
	  tests/airflow/test_stores.py tests/airflow/test_xcom_store.py
	$(BIN)/coverage report --fail-under=95 \
	  --include='airflow_legacy_events/core/*,airflow_legacy_events/sources/*,airflow_legacy_events/watermarks/*'

lint: env ## ruff
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: env $(VENV)/.mysqlclient ## mypy, strict
	$(BIN)/mypy

layers: env ## who may import whom
	$(BIN)/lint-imports

site: env ## the documentation as a website, in site/; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -q

docs: env ## the documentation at http://127.0.0.1:8000, built anew with each change
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

format: env ## let ruff write
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

airflow32: ## the wheel in Airflow 3.2: pip check, one run of each type; FULL=1: all tests of operators, stores and screens there
	@PYTHON="$(PYTHON)" bash .ci/airflow32
	@$(if $(FULL),.venv-airflow32/bin/python -m pytest --timeout=600 -m "not airflow33" $(or $(PROOFS),tests/airflow tests/browser))

bench: env $(VENV)/.mysqlclient ## the benchmark; ROUNDS=3 ROWS=1000000, MEMORY=1: memory of up to 5 M rows, OUTBOX=1: of drains, CHANGELOG=1: of change logs (ON=mariadb), HORIZON=1: of horizons, SINK=1: of the way back, PRICES=1: of single features
	$(BIN)/python -m tests.benchmarks$(if $(OUTBOX),.outbox)$(if $(CHANGELOG),.changelog)$(if $(HORIZON),.horizon)$(if $(SINK),.sink) --rounds $(or $(ROUNDS),3) \
	  --rows $(or $(ROWS),$(if $(OUTBOX),500000,$(if $(CHANGELOG),300000,$(if $(HORIZON),100000,1000000)))) $(if $(MEMORY),--memory) \
	  $(if $(LONG),--long) $(if $(PRICES),--prices) $(if $(ON),--on $(ON))

wheel: env ## dist/*.whl
	$(BIN)/python -m build --wheel --no-isolation

release: env ## VERSION=1.2.3: set the version, build and check wheel and sdist, commit, tag; uploads nothing
	@VENV="$(VENV)" bash .ci/release "$(VERSION)"

lock: ## write both lock files anew; needs uv
	uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --upgrade -q -o requirements.lock
	uv pip compile .ci/requirements-airflow-3.2.in --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --upgrade -q -o .ci/requirements-airflow-3.2.lock

clean: ## remove what was made here
	rm -rf $(VENV) .venv-airflow32 dist build site .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
