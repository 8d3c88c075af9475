"""The training loop: a run from its first step, or on from where it stopped."""

import dataclasses
import itertools
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from pipeline import command
from rnn_model import (
    balance,
    checkpoints,
    evaluation,
    input_pipeline,
    interruption,
    models,
    precision,
    warm_start,
)
from rnn_model.config import TrainConfig
from rnn_model.workdir import Workdir
from tfrecords.dataset_info import DatasetInfo

WARMUP_STEPS = 100

Batch = dict[str, tf.Tensor]

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

    Raises:
      Diverged: the loss is not finite.
      ValueError: the workdir holds a run of other settings or classes, or see
        `load_info`.
    """
    info = load_info(data_dir, config.model)
    workdir = Workdir(workdir_path)
    if workdir.exists():
        _compare(workdir, config, info)
        # Also on another machine.
        config = dataclasses.replace(config, precision=workdir.config().precision)
    keras.utils.set_random_seed(config.seed)
    run = _Run(config, info, workdir)
    run.begin()
    workdir.start(run.config, info.classes)
    if run.is_over():
        print(f"{workdir_path}: training is over; best {run.best_line()}")
        return
    run.train(data_dir, on_epoch)


def load_info(data_dir: str, model: str) -> DatasetInfo:
    """Loads the info of a data set that the model of that name can be trained on.

    Raises:
      ValueError: it is not whole, lacks a split or holds what the model does not read.
    """
    info = input_pipeline.load_info(data_dir)
    models.check_reads(model, info.kind)
    for split in ("train", "validation"):
        if not info.split(split).examples:
            raise ValueError(f"{data_dir}: the split {split} has no drawing")
    return info


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


def make_optimizer(config: TrainConfig, total_steps: int) -> keras.Optimizer:
    """The optimizer of a config; its rate rises, then falls along a cosine."""
    warmup = min(WARMUP_STEPS, total_steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else config.learning_rate,
        decay_steps=total_steps - warmup,
        warmup_target=config.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    settings: dict[str, Any] = {"name": config.optimizer}
    if config.optimizer == "adamw":
        settings["weight_decay"] = config.weight_decay
    optimizer_class = type(keras.optimizers.get(config.optimizer))
    return optimizer_class(learning_rate=rate, **settings)


def step_signature(kind: str) -> tuple[tf.TensorSpec, ...]:
    """What a step takes, a model's inputs and class_index: one trace for all shapes."""
    class_index = tf.TensorSpec([None], tf.int64, name="class_index")
    return (*evaluation.INPUT_SIGNATURES[kind], class_index)


