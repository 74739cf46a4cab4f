# gatekeeper: every target does its own set-up. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:
.NOTPARALLEL: # one .venv, one machine: `make -j` must not set up twice at once

BIN := .venv/bin
ARGS ?=
# Simulated engines need no vLLM: `make demo ARGS="--engine sim"`.
DEMO_SETUP := $(if $(filter sim --engine=sim,$(ARGS)),setup,setup-vllm)

.PHONY: help setup setup-vllm setup-bench services wheel demo test test-unit test-compiled test-all lint types imports check bench bench-decision \
  bench-gateway constraints clean distclean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

demo: $(DEMO_SETUP) ## release a good candidate, roll bad ones back, on real vLLM (ARGS=--all: every bad one)
	$(BIN)/gatekeeper demo $(ARGS)

test: setup-vllm services ## run every test, with real vLLM, PostgreSQL, Redis, RabbitMQ and Chromium
	bash .ci/test.sh all

test-unit: setup ## run the tests that need nothing but Python
	bash .ci/test.sh unit

test-compiled: wheel ## run the gateway's tests on the compiled wheel
	bash .ci/test.sh compiled

test-all: test ## run every test, the long ones, LiteLLM's SDK, npm's clients, guidellm and hey among them, then the demo's whole story
	bash .ci/test.sh long
	bash .ci/wheel.sh && bash .ci/test.sh compiled
	bash .ci/test.sh clients
	$(BIN)/gatekeeper demo --all

check: lint types imports test ## run everything that CI runs

lint: setup ## check style, file length, and that no host or machine path slipped in
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python .ci/tree.py
	bash -n .ci/run && bash -n .ci/setup.sh && bash -n .ci/services.sh && bash -n .ci/test.sh && bash -n .ci/wheel.sh

types: setup ## check types, strictly
	$(BIN)/mypy

imports: setup ## check that imports run down the floors only
	$(BIN)/lint-imports

bench: setup-vllm setup-bench ## run every benchmark
	@set -e; found=; for script in benchmarks/*/run.py; do \
	  [ -f "$$script" ] || continue; found=1; echo "$(BIN)/python $$script"; $(BIN)/python "$$script"; \
	done; [ -n "$$found" ] || echo "no benchmarks/*/run.py yet"

bench-decision: export OPENBLAS_NUM_THREADS := 1
bench-decision: export OMP_NUM_THREADS := 1
bench-decision: setup-bench ## measure the judge: its goals, and beside other rules on the same data
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/unit/benchmarks
	$(BIN)/python benchmarks/decision/run.py
	$(BIN)/python benchmarks/decision/goals.py

bench-gateway: setup-bench wheel ## measure the gateway beside nginx, LiteLLM and others (about 40 minutes, two idle cores)
	$(BIN)/python benchmarks/gateway/run.py
	$(BIN)/python benchmarks/gateway/soak.py
	$(BIN)/python benchmarks/gateway/isolation.py

wheel: setup ## build a wheel with the gateway's request path compiled, into dist/
	@bash .ci/wheel.sh

constraints: setup ## refresh the pins: the newest versions that fit together
	$(BIN)/python .ci/pins.py

setup: ## make .venv with everything but vLLM
	@bash .ci/setup.sh light

setup-vllm: ## make .venv with vLLM as well
	@bash .ci/setup.sh vllm

setup-bench: ## make .venv with what the benchmarks compare with
	@bash .ci/setup.sh bench

services: setup
	@bash .ci/services.sh

clean: ## remove what tools and builds left behind
	rm -rf dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## remove .venv and what the tests' services keep here too
	rm -rf .venv .cache
