"""A training step: loss, gradients and update of the weights for one batch."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from rnn_model import models
from rnn_model.evaluation.evaluator import LogitsFn
from rnn_model.training import class_balance, distillation
from rnn_model.training.train_state import TrainState

Batch = dict[str, tf.Tensor]
TrainStep = Callable[..., tf.Tensor]


def make_train_step(state: TrainState, teachers: Sequence[LogitsFn] = ()) -> TrainStep:
    """Creates the function that trains on one batch.

    Each replica computes a part of the global batch. Losses are divided by the size of
    the global batch and summed over the replicas, and so are the gradients. Their sum
    is clipped. So the result does not depend on the number of replicas.

    Args:
      state: is changed by the step.
      teachers: of `distillation.load_teachers`.

    Returns:
      A `tf.function` of a batch (see `batch_spec`) and `stop <bool>[]`, whether this
      worker was asked to stop. It returns `<float32>[2]`: the mean loss of the global
      batch, and how many replicas were asked to stop. Call it by `run_train_step`.
    """
    config, cluster, model = state.config, state.cluster, state.model
    forward = models.forward_fn(model, state.info.kind)
    input_names = tuple(models.INPUT_SPECS[state.info.kind])
    logit_offsets = class_balance.compute_logit_offsets(
        state.class_counts, config.balance
    )

    def replica_step(batch: Batch, stop: tf.Tensor) -> tf.Tensor:
        global_size = batch["drawings"]
        rows = {name: values for name, values in batch.items() if name != "drawings"}
        rows = cluster.take_replica_rows(rows, global_size)
        inputs = [rows[name] for name in input_names]
        targets = smooth_targets(
            rows["class_index"], len(logit_offsets), config.label_smoothing
        )
        if teachers:
            probabilities = distillation.teacher_probabilities(
                teachers, inputs, logit_offsets
            )
        with tf.GradientTape() as tape:
            logits = forward(*inputs, training=True) + logit_offsets
            losses = tf.nn.softmax_cross_entropy_with_logits(targets, logits)
            if teachers:
                losses *= 1 - config.distillation
                losses += config.distillation * distillation.distillation_loss(
                    logits, probabilities
                )
            divisor = tf.cast(cluster.count_rows_taken(global_size), tf.float32)
            loss = tf.reduce_sum(losses) / divisor
        gradients = tape.gradient(loss, model.trainable_variables)
        result = tf.stack([loss, tf.cast(stop, tf.float32)])
        *gradients, result = cluster.all_reduce([*gradients, result])
        gradients, _ = tf.clip_by_global_norm(gradients, config.clip_norm)
        state.optimizer.apply(gradients, model.trainable_variables)
        return result

    @tf.function(
        input_signature=[batch_spec(state.info.kind), tf.TensorSpec([], tf.bool)]
    )
    def train_step(batch: Batch, stop: tf.Tensor) -> tf.Tensor:
        results = cluster.strategy.run(replica_step, (batch, stop))
        return cluster.strategy.experimental_local_results(results)[0]

    return train_step


def run_train_step(
    train_step: Any, batch: Batch, stop: bool = False
) -> tuple[float, bool]:
    """Trains on one batch.

    Args:
      train_step: made by `make_train_step`.
      batch: this worker's rows (see `input_pipeline.training_batches`).
      stop: whether this worker was asked to stop.

    Returns:
      The mean loss of the global batch, and whether any worker was asked to stop; both
      are the same on all workers.
    """
    names = train_step.input_signature[0]
    loss, stop_count = train_step({name: batch[name] for name in names}, stop).numpy()
    return float(loss), bool(stop_count > 0)


def batch_spec(kind: str) -> dict[str, tf.TensorSpec]:
    """Returns the tensors that a step reads; one trace serves all their shapes."""
    return models.INPUT_SPECS[kind] | {
        "class_index": tf.TensorSpec([None], tf.int64),
        "drawings": tf.TensorSpec([], tf.int32),
    }


def smooth_targets(
    class_index: tf.Tensor, num_classes: int, smoothing: float
) -> tf.Tensor:
    """Computes one-hot targets with label smoothing, `<float32>[batch, classes]`."""
    off_value = smoothing / num_classes
    on_value = 1 - smoothing * (1 - 1 / num_classes)
    return tf.one_hot(class_index, num_classes, on_value, off_value)
