# make demo    from ndjson to a trained, evaluated, exported model that classifies drawings
# make test    the tests
# make serve   the web page in a browser, with the bundled model
# Each target installs what it needs first.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE := 1

# The drawings of the demo: synthetic doodles, or your own files.
#   make demo DATA='drawings/*.ndjson.gz' CLASSES=classes.txt
DATA ?=
CLASSES ?=
DEMO ?= demo/$(if $(DATA),$(or $(basename $(notdir $(CLASSES))),data),sample)
# Additional flags of train.py, such as --epochs=5.
TRAIN_FLAGS ?=
# On the synthetic doodles the baselines converge early: the cnn is best after about 12
# of its 40 epochs.
BASELINE_FLAGS := $(if $(DATA),,--epochs=20 --patience=4)

# Without a .venv, `make serve` installs a smaller environment of its own.
SERVE_VENV := $(if $(wildcard $(VENV)/.ready),$(VENV),.venv-serve)
SERVE_FLAGS ?=
# make serve HOST=0.0.0.0 PORT=8080; some shells have a variable HOST of their own.
ADDRESS_FLAGS = $(if $(filter command,$(origin HOST)),--host=$(HOST)) \
  $(if $(filter command,$(origin PORT)),--port=$(PORT))

# The bundled model and its training data; see serve_export/pretrained/README.md.
QUICKDRAW_DIR ?= ../shared/quickdraw
BUNDLED := serve_export/pretrained
BUNDLED_DATA = $(if $(DATA),$(DATA),$(QUICKDRAW_DIR)/simplified/*.ndjson.gz,$(QUICKDRAW_DIR)/more/*.ndjson.gz)
# More unfinished drawings than by default, for the page.
BUNDLED_FLAGS := --partial=0.4
DISTILLATION_FLAGS := --epochs=11 --learning_rate=1e-3 --dropout=0.1
# The drawings that the page shows as examples, all recognized by the game.
BUNDLED_EXAMPLES = $(QUICKDRAW_DIR)/more/*.ndjson.gz

.PHONY: setup demo serve pretrained test test-slow test-flink test-spark lint format clean

CHECK_PYTHON := $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
  { echo 'error: Python 3.11 or newer is needed; name it with PYTHON=…' >&2; exit 1; }

setup: $(VENV)/.ready

$(VENV)/.ready: setup.py constraints.txt
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv $(VENV)
	@echo 'Installing into $(VENV), which takes one to two minutes.'
	@{ $(BIN)/pip install --quiet --disable-pip-version-check \
	    --constraint constraints.txt uv && \
	  $(BIN)/uv pip install --python=$(BIN)/python \
	    --constraint=constraints.txt --editable '.[test]'; } || \
	$(BIN)/pip install --disable-pip-version-check \
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
	    --model=$$model $$([ $$model = rnn ] || echo $(BASELINE_FLAGS)) $(TRAIN_FLAGS); \
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
	echo 'Next steps:'; \
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
	$(BIN)/python -m pipeline.create_dataset --overwrite --input='$(BUNDLED_DATA)' \
	  --output_dir=demo/bundled/data
	$(if $(DATA),,$(BIN)/python -m pipeline.create_dataset --overwrite \
	  --input='$(BUNDLED_EXAMPLES)' --output_dir=demo/bundled/examples)
	$(BIN)/python train.py --data_dir=demo/bundled/data --workdir=demo/bundled/first \
	  --seed=1 $(BUNDLED_FLAGS) $(TRAIN_FLAGS)
	for seed in 1 2; do \
	  $(BIN)/python train.py --data_dir=demo/bundled/data \
	    --workdir=demo/bundled/teacher_$$seed --width=1.5 --epochs=14 --seed=$$seed \
	    $(BUNDLED_FLAGS) $(TRAIN_FLAGS) || exit; \
	done
	$(BIN)/python train.py --data_dir=demo/bundled/data --workdir=demo/bundled/second \
	  --init_from=demo/bundled/first --teachers=demo/bundled/teacher_1 --seed=1 \
	  $(DISTILLATION_FLAGS) $(BUNDLED_FLAGS) $(TRAIN_FLAGS)
	$(BIN)/python train.py --data_dir=demo/bundled/data --workdir=demo/bundled/run \
	  --init_from=demo/bundled/second \
	  --teachers=demo/bundled/teacher_1,demo/bundled/teacher_2 --seed=1 \
	  $(DISTILLATION_FLAGS) $(BUNDLED_FLAGS) $(TRAIN_FLAGS)
	$(BIN)/python -m serve_export.export --workdir=demo/bundled/run --formats=litert_int8,web \
	  --data_dir=demo/bundled/data \
	  --examples_data_dir=demo/bundled/$(if $(DATA),data,examples) \
	  --output_dir=$(BUNDLED)
	ls -d $(BUNDLED)/[0-9]* | sort -V | sed '$$d' | xargs rm -rf

# Two workers, because many tests wait for processes and browsers.
test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile -m 'not slow and not flink and not spark'

test-slow: setup
	$(BIN)/python -m pytest -m slow

test-flink test-spark: test-%: setup build/%/job-server.jar
	$(BIN)/python -m pytest -m $* tests/pipeline/beam_job/engines_test.py

# Without Maven the tests are skipped with a reason.
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
