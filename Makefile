# SPDX-License-Identifier: GPL-2.0-only
# Needs git, make, and Python 3.11 or later with its venv module. All else goes into .venv.

PY ?= python3
RUN := .venv/bin/python
READY := .venv/.ok
SITE_READY := .venv/.site
# A file stays with one process, the longest ones first: see tests/schedule.py.
PYTEST = $(RUN) -m pytest -q -n $(WORKERS) --maxprocesses 4 --dist loadfile
LAB_ARGS ?=
SEEDS ?= 1 2 3
SETS ?=
KERNELS ?=
BENCH ?=
WORKERS ?= auto
NOTEBOOK := notebooks/01_pool_or_pages.ipynb

.DEFAULT_GOAL := help
.PHONY: help python test-needs validate-needs lab test lint form types floors compiled validate kernel guest guest-matrix calibrate claims bench bench-ui figures examples site clean

help:
	@echo 'make lab        set up, then open JupyterLab on $(NOTEBOOK)'
	@echo 'make test       set up, then lint, form, types, floors and the quick tests (minutes)'
	@echo 'make validate   make test, then all other tests: theory, the twin, a running kernel (a quarter of an hour)'
	@echo 'make kernel     predictions next to the kernel recordings, drawn into output/; the headline of the README anew'
	@echo 'make guest      build the guest that measures (Debian packages; docs/kernel.md)'
	@echo 'make guest-matrix  take its data again, into output/ (a quarter of an hour; SETS=... SEEDS=...)'
	@echo '                 KERNELS="6.1 6.12 7.2 7.3": of both, for the kfree_rcu() of those kernels themselves'
	@echo 'make calibrate  the grace-period model, fitted again to its recordings'
	@echo 'make claims     the claims of the thread computed again, and docs/claims.md (minutes)'
	@echo 'make bench      how fast a run, a rare answer, a slider and an import are (minutes; BENCH=--record keeps it)'
	@echo 'make bench-ui   how soon a slider shows a right picture, in a real Chromium (4 minutes)'
	@echo 'make figures    draw the pictures of the README again'
	@echo 'make examples   make the drafts in docs/examples/ again (a minute)'
	@echo 'make site       notebooks, run, and documents as static pages in output/site (two minutes)'
	@echo 'make clean      remove .venv and all caches; output/ stays'
	@echo
	@echo 'PY=python3.12 chooses the Python; LAB_ARGS="--no-browser" goes to JupyterLab;'
	@echo 'WORKERS=8 is how many processes run tests.'

# Before anything long: is Python there, and new enough?
python:
	@command -v $(PY) >/dev/null || { \
	  echo "$(PY) is missing: install Python 3.11 or later (Debian: apt install python3 python3-venv)" >&2; exit 1; }
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PY) is older than Python 3.11, or does not start; name a newer one: make PY=python3.12 lab" >&2; exit 1; }
	@$(PY) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PY) has no venv module; on Debian: apt install python3-venv" >&2; exit 1; }

# What tests use besides Python; those that miss it are skipped, or with KRCSIM_NO_SKIP nothing is begun.
test-needs validate-needs: %-needs: python
	@$(PY) tests/needs.py $*

# Built from nothing whenever pyproject.toml changes: a dependency taken out is really gone.
$(READY): pyproject.toml | python
	@echo 'Setting up .venv: a minute or two, once.'
	@rm -f $@
	@$(PY) -m venv --clear .venv
	@$(RUN) -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

# What only the site needs, so that `make lab` does not wait for it.
$(SITE_READY): $(READY)
	@echo 'Adding what the site is made with.'
	@$(RUN) -m pip install -q --disable-pip-version-check -e '.[site]'
	@touch $@

# On loopback only, and the token stays: whoever reaches the port can run code.
# .jupyter/ switches off the news pop-up, which lies over the plot.
# The engine is compiled for this machine while JupyterLab comes up; what is there is left alone.
lab: $(READY)
	@$(RUN) -m krcsim.runs.compile </dev/null >/dev/null 2>&1 &
	JUPYTER_CONFIG_PATH='$(CURDIR)/.jupyter' $(RUN) -m jupyterlab --ServerApp.ip=127.0.0.1 \
	  --ServerApp.root_dir='$(CURDIR)' --LabApp.default_url=/lab/tree/$(NOTEBOOK) \
	  $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB_ARGS)

test: test-needs $(READY)
	$(MAKE) --no-print-directory -j2 compiled lint form types floors
	$(PYTEST) -m 'not slow'

lint: $(READY)
	$(RUN) -m ruff check .

form: $(READY)
	$(RUN) -m ruff format --check .

types: $(READY)
	$(RUN) -m mypy

floors: $(READY)
	.venv/bin/lint-imports

# Beside the checks of the source, each on a processor; without it each process of tests would wait.
compiled: $(READY)
	$(RUN) -m krcsim.runs.compile

# Everything: what `make test` left out, and properties again with ten times as many examples.
validate: validate-needs test $(SITE_READY)
	$(PYTEST) --hypothesis-profile full --durations=10 -m 'slow or hypothesis' validation tests

kernel: $(READY)
	mkdir -p output
	$(RUN) -m validation.kernel_runs --ablation --headline --out output/
	$(RUN) -m validation.newer_kernels

guest: $(READY)
	$(RUN) -m krcsim.guest $(if $(KERNELS),--kernel '$(KERNELS)') build

# KERNELS='6.12 7.3': those kernels' own kfree_rcu(), into a folder for each.
guest-matrix: $(READY)
ifeq ($(strip $(KERNELS)),)
	$(RUN) -m krcsim.guest.matrix --out output/kernel-runs --seeds $(SEEDS) -- $(SETS)
else
	$(RUN) -m krcsim.guest.mainline.matrix --out output --kernels '$(KERNELS)' --seeds $(SEEDS) -- $(SETS)
endif

calibrate: $(READY)
	$(RUN) -m validation.calibrate_gp

claims: $(READY)
	$(RUN) -m krcsim.claims

bench: $(READY)
	$(RUN) -m benchmarks $(BENCH)

bench-ui: $(READY)
	$(RUN) -m benchmarks.ui

figures: $(READY)
	$(RUN) -m benchmarks.figures

examples: $(READY)
	$(RUN) -m benchmarks.examples

site: $(SITE_READY)
	$(RUN) -m website

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -prune -exec rm -rf {} +
