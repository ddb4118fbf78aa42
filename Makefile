# `make` alone prints the targets. Only `make test`, `make ci` and what says so need a NATS server.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.PHONY: help setup dependencies build brokers demo demo-nats test ci bench bench-full bench-peers flame plot lint format clean mutants nightly

# `make test TESTS=test/unit/x.test.ts` runs one file.
TESTS ?= $(shell find test -name '*.test.ts' -not -path 'test/nightly/*' | sort)
RUN := node --import tsx
RUN_TESTS := node --import tsx --import ./test/support/seed.ts --test --test-concurrency=2 --test-timeout=600000 --test-reporter=./ops/test/reporter.mjs

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: dependencies build ## install the dependencies and build dist/ (needs Node and npm)

# npm writes node_modules/.package-lock.json at the end of an installation.
dependencies:
	@if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then \
		echo "setup: npm ci"; npm ci --no-audit --no-fund && touch node_modules/.package-lock.json; \
	else echo "setup: node_modules is up to date"; fi

build: dependencies
	@node ops/setup/build.mjs --if-stale

brokers: ## find or install the NATS servers that the tests run on
	@ops/setup/brokers.sh

demo: setup ## exactly once through kill -9, embedded log, a few seconds (needs Node, npm, make)
	@$(RUN) ops/demo/main.ts

demo-nats: setup brokers ## the same on a real nats-server and three nodes, one of them killed
	@$(RUN) ops/demo/nats.ts

test: setup brokers ## all tests, set-up included; ends with the runner's counts
	@$(RUN_TESTS) $(TESTS)

# One seed a commit: the build can be repeated, and every commit tries other random cases.
ci: export MILLRACE_SEED ?= $(shell printf '%d' 0x$$(git rev-parse --short=7 HEAD 2>/dev/null || echo 1))
ci: lint test ## what continuous integration runs

lint: setup ## types, lint, format, dead code, the packed package
	npx tsc --noEmit -p tsconfig.json
	npx oxlint --type-aware --deny-warnings
	npx prettier --check --log-level warn .
	npx knip
	node ops/setup/complete-lock.mjs --check
	node ops/setup/check-package.mjs

format: dependencies ## write the format
	npx prettier --write --log-level warn .

bench: setup brokers ## the benchmarks in small sizes, JSON out; appends to ops/bench/history.jsonl
	@$(RUN) test/bench/main.ts --history ops/bench/history.jsonl

bench-full: setup brokers ## what takes minutes: 60 million rows through memory, latency at four rates
	@$(RUN) ops/bench/heap/main.ts --full
	@$(RUN) src/bench/main.ts latency --rate 1000,10000,50000,100000 --json

bench-peers: setup ## Flink, Spark and others beside ours: table of ratios (ARGS="--queries all --rounds 1"; Java, Maven, Python)
	@$(RUN) ops/bench/peers/main.ts $(ARGS)

plot: dependencies ## SVG plots of ops/bench/history.jsonl into ops/bench/plots/
	@$(RUN) ops/bench/plot.ts

flame: dependencies ## flame graphs of q0 and q5 and where their time goes (ARGS="--events 500000")
	@$(RUN) ops/bench/flame.ts $(ARGS)

mutants: setup brokers ## apply each mutant of the protocol's laws and see its named test fail
	@$(RUN) ops/mutants/main.ts

nightly: setup brokers ## what takes longer than continuous integration may
	@$(RUN_TESTS) $$(find test/nightly -name '*.test.ts' 2>/dev/null | sort)
	@$(MAKE) --no-print-directory mutants bench bench-full

clean: ## remove what was built and fetched
	rm -rf dist .dist-* .tools .millrace coverage node_modules
