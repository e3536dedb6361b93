# Every target does its own set-up; `make` alone lists them.
#
# Needed: Python 3.11 or newer, make, git. Go is used if it is installed, and downloaded otherwise. Built control
# planes are kept in DNSALIAS_CACHE (by default dnsalias-operator in the user's cache folder), so that clones
# share them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# python3.11 where it runs and can make environments (version managers put dead names on PATH), else python3
PYTHON ?= $(shell python3.11 -c 'import ensurepip' 2>/dev/null && echo python3.11 || echo python3)
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
UV := build/uv/bin/uv
export UV_PROJECT_ENVIRONMENT := $(VENV)

.PHONY: bench help demo lab report test check equivalence quickstart crd chart torture audit dist release image sbom soak compare clean venv controlplane

help: ## list the targets
	@echo 'usage: make TARGET [ARGS="..."] [PYTHON=/path/to/python]'
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: venv controlplane ## the incident and its fix, on a real API server (ARGS=--keep: it keeps running)
	$(BIN)/python -m tools.demo $(ARGS)

lab: venv controlplane ## the same with traffic: real istiod, sidecars, DNS and TLS (needs root; Linux)
	$(BIN)/python -m tools.lab $(ARGS)

report: venv ## the incident as an HTML report, with pictures of it, in build/report (needs Chromium)
	$(BIN)/python -m tools.report

test: venv controlplane ## all tests, including those on the real API server (ARGS go to pytest)
	$(BIN)/pytest $(ARGS)

torture: venv controlplane ## the reliability tests in their long form (an hour and a half); writes docs/reliability.md
	$(BIN)/pytest --torture -m reliability -n 2 $(ARGS)
	$(BIN)/python -m tools.reliability

check: venv ## linters, types, import contracts, and quick tests without a cluster; under a minute
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto -m "not cluster and not browser and not slow" $(ARGS)

equivalence: venv controlplane ## aliases and repaired entries keep what callers had: real traffic; writes docs/equivalence.md
	$(BIN)/python -m tools.dataplane.equivalence $(ARGS)

bench: venv controlplane ## speed and scale beside a reference, about 15 minutes; writes build/bench (bench-NAME: one of them)
	$(BIN)/python -m benchmarks $(ARGS)

bench-%: venv controlplane
	$(BIN)/python -m benchmarks $* $(ARGS)

quickstart: venv controlplane ## run docs/quickstart.md on a real API server, and write its output into the page
	$(BIN)/python -m tools.quickstart

crd: venv ## generate crds/ and manifests/admission from the model
	@mkdir -p crds
	$(BIN)/dnsalias crd > build/crd.yaml
	mv build/crd.yaml crds/dnsaliases.dnsalias.io.yaml
	$(BIN)/dnsalias admission > build/admission.yaml
	mv build/admission.yaml manifests/admission/policy.yaml

chart: venv ## generate chart/ from manifests/, crds/ and the settings
	$(BIN)/python -m tools.chart.files

dist: venv ## build the wheel into dist/: the same source gives the same bytes
	@rm -rf dist
	@$(UV) build --quiet --wheel --out-dir dist --build-constraints requirements/build.txt --require-hashes
	@rm -f dist/.gitignore && sha256sum dist/*.whl

sbom: venv ## bill of materials of the image, from uv.lock, as CycloneDX: build/sbom.cdx.json
	@$(UV) export --quiet --locked --no-dev --format cyclonedx1.5 --preview-features sbom-export \
	  -o build/sbom.cdx.json >/dev/null && echo build/sbom.cdx.json

release: dist sbom ## everything that is published, but the image, in build/release, and a check of it; twice the same
	@$(BIN)/python -m tools.release dist/*.whl build/sbom.cdx.json build/release

audit: venv ## check what uv.lock pins for known vulnerabilities, with pip-audit; fails if it cannot check
	@$(UV) export --quiet --locked --no-emit-project --format requirements.txt -o build/locked.txt >/dev/null
	@$(UV) run --quiet --isolated --locked --only-group audit --no-python-downloads --python $(BIN)/python \
	  pip-audit --strict --disable-pip --require-hashes --requirement build/locked.txt $(ARGS) || { \
	  echo 'error: vulnerable, or not audited: "not found" means that the index has no advisories to give.' >&2; \
	  echo '       Ask another service: make audit ARGS="--vulnerability-service osv"' >&2; exit 1; }

image: ## build the container image, with docker, podman or buildah (IMAGE=name:tag, ENGINE=docker)
	@.ci/image

compare: venv controlplane ## found, missed and false by istioctl analyze, validate and dnsalias lint; writes docs/comparison.md
	$(BIN)/python -m tools.compare

soak: venv controlplane ## changes for MINUTES=60 at RATE=20 a second; measures memory, tasks, files and writes
	$(BIN)/python -m tools.soak --minutes $(or $(MINUTES),60) --rate $(or $(RATE),20) $(ARGS)

clean: ## remove what make built in this folder (control planes and Go's cache stay)
	rm -rf $(VENV) build dist .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find benchmarks operator tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

venv: $(VENV)/.locked ## the virtual environment, as uv.lock says
controlplane: venv ## build the control plane and Istio's tools, once for each pinned version
	@$(BIN)/python -m tools.controlplane build >/dev/null

# Runs again only if the lock or what it locks has changed. An existing environment is updated in place.
$(VENV)/.locked: uv.lock pyproject.toml $(UV)
	@test -x $(BIN)/python || $(UV) venv --quiet --python "$(PYTHON)" --no-python-downloads $(VENV)
	$(UV) sync --locked --no-python-downloads
	@touch $@

# A failing step removes the incomplete folder, so that the next run starts again.
$(UV): requirements/uv.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  found=$$("$(PYTHON)" --version 2>/dev/null | head -n 1); \
	  echo "error: Python 3.11 or newer is needed, and '$(PYTHON)' is $${found:-not there}." >&2; \
	  echo '       Install it, or name another one: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip' 2>/dev/null || { \
	  echo 'error: "$(PYTHON)" cannot make virtual environments (on Debian and Ubuntu: apt install python3-venv).' >&2; \
	  exit 1; }
	@echo 'installing the pinned uv into build/uv'
	@rm -rf build/uv && "$(PYTHON)" -m venv build/uv \
	  && build/uv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: \
	    --require-hashes -r requirements/uv.txt \
	  && touch $(UV) || { rm -rf build/uv; exit 1; }
