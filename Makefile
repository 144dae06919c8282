# make setup | demo | test | check | bench | browser | editor | kafka: each does all of its own set-up on a machine that has Python 3.11 or later.

PYTHON ?= python3
TOOLS := .tools
UV := $(shell command -v uv 2>/dev/null || echo $(TOOLS)/bin/uv)
READY := .venv/.ready
RUN := $(UV) run --frozen --no-sync

.PHONY: setup demo test check bench browser editor kafka clean

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
	$(RUN) pytest -n auto --dist loadfile
	$(RUN) forewarn rules check
	$(RUN) forewarn rules test --quiet

check: $(READY)
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy

bench: $(READY)
	$(RUN) python -m benchmarks.core

# A browser for the tests of pages: the machine's own, else Debian's where root may install it, else Playwright's.
CHROMIUMS := chromium chromium-browser google-chrome google-chrome-stable
APT := apt-get install --yes --quiet --no-install-recommends chromium fonts-dejavu-core fonts-noto-cjk
browser: $(READY)
	@for each in $(CHROMIUMS); do if command -v $$each; then exit 0; fi; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update --quiet && $(APT); then exit 0; fi; \
	$(RUN) playwright install chromium

# The language server that editors use for YAML, in the version of tests/editor, for the test of the rule schema.
NODE := apt-get install --yes --quiet --no-install-recommends nodejs npm
editor: tests/editor/node_modules/.ready

tests/editor/node_modules/.ready: tests/editor/package-lock.json
	@if command -v npm >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update --quiet && $(NODE); then exit 0; fi; \
	echo "make editor: expected npm, got none; install Node 18 or later"; exit 2
	npm ci --prefix tests/editor --no-audit --no-fund
	@touch $@

# Apache Kafka's own jars, in the version of tests/kafka, for the tests that need a real broker.
JAVA := apt-get install --yes --quiet --no-install-recommends default-jre-headless maven
kafka: tests/kafka/lib/.ready

tests/kafka/lib/.ready: tests/kafka/pom.xml
	@if command -v mvn >/dev/null && command -v java >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update --quiet && $(JAVA); then exit 0; fi; \
	echo "make kafka: expected Java 17 and Maven, got none; install them"; exit 2
	mvn --quiet --batch-mode -f tests/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory=lib
	@touch $@

clean:
	rm -rf .venv $(TOOLS) out tests/editor/node_modules tests/kafka/lib
