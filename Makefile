# make demo    from ndjson to a trained, evaluated, exported model that answers
# make test    the tests
# make serve   the page in a browser, with the model in the box
# All set up what they need first; a second time that takes seconds.

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

# Where there is no .venv, serving has one of its own, without what training needs.
SERVE_VENV := $(if $(wildcard $(VENV)/.ready),$(VENV),.venv-serve)
SERVE_FLAGS ?=
# make serve HOST=0.0.0.0 PORT=8080; some shells have a variable HOST of their own.
ADDRESS_FLAGS = $(if $(filter command,$(origin HOST)),--host=$(HOST)) \
  $(if $(filter command,$(origin PORT)),--port=$(PORT))

# What the model in the box is trained on; serve_export/pretrained/README.md has more.
QUICKDRAW_DIR ?= ../shared/quickdraw
BOX := serve_export/pretrained
# Half of the classes have under 50 drawings, and most of what it sees is in progress.
REGULAR := --dropout=0.4 --partial=0.3

.PHONY: setup demo serve pretrained test test-slow test-flink test-spark lint format clean

CHECK_PYTHON := $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
  { echo 'error: Python 3.11 or newer is needed; name it with PYTHON=…' >&2; exit 1; }

setup: $(VENV)/.ready

$(VENV)/.ready: setup.py constraints.txt
	@$(CHECK_PYTHON)
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

serve: $(SERVE_VENV)/.ready
	@$(SERVE_VENV)/bin/python -m serve_export.server $(ADDRESS_FLAGS) $(SERVE_FLAGS)

.venv-serve/.ready: requirements-serve.txt constraints.txt
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv .venv-serve
	.venv-serve/bin/pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --requirement requirements-serve.txt
	@touch $@

pretrained: setup
	@set -e; \
	drawings='$(or $(DATA),$(QUICKDRAW_DIR)/simplified/*.ndjson.gz)'; \
	$(BIN)/python -m pipeline.create_dataset --overwrite --input="$$drawings" \
	  --output_dir=demo/box/all_data; \
	$(BIN)/python train.py --data_dir=demo/box/all_data --workdir=demo/box/all \
	  $(REGULAR); \
	$(BIN)/python -m pipeline.create_dataset --overwrite --input="$$drawings" \
	  --output_dir=demo/box/data --classes_file=$(BOX)/classes.txt --max_per_class=200; \
	$(BIN)/python train.py --data_dir=demo/box/data --workdir=demo/box/run \
	  --init_from=demo/box/all --epochs=15 --learning_rate=1e-3 $(REGULAR) $(TRAIN_FLAGS); \
	$(BIN)/python -m serve_export.export --workdir=demo/box/run --formats=litert_int8,web \
	  --data_dir=demo/box/data --output_dir=$(BOX); \
	ls -d $(BOX)/[0-9]* | sort -V | sed '$$d' | xargs rm -rf

# Two at a time: much of the time they wait for processes and browsers.
test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile -m 'not slow and not flink and not spark'

test-slow: setup
	$(BIN)/python -m pytest -m slow

test-flink test-spark: test-%: setup build/%/job-server.jar
	$(BIN)/python -m pytest -m $* tests/pipeline/beam_job/engines_test.py

# Without Maven or its repository the tests are skipped and say so.
build/%/job-server.jar: tests/pipeline/beam_job/engines/%.pom.xml
	-mvn -q -B -f $< package && touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .venv-serve demo build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
