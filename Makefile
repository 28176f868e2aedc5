# Every target makes the clone ready first; when it is, that takes no time.
.DEFAULT_GOAL := help
.PHONY: image image-test help setup demo test conformance chaos check scan format bench drain secrets

# Demo, tests and bench see these variables and no others: no credential, no setting of the person's own Claude or AWS.
KEPT := PATH HOME USER LANG LC_ALL TERM COLUMNS TMPDIR TZ CI SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE
CLEAN := env -i $(foreach name,$(KEPT),$(if $(value $(name)),$(name)='$(value $(name))'))
BIN := .venv/bin

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 13

setup: ## Install what the project needs into .venv and .tools
	@scripts/setup

demo: setup ## Run everything on this machine, without any account
	@$(CLEAN) $(BIN)/alm demo

test: setup ## Run all tests but the attacks and the image
	$(CLEAN) scripts/run-tests

conformance: setup ## Play every attack on every wall and print the table
	@$(CLEAN) $(BIN)/pytest --quiet tests/conformance

chaos: setup ## Kill, lose and repeat at random until a promise breaks; SEED and SCHEDULES choose
	@$(CLEAN) $(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(SCHEDULES),--schedules $(SCHEDULES))

image: setup ## Build the worker image, localhost/alm-worker
	@scripts/container-host --build

image-test: setup ## Build the worker image and run it as Fargate and Lambda do
	@$(CLEAN) $(BIN)/pytest --quiet tests/image

check: setup ## Look at format, lint, types, template and lock file
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/shellcheck scripts/setup scripts/container-host scripts/run-tests .ci/run
	$(BIN)/hadolint infra/worker/Dockerfile
	.tools/uv/bin/uv lock --check --offline --quiet
	$(CLEAN) AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 $(BIN)/sam validate --lint
	$(BIN)/cfn-lint template.yaml infra/*.yaml
	$(CLEAN) $(BIN)/python -m alm.check_prompts
	$(CLEAN) $(BIN)/pytest --quiet tests/unit/test_architecture.py

# In an environment of its own: it wants an older boto3 than the application.
.tools/checkov/installed: infra/scan/requirements.txt | setup
	.tools/uv/bin/uv venv --quiet --clear --python $(BIN)/python .tools/checkov
	UV_SYSTEM_CERTS=$${UV_SYSTEM_CERTS:-true} .tools/uv/bin/uv pip sync --quiet --require-hashes \
		--python .tools/checkov/bin/python $<
	touch $@

scan: setup .tools/checkov/installed ## Look at the templates for what a security policy forbids
	$(CLEAN) .tools/checkov/bin/checkov --config-file infra/scan/checkov.yaml

format: setup ## Put the code into the house format
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: setup ## Compare the pipeline with a bare clone and a bare CLI
	@$(CLEAN) $(BIN)/python -m alm.bench

secrets: setup ## Measure what the secret scanner finds, on samples and packages from PyPI
	@$(CLEAN) $(BIN)/python -m alm.bench secrets

drain: setup ## Answer a thousand tickets, eight at once, and count those that are lost or doubled
	@$(CLEAN) $(BIN)/python -m alm.bench drain
