"""A run that begins with the weights of another."""

import keras
import numpy as np

from rnn_model.workdir import Workdir

HEAD = "logits"
"""The layer whose outputs are the classes; all before it is the body."""


def freeze_body(model: keras.Model) -> None:
    """Leaves only the head to train."""
    for layer in model.layers:
        layer.trainable = layer.name == HEAD


def begin_with(model: keras.Model, classes: tuple[str, ...], source: Workdir) -> None:
    """Gives a new model the best weights of a trained run.

    The body is taken whole; of the head what belongs to words that both know.

    Args:
      model: with one logit for each of `classes`.
      source: a run of the same kind of model.

    Raises:
      ValueError: there is no such run, or it is of another kind.
    """
    if source.config().model != model.name:
        raise ValueError(
            f"--init_from={source.path} is a run of --model={source.config().model}, "
            f"not {model.name}"
        )
    trained, known = source.load_best(), source.classes()
    for layer, its in zip(model.layers, trained.layers, strict=True):
        if layer.name == HEAD:
            _take_head(layer, its, classes, known)
        else:
            layer.set_weights(its.get_weights())


def _take_head(
    head: keras.layers.Dense,
    trained: keras.layers.Dense,
    classes: tuple[str, ...],
    known: tuple[str, ...],
) -> None:
    """Copies the columns of the words that are known."""
    mine = [number for number, word in enumerate(classes) if word in known]
    theirs = [known.index(classes[number]) for number in mine]
    weights = head.get_weights()
    for own, other in zip(weights, trained.get_weights()):
        own[..., mine] = np.asarray(other)[..., theirs]
    head.set_weights(weights)
