"""The optimizer of a run, with warmup and cosine decay of the learning rate."""

from typing import Any

import keras

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
    overrides = {"_all_reduce_sum_gradients": lambda self, pairs: pairs}
    optimizer_class = type(base.__name__, (base,), overrides)
    return optimizer_class(learning_rate=schedule, **settings)
