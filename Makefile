# make demo    from ndjson to a trained, evaluated, exported model that answers
# make test    the tests
# Both set up .venv first; a second time that takes seconds.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE := 1

# The demo's drawings: a sample made on the spot, or files of your own.
#   make demo DATA='drawings/*.ndjson.gz' CLASSES=classes.txt
DATA ?=
CLASSES ?=
DEMO ?= demo/$(if $(DATA),$(or $(basename $(notdir $(CLASSES))),data),sample)
# Empty: the defaults of train.py, which stop when validation no longer improves.
TRAIN_FLAGS ?=

.PHONY: setup demo test test-slow lint format clean

setup: $(VENV)/.ready

$(VENV)/.ready: setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'error: Python 3.11 or newer is needed; name it with PYTHON=…' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[test]'
	@touch $@

demo: setup
	@set -e; \
	$(if $(DATA),:,$(BIN)/python -m pipeline.sample --output_dir=$(DEMO)/drawings --per_class=300); \
	$(BIN)/python -m pipeline.create_dataset --overwrite --output_dir=$(DEMO)/data \
	  --input='$(or $(DATA),$(DEMO)/drawings/*.ndjson)' \
	  $(if $(CLASSES),--classes_file='$(CLASSES)'); \
	for model in mlp cnn rnn; do \
	  $(BIN)/python train.py --data_dir=$(DEMO)/data --workdir=$(DEMO)/runs/$$model \
	    --model=$$model $(TRAIN_FLAGS); \
	done; \
	$(BIN)/python -m serve_export.export --workdir=$(DEMO)/runs/rnn \
	  --output_dir=$(DEMO)/exports/rnn --data_dir=$(DEMO)/data \
	  $(if $(DATA),,--attribution='doodles drawn by pipeline.sample'); \
	echo; \
	$(BIN)/python -m serve_export.show --data_dir=$(DEMO)/data \
	  --export_dir=$(DEMO)/exports/rnn; \
	echo; \
	$(BIN)/python evaluate.py --data_dir=$(DEMO)/data --report_dir=$(DEMO)/report \
	  --workdir=$(DEMO)/runs/mlp,$(DEMO)/runs/cnn,$(DEMO)/runs/rnn; \
	echo; \
	echo 'To go on:'; \
	echo '  $(BIN)/tensorboard --logdir=$(DEMO)/runs'; \
	echo '  $(BIN)/python -m serve_export.predict --export_dir=$(DEMO)/exports/rnn --input=FILE.ndjson'; \
	echo '  $(BIN)/python -m serve_export.server --export_dir=$(DEMO)/exports/rnn'

test: setup
	$(BIN)/python -m pytest -m 'not slow'

test-slow: setup
	$(BIN)/python -m pytest -m slow

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) demo build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
