# make demo, make test: all the set-up is done here, in .venv
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# what the tests of fine-tuning are run with; another version: make TORCH=torch==2.10.0 test
TORCH ?= torch==2.14.1 torchvision==0.29.1

# test files at work at a time; more need more memory, since each loads torch
JOBS ?= 2

.PHONY: demo test check bench clean

demo: $(VENV)/installed
	rm -rf demo
	$(BIN)/graticule demo --out demo

# the label store is tested on PostgreSQL too, and the review page in Chromium, where these are or may be installed; else
# those tests say why they skip
test: $(VENV)/dev-installed
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || \
		{ [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq postgresql >/dev/null; } || \
		echo "PostgreSQL is not installed: its tests are skipped"
	@command -v chromium chromium-browser >/dev/null 2>&1 || \
		{ [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || \
		echo "Chromium is not installed: the tests of the review page in a browser are skipped"
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

check: $(VENV)/dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_architecture.py

bench: $(VENV)/dev-installed
	$(BIN)/python benchmarks/run_all.py

# A virtual environment of a Python 3.11 or newer; on Debian and Ubuntu the packages that lack are installed where we may.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed; name it with: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq python3-venv; } || \
		{ echo "the module venv is missing; install it with: sudo apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/dev-installed: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,torch]' $(TORCH)
	@touch $@

clean:
	rm -rf $(VENV) demo
