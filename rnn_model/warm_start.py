"""A run that begins with the weights of another."""

import keras
import numpy as np

from rnn_model.config import TrainConfig
from rnn_model.workdir import Workdir
from tfrecords.dataset_info import DatasetInfo

HEAD = "logits"
"""The layer whose outputs are the classes; all before it is the body."""


def begin_with(
    model: keras.Model, source: Workdir, config: TrainConfig, info: DatasetInfo
) -> None:
    """Gives a new model the best weights of a trained run.

    The body is taken whole; of the head what belongs to words that both know. With
    `config.freeze_body` the head alone is left to train.

    Args:
      model: of `config` and the classes of `info`.
      source: a run of the same kind of model.

    Raises:
      ValueError: there is no such run, or it is of another kind.
    """
    if source.config().model != config.model:
        raise ValueError(
            f"--init_from={source.path} is a run of --model={source.config().model}, "
            f"not {config.model}"
        )
    trained, words = source.load_best(), source.classes()
    for layer in model.layers:
        if layer.name == HEAD:
            _take_head(layer, trained.get_layer(HEAD), info.classes, words)
        else:
            layer.set_weights(trained.get_layer(layer.name).get_weights())
            layer.trainable = not config.freeze_body


def _take_head(
    head: keras.layers.Dense,
    trained: keras.layers.Dense,
    words: tuple[str, ...],
    known: tuple[str, ...],
) -> None:
    """Copies the columns of the words that are known."""
    mine = [number for number, word in enumerate(words) if word in known]
    theirs = [known.index(words[number]) for number in mine]
    weights = head.get_weights()
    for own, other in zip(weights, trained.get_weights()):
        own[..., mine] = np.asarray(other)[..., theirs]
    head.set_weights(weights)
