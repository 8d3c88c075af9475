"""The training loop of a run, from its first step or from the last checkpoint."""

import dataclasses
import itertools
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf
from tqdm import tqdm

from pipeline import cli
from rnn_model import input_pipeline, models
from rnn_model.checkpoints import CheckpointManager
from rnn_model.config import TrainConfig
from rnn_model.distributed import SINGLE_WORKER, Cluster
from rnn_model.evaluation import evaluator
from rnn_model.training import class_balance, distillation, resume
from rnn_model.training.graceful_stop import GracefulStop
from rnn_model.training.train_state import TrainState
from rnn_model.training.train_step import (
    Batch,
    TrainStep,
    make_train_step,
    run_train_step,
)
from rnn_model.workdir import History, Workdir
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

SAVE_SECONDS = 600
"""Interval between checkpoints within an epoch; a crash loses this much at most."""


class DivergedError(ValueError):
    """The loss is not finite."""


def train_and_evaluate(
    config: TrainConfig,
    data_dir: str,
    workdir_path: str,
    on_epoch_end: Callable[[History], None] | None = None,
    cluster: Cluster = SINGLE_WORKER,
) -> History:
    """Trains a model, and evaluates it on the validation split after each epoch.

    Training ends after `config.epochs`, or when the validation top-1 has not improved
    for `config.resolved_patience` epochs. A second call with the same workdir resumes
    where the first one stopped, and ends with the same weights as a single call.

    Args:
      config: the settings.
      data_dir: a data set with the splits train and validation.
      workdir_path: folder of the run; created if it does not exist.
      on_epoch_end: called with the history after each epoch but the last; an exception
        that it raises ends the call.
      cluster: the workers. All must make the same call and see the same files; the
        chief writes them.

    Returns:
      The metrics of each epoch.

    Raises:
      DivergedError: the loss is not finite.
      ValueError: the data set cannot be trained on, the workdir holds a run with other
        settings or classes, or the workers differ.
    """
    info = load_training_info(data_dir, config.model)
    workdir = Workdir(workdir_path)
    # A signal while the model is built stops the first epoch, which can be resumed.
    with GracefulStop() as stop:
        return _train(config, info, data_dir, workdir, on_epoch_end, cluster, stop)


def _train(
    config: TrainConfig,
    info: DatasetInfo,
    data_dir: str,
    workdir: Workdir,
    on_epoch_end: Callable[[History], None] | None,
    cluster: Cluster,
    stop: GracefulStop,
) -> History:
    """Builds or restores a run and trains it until a stop is requested."""
    config = resume.resolve_config(config, info, workdir, cluster)

    keras.utils.set_random_seed(config.seed)
    state = TrainState(config, info, cluster)
    with cluster.strategy.scope():
        teachers = distillation.load_teachers(config, info, data_dir)
    train_step = make_train_step(state, teachers)
    eval_model = _make_eval_model(state)
    logits_fn = evaluator.make_logits_fn(eval_model, info.kind)

    last = CheckpointManager(tf.train.Checkpoint(state=state), workdir.last, 2)
    best = CheckpointManager(tf.train.Checkpoint(model=state.model), workdir.best, 1)
    history = resume.restore_or_initialize(state, last, workdir)
    if is_finished(config, history):
        best_line = _describe_best(history)
        cluster.log(f"{workdir.path}: training has finished; best: {best_line}")
        return history

    def save() -> None:
        if cluster.is_chief:
            last.save(state.step)

    batches = iter(training_batches(state, data_dir))
    logs = _make_summary_writer(workdir, cluster)
    with _progress_bar(state) as bar:
        while not is_finished(config, history):
            num_steps = state.epoch_steps - state.step_in_epoch
            epoch_batches = itertools.islice(batches, num_steps)
            train_epoch(state, train_step, epoch_batches, bar, stop, save)
            if eval_model is not state.model:
                eval_model.set_weights(state.model.get_weights())
            history.append(_evaluate_epoch(state, logits_fn, data_dir))
            row = history[-1]
            if cluster.is_chief:
                if find_best(history) is row:
                    best.save(row["epoch"])
                workdir.write_history(history)
            save()
            _write_summary(logs, row)
            cluster.log(_describe_epoch(row, config))
            if on_epoch_end and not is_finished(config, history):
                on_epoch_end(history)
    cluster.log(f"best: {_describe_best(history)}")
    return history


def load_training_info(data_dir: str, model_name: str) -> DatasetInfo:
    """Loads the info of a data set and checks that a model can be trained on it.

    Args:
      data_dir: folder of the data set.
      model_name: of `config.MODELS`.

    Raises:
      ValueError: the data set is incomplete, lacks a split, or holds records that the
        model cannot read.
    """
    info = load_dataset_info(data_dir)
    models.check_input_kind(model_name, info.kind)
    for split in ("train", "validation"):
        if not info.split(split).examples:
            raise ValueError(f"{data_dir}: the split {split} is empty")
    return info


def training_batches(state: TrainState, data_dir: str) -> tf.data.Dataset:
    """Returns the batches from the state's position to the end of the last epoch."""
    config, cluster = state.config, state.cluster
    return input_pipeline.training_batches(
        state.info,
        data_dir,
        config.batch_size,
        seed=config.seed,
        epochs=range(int(state.epochs) + 1, config.epochs + 1),
        augment=config.augment,
        partial=config.partial,
        repeats=class_balance.compute_repeats(state.class_counts, config.balance),
        # Batch normalization needs batches with drawings of all lengths.
        sort_by_length=config.model not in ("rnn", "resnet"),
        skip=state.step_in_epoch,
        worker_rows=cluster.worker_rows if cluster.num_workers > 1 else None,
    )


