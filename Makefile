# make setup | demo | test | check | bench: each does all of its own set-up on a machine that has Python 3.11 or later.

PYTHON ?= python3
TOOLS := .tools
UV := $(shell command -v uv 2>/dev/null || echo $(TOOLS)/bin/uv)
READY := .venv/.ready
RUN := $(UV) run --frozen --no-sync

.PHONY: setup demo test check bench clean

setup: $(READY)

$(READY): pyproject.toml uv.lock | $(UV)
	$(UV) sync --frozen
	@touch $@

$(TOOLS)/bin/uv:
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet uv

demo: $(READY)
	$(RUN) forewarn demo

test: $(READY)
	$(RUN) pytest
	$(RUN) forewarn rules check
	$(RUN) forewarn rules test --quiet

check: $(READY)
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy

bench: $(READY)
	$(RUN) python -m benchmarks.core

clean:
	rm -rf .venv $(TOOLS) out
