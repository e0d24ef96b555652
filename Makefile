# `make demo` runs the whole loop, `make test` the tests. Both make .venv themselves and may be run again.
# PYTHON picks the interpreter: make demo PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/sh

.PHONY: demo test test-long check schema clean help

help:
	@echo "make demo    the whole loop: simulated teacher over HTTP, no key, no GPU; prints where the report is"
	@echo "make test    the tests, but for those that take longest (make test-long)"
	@echo "make check   lint, types, import floors, recipe schema"
	@echo "make clean   remove .venv, runs and caches"

demo: .venv/demo.stamp
	$(BIN)/reasonry run recipes/demo.toml --out runs/demo

test: .venv/dev.stamp
	$(BIN)/pytest -q -n 2 --dist loadfile -m "not long"

test-long: .venv/dev.stamp
	$(BIN)/pytest -q -n 2 --dist loadfile -m long

check: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/reasonry schema | diff - recipe.schema.json

schema: .venv/dev.stamp
	$(BIN)/reasonry schema > recipe.schema.json

# torch comes first and by its exact version: a range would let another package choose a much larger build.
.venv/base.stamp: Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Python 3.11 or newer is needed; name one with PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "error: python3 cannot make a virtual environment; on Debian or Ubuntu: apt install python3-venv"; exit 2; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@touch $@

.venv/demo.stamp: .venv/base.stamp pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[train]'
	@touch $@

.venv/dev.stamp: .venv/base.stamp pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[train,trl,hub,gym,ray,semantic,dev]'
	@touch $@ .venv/demo.stamp

clean:
	rm -rf .venv runs .pytest_cache .ruff_cache .hypothesis .import_linter_cache
