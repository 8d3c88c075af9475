"""Distillation: a model also learns the class probabilities of trained runs.

The probabilities of other classes than the right one show which classes resemble each
other, so that a model learns more from each drawing than from its label alone (Hinton
et al. 2015, https://arxiv.org/abs/1503.02531). The teachers see the same augmented
drawing as the model (Beyer et al. 2022, https://arxiv.org/abs/2106.05237).
"""

from collections.abc import Sequence

import tensorflow as tf

from rnn_model.config import TrainConfig
from rnn_model.evaluation.evaluator import LogitsFn
from rnn_model.evaluation.loaded_run import load_runs
from tfrecords.dataset_info import DatasetInfo

TEMPERATURE = 2.0
"""Divides the logits; a higher temperature raises small probabilities."""


def load_teachers(
    config: TrainConfig, info: DatasetInfo, data_dir: str
) -> list[LogitsFn]:
    """Loads the runs of `config.teachers`.

    Args:
      config: its `precision` is that of the teachers, too, where they support it.
      info: description of the data set.
      data_dir: folder of the data set, for messages.

    Returns:
      A function of the drawings for each run, which returns logits; none without
      teachers.

    Raises:
      ValueError: a run does not exist, or was trained on other classes or another kind
        of drawing.
    """
    if not config.teachers:
        return []
    workdirs = [path.strip() for path in config.teachers.split(",")]
    try:
        runs = load_runs(workdirs, info, data_dir, config.precision)
    except ValueError as error:
        raise ValueError(f"--teachers: {error}") from error
    return [run.logits_fn for run in runs]


def teacher_probabilities(
    teachers: Sequence[LogitsFn], inputs: Sequence[tf.Tensor], logit_offsets: tf.Tensor
) -> tf.Tensor:
    """Computes the mean probabilities of the teachers at `TEMPERATURE`.

    Args:
      teachers: of `load_teachers`.
      inputs: the drawings (see `models.INPUT_SPECS`).
      logit_offsets: `<float32>[classes]`, added to the logits.

    Returns:
      `<float32>[batch, classes]`.
    """
    logits = tf.stack([teacher(*inputs) for teacher in teachers])
    probabilities = tf.nn.softmax((logits + logit_offsets) / TEMPERATURE)
    return tf.stop_gradient(tf.reduce_mean(probabilities, axis=0))


def distillation_loss(logits: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
    """Computes the cross-entropy with the probabilities of the teachers.

    The square of the temperature keeps the size of the gradients.

    Args:
      logits: `<float32>[batch, classes]`, with the offsets of the teachers.
      probabilities: `<float32>[batch, classes]`, of `teacher_probabilities`.

    Returns:
      `<float32>[batch]`.
    """
    loss = tf.nn.softmax_cross_entropy_with_logits(probabilities, logits / TEMPERATURE)
    return TEMPERATURE**2 * loss
