# Every target sets up what it needs itself; nothing has to be installed by hand on Debian 12 and newer.

PYTHON ?= python3
BOARD ?= QEMU_MPS2_AN385
PORT ?=
VENV := .venv/bin/python
SETUP := $(PYTHON) -m host_tools.toolchain
PYTEST := $(VENV) -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup demo test hil soak bench lint flash clean distclean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## set up everything: Python environment, MicroPython, emulated board
	@$(SETUP) all

demo: ## run the firmware on the simulated sites, verify its records, write a report
	@$(SETUP) venv unix
	@$(VENV) -m host_tools demo

test: ## run every test: CPython, MicroPython's unix VM, emulated board; a process for each core
	@$(SETUP) all
	$(PYTEST) -n logical --maxprocesses 8 --dist loadfile

hil: ## run the tests with a board: BOARD=NAME PORT=/dev/ttyACM0 (no PORT: the emulated board)
	@$(SETUP) $(if $(PORT),venv,hil)
	EVENKEEL_BOARD=$(BOARD) EVENKEEL_PORT=$(PORT) $(PYTEST) tests/hil

soak: ## run the long campaigns at full count
	@$(SETUP) all
	EVENKEEL_SOAK=1 $(PYTEST) --timeout=0

bench: ## measure; prints a table and writes build/bench.json
	@$(SETUP) all
	@$(VENV) -m host_tools bench

lint: ## check style and the import rule
	@$(SETUP) venv
	$(VENV) -m ruff check .
	$(PYTEST) -q tests/test_layers.py

flash: ## put the firmware on a board: BOARD=NAME PORT=/dev/ttyACM0
	@$(SETUP) venv
	@$(VENV) -m host_tools flash --board $(BOARD) $(if $(PORT),--port $(PORT))

clean: ## remove what runs left in build/
	rm -rf build

distclean: clean ## remove everything downloaded or built too
	rm -rf .cache .venv