def train_epoch(
    state: TrainState,
    train_step: TrainStep,
    batches: Iterator[Batch],
    bar: tqdm,
    stop: GracefulStop,
    save: Callable[[], None],
) -> None:
    """Trains to the end of the epoch.

    Args:
      state: is changed.
      train_step: made by `make_train_step`.
      batches: the rest of the epoch.
      bar: shows the drawings trained on.
      stop: ends the epoch when a stop is requested.
      save: saves a checkpoint; called every `SAVE_SECONDS`, and before a stop.

    Raises:
      DivergedError: the loss is not finite.
      KeyboardInterrupt: a stop was requested.
    """
    state.seed_dropout()
    seconds_before = float(state.seconds)
    start = last_save = time.monotonic()
    for batch in batches:
        loss, should_stop = run_train_step(train_step, batch, stop.requested)
        if not math.isfinite(loss):
            keys = ", ".join(key.decode() for key in batch["key_id"].numpy()[:3])
            raise _diverged("loss", loss, state, f", drawings {keys}, …")
        examples, now = int(batch["drawings"]), time.monotonic()
        state.add_batch(loss, examples, seconds_before + now - start)
        bar.update(examples)
        if should_stop or now - last_save > SAVE_SECONDS:
            save()
            last_save = time.monotonic()
        if should_stop:
            raise KeyboardInterrupt(
                f"stopped after {state.describe_position()}; run the same command "
                "again to resume"
            )


def _evaluate_epoch(
    state: TrainState, logits_fn: evaluator.LogitsFn, data_dir: str
) -> dict[str, Any]:
    """Evaluates on the validation split, and finishes the epoch.

    Returns:
      The metrics of the epoch, for `history.json`.
    """
    start = time.monotonic()
    batch_size, cluster = state.config.batch_size, state.cluster
    validation = evaluator.evaluate_split(
        logits_fn, state.info, data_dir, "validation", batch_size, cluster
    )
    if not math.isfinite(validation["loss"]):
        raise _diverged("validation loss", validation["loss"], state)
    loss, examples, seconds = state.finish_epoch()
    return {
        "epoch": int(state.epochs),
        "loss": loss,
        "validation_loss": validation["loss"],
        "validation_top1": validation["top1"],
        "validation_top3": validation["top3"],
        "drawings_per_second": examples / seconds,
        "seconds": seconds + time.monotonic() - start,
    }


def _make_eval_model(state: TrainState) -> keras.Model:
    """Returns a float32 model for evaluation: the same one, or a copy."""
    if state.config.precision == "float32":
        return state.model
    config = dataclasses.replace(state.config, precision="float32")
    return models.build_model(config, len(state.info.classes))


def find_best(history: History) -> dict[str, Any] | None:
    """Returns the first epoch with the best validation top-1, None without epochs."""
    return max(history, key=lambda row: row["validation_top1"], default=None)


def is_finished(config: TrainConfig, history: History) -> bool:
    """Returns whether training is complete or validation no longer improves."""
    best = find_best(history)
    waited = len(history) - best["epoch"] if best else 0
    return len(history) >= config.epochs or waited >= config.resolved_patience


def _diverged(
    name: str, value: float, state: TrainState, location: str = ""
) -> DivergedError:
    return DivergedError(
        f"the {name} is {value} at step {state.step} (epoch {int(state.epochs) + 1}"
        f"{location}). Try a smaller --learning_rate in a new --workdir"
    )


# --- Progress and logs ----------------------------------------------------------------


def _progress_bar(state: TrainState) -> tqdm:
    """Creates a progress bar that counts the drawings of all epochs."""
    return cli.progress(
        state.config.epochs * state.epoch_examples,
        state.config.model,
        done=int(state.epochs) * state.epoch_examples + int(state.examples),
        shown=state.cluster.is_chief,
    )


def _describe_epoch(row: dict[str, Any], config: TrainConfig) -> str:
    return (
        f"epoch {row['epoch']}/{config.epochs}  "
        f"loss {row['loss']:.4f}  "
        f"validation loss {row['validation_loss']:.4f}  "
        f"top-1 {row['validation_top1']:.4f}  "
        f"{row['drawings_per_second']:,.0f} drawings/s"
    )


def _describe_best(history: History) -> str:
    best = find_best(history)
    assert best is not None
    return f"validation top-1 {best['validation_top1']:.4f} in epoch {best['epoch']}"


def _make_summary_writer(
    workdir: Workdir, cluster: Cluster
) -> tf.summary.SummaryWriter:
    """Creates the writer of the TensorBoard logs; only the chief writes."""
    if cluster.is_chief:
        return tf.summary.create_file_writer(workdir.logs)
    return tf.summary.create_noop_writer()


def _write_summary(logs: tf.summary.SummaryWriter, row: dict[str, Any]) -> None:
    """Writes the metrics of an epoch for TensorBoard."""
    with logs.as_default(step=row["epoch"]):
        for name, value in row.items():
            if name != "epoch":
                tf.summary.scalar(name, value)
    logs.flush()
