SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory
BIN := .venv/bin

# Expanded before a recipe starts, so that a machine that lacks something gets one line and nothing else.
require = $(eval MISSING := $(shell sh tools/venv missing $(1)))$(if $(MISSING),$(error $(MISSING)))
runtime = $(call require,runtime)@sh tools/venv runtime
dev = $(call require,dev)@sh tools/venv dev

.PHONY: help up test test-models models check fix docs bench bench-quality soak hostile audit deploy-check container-check \
	container-base pdfjs previous lock clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile

up: ## Run everything on this machine (ARGS="--port 9000"); Ctrl-C ends it
	$(runtime)
	@exec $(BIN)/docrefinery up $(ARGS)

test: ## Run the tests (ARGS="-k webhook")
	$(dev)
	@exec $(BIN)/pytest -n logical --dist worksteal $(ARGS)

test-models: ## Run the tests of Docling's models, in a venv of their own
	$(call require,dev models)@VENV=.venv-models sh tools/venv dev models
	@exec .venv-models/bin/pytest tests/models -n logical --dist loadfile $(ARGS)

models: ## Install torch and download Docling's models
	$(call require,runtime models)@sh tools/venv runtime models
	@exec $(BIN)/docrefinery models download $(ARGS)

check: ## Lint, formatting, types, layers, and whether the lock fits pyproject.toml
	$(dev)
	@failed=; export PATH="$(CURDIR)/$(BIN):$$PATH"; \
	for check in "ruff check" "ruff format --check --output-format concise" mypy "lint-imports --no-logo" \
		"sh tools/venv uv pip check --quiet --python $(BIN)/python"; do \
		$$check || failed="$$failed\n  $$check"; \
	done; [ -z "$$failed" ] || { printf "failed:$$failed\n" >&2; exit 1; }

fix: ## Format, and repair what the linter can repair
	$(dev)
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

docs: ## Bring the tables of docs/ that come from the code up to date
	$(dev)
	@$(BIN)/python tools/reference.py

bench: ## Run the benchmarks (ARGS="folder of PDFs")
	$(dev)
	@exec $(BIN)/python -m bench $(ARGS)

bench-quality: ## Score the geometric engine against Docling's (ARGS="folder with pdfs/, ground-truth/ and score.py")
	$(dev)
	@exec $(BIN)/python -m bench.quality $(ARGS)

soak: ## Try faults at random against a real installation (MINUTES=10 SEED=1), or its memory (JOBS=1000)
	$(dev)
	@exec $(BIN)/python -m tests.soak $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED)) $(if $(JOBS),--jobs $(JOBS))

hostile: ## Convert hostile PDFs under the converter's limits, and print what became of each (ARGS=folder GENERATED=1)
	$(dev)
	@exec $(BIN)/python -m tests.hostile $(if $(GENERATED),--full) $(ARGS)

audit: ## Look the locked packages up among the known vulnerabilities (needs the network)
	$(dev)
	@$(BIN)/pip-audit --strict --disable-pip --no-deps --progress-spinner off --vulnerability-service osv \
		$(foreach lock,runtime dev deploy models otel,--requirement requirements/$(lock).txt)

DEPLOY = sh tools/venv uv venv --quiet --allow-existing .venv-deploy && \
	sh tools/venv uv pip sync --quiet --python .venv-deploy/bin/python --require-hashes requirements/deploy.txt

deploy-check: ## Hold compose.yaml and the Kubernetes manifests to Compose, kustomize and the schemas
	$(call require,)@$(DEPLOY)
	@.venv-deploy/bin/python -m tools.deployment

container-check: ## Build the image on a base of debootstrap's, and run all of it (needs root; ARGS="--target models")
	$(call require,)@$(DEPLOY)
	@exec .venv-deploy/bin/python -m tools.containers $(ARGS)

container-base: ## Print the base image with the digest that its tag has now (needs the registry; skopeo)
	@base=$$(sed -n 's/^ARG BASE=//p' Containerfile); \
	echo "$${base%:*}@$$(skopeo inspect --format '{{.Digest}}' docker://$$base)"

pdfjs: ## Fetch the console's pdf.js once more (needs npm and the network)
	$(dev)
	@exec $(BIN)/python tools/pdfjs.py

previous: ## At a release: keep its code, which the next one's schema has to serve (REV=HEAD)
	@git archive --format=tar $(or $(REV),HEAD) src/docrefinery | xz -9e >tests/data/previous-release.tar.xz

COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" sh tools/venv uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url $(if $(UPGRADE),--upgrade)

lock: ## Bring requirements/ up to date with pyproject.toml (UPGRADE=1 takes newer releases)
	$(call require,)@$(COMPILE) --group pyproject.toml:bootstrap --output-file requirements/bootstrap.txt
	@$(COMPILE) pyproject.toml --group build --output-file requirements/runtime.txt
	@$(COMPILE) pyproject.toml --group build --group dev --constraint requirements/runtime.txt --output-file requirements/dev.txt
	@$(COMPILE) --group pyproject.toml:deploy --constraint requirements/dev.txt --output-file requirements/deploy.txt
	@$(COMPILE) pyproject.toml --extra models --group build --constraint requirements/dev.txt --output-file requirements/models.txt
	@$(COMPILE) pyproject.toml --extra otel --group build --constraint requirements/dev.txt --output-file requirements/otel.txt
	@! grep -Hn '://' requirements/*.txt

clean: ## Remove .venv and every cache of the tools
	@rm -rf .venv .venv-deploy .venv-models .containers .uv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	@find src tests plugins examples -name __pycache__ -type d -prune -exec rm -rf {} +
