# Every target sets up what it needs first: a virtual environment in .venv, from the hashed lock.
PYTHON ?= python3
BIN := .venv/bin
PIP_COMPILE = $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-trusted-host --no-header --no-annotate
BINDGEN = $(BIN)/wasmtime-attestation-bindgen
# CI runs the slow tests too; the weekly ones take an hour and are for `make weekly`.
SELECT = -m "not weekly$(if $(CI),, and not slow)"

.PHONY: demo test weekly lint format bench bindings guests toolchains setup lock docs site clean

demo: setup
	@$(BIN)/python guests/python/build.py
	@$(BIN)/python guests/cpp/build.py
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh guests/demo.sh

test: setup lint guests
	$(BIN)/pytest -n 2 $(SELECT) $(ARGS)

weekly: setup
	$(BIN)/pytest -n 2 -m weekly --timeout 7200 $(ARGS)
	$(BIN)/python -m tests.fuzz --seconds 600
	$(BIN)/python -m tests.fuzz --seconds 600 core-modules components

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	@$(MAKE) --no-print-directory bindings CHECK=--check

format: setup
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# One table, and docs/benchmarks.svg; ARGS=--quick for a look, ARGS="host-calls startup" for some.
bench: setup
	$(BIN)/python -m benchmarks $(ARGS)

# Regenerates everything that comes from the WIT; with CHECK=--check, says what is stale.
bindings: setup
	@$(BINDGEN) generate --wit wit --legacy $(CHECK) --rust guests/rust/attestation/src/bindings \
		--cpp guests/cpp/include --host host/wasmtime_attestation
	@$(BINDGEN) cpp --wit guests/cpp/wit $(CHECK) -o guests/cpp/generated

# Rust and Debian's compilers are installed as far as this machine lets us.
guests: setup toolchains
	@$(BIN)/python guests/python/build.py
	@$(BIN)/python guests/cpp/build.py
	@$(BIN)/python guests/rust/build.py

toolchains:
	@sh guests/toolchains.sh

docs: setup
	$(BIN)/python docs/generate.py

# The reference site, in build/site; a test builds it too, and takes no warning.
site: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs --quiet build --strict
	@echo "build/site/index.html"

setup: .venv/ready

.venv/ready: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 …" if sys.version_info < (3, 11) else 0)'
	@echo "setting up .venv (a minute or two of downloads the first time) …"
	@$(PYTHON) -m venv .venv || { apt-get install -y -qq python3-venv && $(PYTHON) -m venv .venv; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@# pip compiles what it installs, but not what stays here; compiling takes longer than generating.
	@$(BIN)/python -m compileall -q host bindgen
	@touch $@

lock: setup
	$(PIP_COMPILE) -o requirements.txt pyproject.toml
	$(PIP_COMPILE) -o requirements-dev.txt requirements-dev.in pyproject.toml

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
