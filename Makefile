# Every target sets up what it needs by itself; a second call does not install or compile again.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup data train test test-slow test-gpu lint bench clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
CONFIG ?= configs/thermal/retina_composite.py
WORK_DIR ?= work_dirs/$(basename $(notdir $(CONFIG)))
ARGS ?=
# Empty: the torch of the last call, at first a build without CUDA.
TORCH ?=
# Empty: as in the last call, at first lite. compiled: mmcv's own operators, needs a C++ compiler.
OPS ?=
export TORCH OPS

PY := $(VENV)/bin/python
# One process a core with one thread each: the tests' models are too small for more threads.
PYTEST := OMP_NUM_THREADS=1 "$(PY)" -m pytest -n auto --maxprocesses=8 --dist=worksteal

help: ## Show this list
	@echo "mmthermal: make TARGET [VARIABLE=value …]"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  CONFIG=$(CONFIG)   what train trains"
	@echo "  WORK_DIR=$(WORK_DIR)   where its results go"
	@echo "  ARGS='--resume --amp …'   further arguments of tools/train.py"
	@echo "  TORCH='torch==2.5.1 --index-url https://download.pytorch.org/whl/cu121'   for a GPU"
	@echo "  OPS=compiled   mmcv's compiled operators (lite: mmthermal's, the default)"
	@echo "  PYTHON=$(PYTHON)   3.10 or newer;  VENV=$(VENV)   the environment"

setup: ## Make the environment (.venv); two minutes the first time, eight with OPS=compiled
	@[ -n "$(PYTHON)" ] || { echo "No python3 found: install Python 3.11, or give PYTHON=…" >&2; exit 1; }
	@"$(PYTHON)" tools/setup_env.py --venv "$(VENV)"

data: setup ## Generate the embedded data set in data/synthetic
	@echo "data/synthetic: generated if it is not there, about half a minute"
	@"$(PY)" tools/make_synthetic.py --workers 2 --preview > "$(VENV)/synthetic.log"
	@tail -n 1 "$(VENV)/synthetic.log"

train: data ## Train on the embedded data set, draw detections, print a summary
	"$(PY)" tools/train.py "$(CONFIG)" --work-dir "$(WORK_DIR)" $(ARGS)
	best=$$(ls -t "$(WORK_DIR)"/best_*.pth 2>/dev/null | head -n 1); \
	"$(PY)" tools/test.py "$(WORK_DIR)/$(notdir $(CONFIG))" \
		"$${best:-$$(cat "$(WORK_DIR)/last_checkpoint")}" --work-dir "$(WORK_DIR)/test"
	@"$(PY)" tools/summarize_run.py "$(WORK_DIR)"

lint: setup ## Check style and types
	"$(PY)" -m ruff check .
	"$(PY)" -m ruff format --check .
	"$(PY)" -m mypy

test: lint ## Check style and types, run the tests that take seconds
	$(PYTEST) --junitxml=build/tests.xml

test-slow: setup ## Run the tests that take minutes
	$(PYTEST) -m slow --junitxml=build/tests-slow.xml

test-gpu: setup ## Run the tests that need a GPU, every config in three precisions among them
	"$(PY)" -m pytest -m gpu --junitxml=build/tests-gpu.xml

bench: setup ## Run the benchmarks
	@for script in benchmarks/*.py; do echo "== $$script"; "$(PY)" "$$script" || exit 1; done

clean: ## Remove the environment and caches; keeps work_dirs, data and ~/.cache/mmthermal
	rm -rf "$(VENV)" "$(VENV).lock" build .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
