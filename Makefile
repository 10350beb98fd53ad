# make demo   the tour on real data          make test-slow   the heavy statistics too
# make test   lint, types, layers and tests  make clean       remove what make made
# make bench-peers   dpsql beside SmartNoise, Qrlew, Tumult, plain DuckDB → docs/comparison.md (an hour)
# Needs make and Python >= 3.11 (PYTHON=... names another interpreter), and the network once.

VENV := .venv
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test test-slow lint bench-peers clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

demo: $(VENV)/.installed
	@$(BIN)/dpsql demo

test: lint
	$(BIN)/pytest -q -n 2 --dist loadfile --max-worker-restart 0

test-slow: lint
	$(BIN)/pytest -q -n 2 --dist loadfile --max-worker-restart 0 -m "slow or not slow" --hypothesis-profile=fresh

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

# Each peer gets an environment of its own; what cannot be installed is reported and left out.
bench-peers: $(VENV)/.installed
	$(BIN)/python benchmarks/peers/run.py --write

# The stamps are newer than pyproject.toml where its dependencies are installed.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "installing dpsql into $(VENV)" >&2
	@$(PIP) install -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo "installing dpsql and its development tools into $(VENV)" >&2
	@$(PIP) install -e '.[dev]'
	@touch $(VENV)/.installed $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "dpsql needs Python 3.11 or newer; name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit("dpsql needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV)

clean:
	rm -rf benchmarks/peers/.envs benchmarks/peers/.work
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find dpsql tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
