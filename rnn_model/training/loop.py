"""The training loop: a run from its first step, or on from where it stopped."""

import dataclasses
import functools
import itertools
import math
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from pipeline import cli
from rnn_model import checkpoints, input_pipeline, models
from rnn_model.config import TrainConfig
from rnn_model.distributed import ALONE, Cluster
from rnn_model.evaluation import evaluator
from rnn_model.training import (
    class_balance,
    graceful_stop,
    precision,
    train_step,
    warm_start,
)
from rnn_model.training.data_position import Position
from rnn_model.workdir import Workdir
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

SAVE_SECONDS = 600
"""So much training may be lost by a crash in the middle of an epoch."""


History = list[dict[str, Any]]
"""A dict per epoch, as `_Run._close_epoch` gives it."""


class Diverged(ValueError):
    """The loss is no longer a finite number."""


def train(
    config: TrainConfig,
    data_dir: str,
    workdir_path: str,
    on_epoch: Callable[[History], None] = lambda history: None,
    cluster: Cluster = ALONE,
) -> None:
    """Trains until validation stops improving, or for `config.epochs`.

    A second call with the same workdir goes on where the first stopped, and ends with
    the same weights as if it had not.

    Args:
      config: the settings.
      data_dir: a data set with the splits train and validation.
      workdir_path: where the run is kept; made if it is not there.
      on_epoch: is given the history after each epoch but the last; what it raises
        ends the call.
      cluster: who trains. All workers must call, with the same arguments, and see the
        same files; the chief writes them.

    Raises:
      Diverged: the loss is not finite.
      ValueError: the workdir holds a run of other settings or classes, the workers do
        not agree, or see `load_info`.
    """
    info = load_info(data_dir, config.model)
    workdir = Workdir(workdir_path)
    started = workdir.exists()
    cluster.require_same(
        flags=_checksum(config.to_json()),
        data_dir=_checksum(info.to_json()),
        workdir=started,
    )
    if started:
        _compare(workdir, config, info)
        # Also on another machine.
        config = dataclasses.replace(config, precision=workdir.config().precision)
    keras.utils.set_random_seed(config.seed)
    run = _Run(config, info, workdir, cluster)
    run.begin()
    if run.is_over():
        run.tell(f"{workdir_path}: training is over; best {run.best_line()}")
        return
    run.train(data_dir, on_epoch)


def load_info(data_dir: str, model: str) -> DatasetInfo:
    """Loads the info of a data set that the model of that name can be trained on.

    Raises:
      ValueError: it is not whole, lacks a split or holds what the model does not read.
    """
    info = load_dataset_info(data_dir)
    models.check_input_kind(model, info.kind)
    for split in ("train", "validation"):
        if not info.split(split).examples:
            raise ValueError(f"{data_dir}: the split {split} has no drawing")
    return info


def _checksum(text: str) -> int:
    return zlib.crc32(text.encode())


def _compare(workdir: Workdir, config: TrainConfig, info: DatasetInfo) -> None:
    """Refuses a workdir whose run has other settings or classes."""
    if differences := workdir.config().differences(config):
        raise ValueError(
            f"{workdir.path} holds a run of other settings "
            f"({'; '.join(differences)}); go on with the same, or take a new "
            "--workdir"
        )
    if workdir.classes() != info.classes:
        raise ValueError(f"{workdir.path} holds a run with other classes")