class _Position(tf.Module):
    """Where in its data a run stands, as a checkpoint keeps it."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs = tf.Variable(0, dtype=tf.int64)  # whole ones behind us
        self.examples = tf.Variable(0, dtype=tf.int64)  # in this epoch, from here on
        self.loss_sum = tf.Variable(0.0, dtype=tf.float64)
        self.seconds = tf.Variable(0.0, dtype=tf.float64)

    def add(self, loss: float, examples: int, seconds: float) -> None:
        """Adds a batch of that mean loss; `seconds` since the epoch began."""
        self.loss_sum.assign_add(loss * examples)
        self.examples.assign_add(examples)
        self.seconds.assign(seconds)

    def close_epoch(self) -> tuple[float, float, int]:
        """Gives seconds, mean loss and examples of the epoch, and begins the next."""
        seconds, examples = float(self.seconds), int(self.examples)
        loss = float(self.loss_sum) / examples
        for sums in (self.examples, self.loss_sum, self.seconds):
            sums.assign(tf.zeros_like(sums))
        self.epochs.assign_add(1)
        return seconds, loss, examples

    def __str__(self) -> str:
        more = f" and {int(self.examples):,} drawings" if int(self.examples) else ""
        return f"epoch {int(self.epochs)}{more}"


class _Run:
    """A model in training, with all that is kept of it."""

    def __init__(self, config: TrainConfig, info: DatasetInfo, workdir: Workdir):
        counts = info.split("train").class_counts
        config = precision.settle(config.for_drawings(sum(counts)))
        self.config, self.info, self.workdir = config, info, workdir
        self.repeats = balance.repeats(counts, config.balance)
        self.examples = int(np.dot(counts, self.repeats))  # in an epoch
        self.steps_per_epoch = math.ceil(self.examples / config.batch_size)
        self.offsets = balance.offsets(counts, config.balance)
        self.model = models.build(config, len(info.classes))
        if config.freeze_body:
            warm_start.freeze_body(self.model)
        self.inputs = models.INPUTS[info.kind]
        self.reader = models.reading(self.model, info.kind)
        self.judged = self._in_float32()
        self.logits_of = evaluation.logits_function(self.judged, info.kind)
        self._step = tf.function(
            self._take_step, input_signature=step_signature(info.kind)
        )
        self.optimizer = make_optimizer(config, config.epochs * self.steps_per_epoch)
        self.optimizer.build(self.model.trainable_variables)
        self.position = _Position()
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
        return models.build(config, len(self.info.classes))

    def begin(self) -> None:
        """Goes back to the last checkpoint that can be read, if there is one."""
        if path := self.last.restore():
            self.history = self.workdir.history()[: int(self.position.epochs)]
            print(f"going on after {self.position} ({path})")
        elif source := self.config.init_from:
            warm_start.begin_with(self.model, self.info.classes, Workdir(source))
            print(f"beginning with the weights of {source}")

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
        logs = tf.summary.create_file_writer(self.workdir.logs)
        with (
            interruption.Watch() as watch,
            command.progress(
                self.config.epochs * self.examples,
                self.config.model,
                done=len(self.history) * self.examples + int(self.position.examples),
            ) as bar,
        ):
            while not self.is_over():
                self._train_epoch(batches, bar, watch)
                row = self._close_epoch(data_dir)
                self._keep(row, logs)
                bar.write(
                    f"epoch {row['epoch']}/{self.config.epochs}  "
                    f"loss {row['loss']:.4f}  "
                    f"validation loss {row['validation_loss']:.4f}  "
                    f"top-1 {row['validation_top1']:.4f}  "
                    f"{row['drawings_per_second']:,.0f} drawings/s"
                )
                if not self.is_over():
                    on_epoch(self.history)
        print(f"best: {self.best_line()}")

    def _train_epoch(
        self, batches: Iterator[Batch], bar: tqdm, watch: interruption.Watch
    ) -> None:
        """Trains to the end of the epoch; saves now and then, and when told to stop."""
        position = self.position
        self._seed_dropout(int(self.optimizer.iterations))
        began = saved = time.monotonic()
        before = float(position.seconds)
        for batch in itertools.islice(batches, self.steps_per_epoch - self._taken()):
            inputs = (batch[name] for name in self.inputs)
            loss = float(self._step(*inputs, batch["class_index"]))
            if not math.isfinite(loss):
                keys = ", ".join(key.decode() for key in batch["key_id"].numpy()[:3])
                self._stop_not_finite("loss", loss, f", drawings {keys}, …")
            size = len(batch["class_index"])
            now = time.monotonic()
            position.add(loss, size, before + now - began)
            bar.update(size)
            if watch.stopped or now - saved > SAVE_SECONDS:
                self.last.save(int(self.optimizer.iterations))
                saved = time.monotonic()
            if watch.stopped:
                raise KeyboardInterrupt(
                    f"stopped after {position}; the same command goes on from there"
                )

    def batches(self, data_dir: str) -> Iterator[Batch]:
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
        )

    def _taken(self) -> int:
        """Steps behind us in this epoch."""
        before = int(self.position.epochs) * self.steps_per_epoch
        return int(self.optimizer.iterations) - before

    def _close_epoch(self, data_dir: str) -> dict[str, Any]:
        """Evaluates on the validation split; gives the epoch's row of the history."""
        began = time.monotonic()
        if self.judged is not self.model:
            self.judged.set_weights(self.model.get_weights())
        validation = evaluation.evaluate(
            self.logits_of, self.info, data_dir, "validation", self.config.batch_size
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

    def _seed_dropout(self, step: int) -> None:
        """Makes what is hidden depend on seed and step alone, not on when we began."""
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
                layer.seed_generator.state.assign([layer.seed, step])

    def _keep(self, row: dict[str, Any], logs: tf.summary.SummaryWriter) -> None:
        """Saves the epoch: history and best weights first, then where to go on."""
        self.history.append(row)
        if self.best_epoch() == row["epoch"]:
            self.best.save(row["epoch"])
        self.workdir.write_history(self.history)
        self.last.save(int(self.optimizer.iterations))
        with logs.as_default(step=row["epoch"]):
            for name, value in row.items():
                if name != "epoch":
                    tf.summary.scalar(name, value)
        logs.flush()

    def _take_step(self, *batch: tf.Tensor) -> tf.Tensor:
        """One step on a batch's inputs and class_index; gives its mean loss."""
        *inputs, class_index = batch
        classes = len(self.info.classes)
        target = tf.one_hot(
            class_index,
            classes,
            on_value=1 - self.config.label_smoothing * (1 - 1 / classes),
            off_value=self.config.label_smoothing / classes,
        )
        with tf.GradientTape() as tape:
            logits = self.reader(*inputs, training=True) + self.offsets
            loss = tf.reduce_mean(
                tf.nn.softmax_cross_entropy_with_logits(target, logits)
            )
        weights = self.model.trainable_variables
        gradients = tape.gradient(loss, weights)
        gradients, _ = tf.clip_by_global_norm(gradients, self.config.clip_norm)
        self.optimizer.apply(gradients, weights)
        return loss

    def _stop_not_finite(self, what: str, loss: float, where: str = "") -> None:
        raise Diverged(
            f"the {what} is {loss} at step {int(self.optimizer.iterations)} (epoch "
            f"{int(self.position.epochs) + 1}{where}); try a smaller --learning_rate "
            f"than {self.config.learning_rate:g} in a new --workdir"
        )
