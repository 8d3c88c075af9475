"""The optimizer of a run, with warmup and cosine decay of the learning rate."""

from typing import Any

import keras
import tensorflow as tf

from rnn_model.config import TrainConfig

WARMUP_STEPS = 100


def make_optimizer(config: TrainConfig, total_steps: int) -> keras.Optimizer:
    """Creates the optimizer of a config.

    It takes gradients that are already summed over all replicas.

    Args:
      config: the settings of the run.
      total_steps: steps until the learning rate is zero.
    """
    warmup_steps = min(WARMUP_STEPS, total_steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup_steps else config.learning_rate,
        decay_steps=total_steps - warmup_steps,
        warmup_target=config.learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )
    settings: dict[str, Any] = {"name": config.optimizer}
    if config.optimizer == "adamw":
        settings["weight_decay"] = config.weight_decay
    base = type(keras.optimizers.get(config.optimizer))
    # Keras would sum the gradients over the replicas again, after they are clipped.
    overrides: dict[str, Any] = {"_all_reduce_sum_gradients": lambda self, pairs: pairs}
    if issubclass(base, keras.optimizers.Adam):
        overrides["update_step"] = _apply_adam
    optimizer_class = type(base.__name__, (base,), overrides)
    return optimizer_class(learning_rate=schedule, **settings)


def _apply_adam(
    self: keras.optimizers.Adam,
    gradient: tf.Tensor,
    variable: tf.Variable,
    learning_rate: tf.Tensor,
) -> None:
    """Updates a variable with one operation; overrides `Adam.update_step`.

    Keras takes ten operations, each of which reads and writes all weights.
    """
    index = self._get_variable_index(variable)
    step = tf.cast(self.iterations + 1, tf.float32)
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=self._momentums[index].value.handle,
        v=self._velocities[index].value.handle,
        beta1_power=tf.pow(self.beta_1, step),
        beta2_power=tf.pow(self.beta_2, step),
        lr=tf.cast(learning_rate, tf.float32),
        beta1=self.beta_1,
        beta2=self.beta_2,
        epsilon=self.epsilon,
        grad=gradient,
    )