class _Run:
    """A model in training, with all that is kept of it."""

    def __init__(
        self,
        config: TrainConfig,
        info: DatasetInfo,
        workdir: Workdir,
        cluster: Cluster = ALONE,
    ):
        counts = info.split("train").class_counts
        config = precision.settle(config.for_drawings(sum(counts)), cluster)
        self.config, self.info, self.workdir = config, info, workdir
        self.cluster = cluster
        self.repeats = class_balance.repeats(counts, config.balance)
        self.examples = int(np.dot(counts, self.repeats))  # in an epoch
        self.steps_per_epoch = math.ceil(self.examples / config.batch_size)
        with cluster.strategy.scope():
            self.model = models.build_model(config, len(info.classes))
            if config.freeze_body:
                warm_start.freeze_body(self.model)
            total = config.epochs * self.steps_per_epoch
            self.optimizer = train_step.make_optimizer(config, total)
            self.optimizer.build(self.model.trainable_variables)
        self.judged = self._in_float32()
        self.logits_of = evaluator.make_logits_fn(self.judged, info.kind)
        offsets = class_balance.offsets(counts, config.balance)
        self.step = train_step.Step(
            config, info.kind, self.model, self.optimizer, offsets, cluster
        )
        self.position = Position()
        state = tf.train.Checkpoint(
            model=self.model, optimizer=self.optimizer, position=self.position
        )
        self.last = checkpoints.Keeper(state, workdir.last, keep=2)
        best = tf.train.Checkpoint(model=self.model)
        self.best = checkpoints.Keeper(best, workdir.best, keep=1)
        self.history: History = []

    def _in_float32(self) -> keras.Model:
        """The model as it will be used; the weights may have to be copied."""
        if self.config.precision == "float32":
            return self.model
        config = dataclasses.replace(self.config, precision="float32")
        return models.build_model(config, len(self.info.classes))

    def begin(self) -> None:
        """Goes back to the last checkpoint that can be read, if there is one."""
        if path := self.last.restore():
            self.history = self.workdir.history()[: int(self.position.epochs)]
            self.tell(f"going on after {self.position} ({path})")
        elif source := self.config.init_from:
            warm_start.begin_with(self.model, self.info.classes, Workdir(source))
            self.tell(f"beginning with the weights of {source}")
        self.cluster.require_same(checkpoint=self.step.number)
        if self.cluster.is_chief:
            self.workdir.start(self.config, self.info.classes)

    def tell(self, line: str) -> None:
        """Prints a line, once for all workers."""
        if self.cluster.is_chief:
            tqdm.write(line)
            sys.stdout.flush()  # a log is read while training lasts

    def is_over(self) -> bool:
        done = len(self.history)
        return done >= self.config.epochs or (
            done - self.best_epoch() >= self.config.waits()
        )

    def best_epoch(self) -> int:
        """Number of the epoch with the best validation top-1, 0 before the first."""
        scores = [row["validation_top1"] for row in self.history]
        return int(np.argmax(scores)) + 1 if scores else 0

    def best_line(self) -> str:
        row = self.history[self.best_epoch() - 1]
        return f"validation top-1 {row['validation_top1']:.4f} in epoch {row['epoch']}"

    def train(self, data_dir: str, on_epoch: Callable[[History], None]) -> None:
        """Trains epoch by epoch until the run is over."""
        batches = self.batches(data_dir)
        with (
            graceful_stop.GracefulStop() as watch,
            cli.progress(
                self.config.epochs * self.examples,
                self.config.model,
                done=len(self.history) * self.examples + int(self.position.examples),
                shown=self.cluster.is_chief,
            ) as bar,
        ):
            while not self.is_over():
                self._train_epoch(batches, bar, watch)
                row = self._close_epoch(data_dir)
                self.history.append(row)
                if self.cluster.is_chief:
                    self._keep(row)
                self.tell(
                    f"epoch {row['epoch']}/{self.config.epochs}  "
                    f"loss {row['loss']:.4f}  "
                    f"validation loss {row['validation_loss']:.4f}  "
                    f"top-1 {row['validation_top1']:.4f}  "
                    f"{row['drawings_per_second']:,.0f} drawings/s"
                )
                if not self.is_over():
                    on_epoch(self.history)
        self.tell(f"best: {self.best_line()}")

    def _train_epoch(
        self,
        batches: Iterator[train_step.Batch],
        bar: tqdm,
        watch: graceful_stop.GracefulStop,
    ) -> None:
        """Trains to the end of the epoch; saves now and then, and when told to stop."""
        position = self.position
        self.step.seed_dropout()
        began = saved = time.monotonic()
        before = float(position.seconds)
        for batch in itertools.islice(batches, self.steps_per_epoch - self._taken()):
            loss, stopped = self.step(batch, watch.requested)
            if not math.isfinite(loss):
                keys = ", ".join(key.decode() for key in batch["key_id"].numpy()[:3])
                self._stop_not_finite("loss", loss, f", drawings {keys}, …")
            size = int(batch["drawings"])
            now = time.monotonic()
            position.add(loss, size, before + now - began)
            bar.update(size)
            if stopped or now - saved > SAVE_SECONDS:
                self._save()
                saved = time.monotonic()
            if stopped:
                raise KeyboardInterrupt(
                    f"stopped after {position}; the same command goes on from there"
                )

    def _save(self) -> None:
        """Writes where to go on."""
        if self.cluster.is_chief:
            self.last.save(self.step.number)

    def batches(self, data_dir: str) -> Iterator[train_step.Batch]:
        """The batches from where the run stands on, to the end of its last epoch."""
        yield from input_pipeline.training_batches(
            self.info,
            data_dir,
            self.config.batch_size,
            seed=self.config.seed,
            epochs=range(int(self.position.epochs) + 1, self.config.epochs + 1),
            augment=self.config.augment,
            partial=self.config.partial,
            repeats=self.repeats,
            # The rnn's batch normalisation is to see drawings of all lengths at once.
            by_length=self.config.model != "rnn",
            skip=self._taken(),
            rows=self.cluster.rows if self.cluster.workers > 1 else None,
        )

    def _taken(self) -> int:
        """Steps behind us in this epoch."""
        before = int(self.position.epochs) * self.steps_per_epoch
        return self.step.number - before

    def _close_epoch(self, data_dir: str) -> dict[str, Any]:
        """Evaluates on the validation split; gives the epoch's row of the history."""
        began = time.monotonic()
        if self.judged is not self.model:
            self.judged.set_weights(self.model.get_weights())
        validation = evaluator.evaluate_split(
            *(self.logits_of, self.info, data_dir, "validation"),
            *(self.config.batch_size, self.cluster),
        )
        if not math.isfinite(validation["loss"]):
            self._stop_not_finite("validation loss", validation["loss"])
        seconds, loss, examples = self.position.close_epoch()
        return {
            "epoch": int(self.position.epochs),
            "loss": loss,
            "validation_loss": validation["loss"],
            "validation_top1": validation["top1"],
            "validation_top3": validation["top3"],
            "drawings_per_second": examples / seconds,
            "seconds": seconds + time.monotonic() - began,
        }

    def _keep(self, row: dict[str, Any]) -> None:
        """Saves the epoch: history and best weights first, then where to go on."""
        if self.best_epoch() == row["epoch"]:
            self.best.save(row["epoch"])
        self.workdir.write_history(self.history)
        self._save()
        with self.logs.as_default(step=row["epoch"]):
            for name, value in row.items():
                if name != "epoch":
                    tf.summary.scalar(name, value)
        self.logs.flush()

    @functools.cached_property
    def logs(self) -> tf.summary.SummaryWriter:
        return tf.summary.create_file_writer(self.workdir.logs)

    def _stop_not_finite(self, what: str, loss: float, where: str = "") -> None:
        raise Diverged(
            f"the {what} is {loss} at step {self.step.number} (epoch "
            f"{int(self.position.epochs) + 1}{where}); try a smaller --learning_rate "
            f"than {self.config.learning_rate:g} in a new --workdir"
        )
