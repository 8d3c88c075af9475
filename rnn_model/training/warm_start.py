"""Starts a run from the weights of another run."""

import keras

from rnn_model.workdir import Workdir

HEAD = "logits"
"""Name of the last layer, which has one output per class; the rest is the body."""


def freeze_body(model: keras.Model) -> None:
    """Makes all layers but the head untrainable."""
    for layer in model.layers:
        layer.trainable = layer.name == HEAD


def load_initial_weights(
    model: keras.Model, classes: tuple[str, ...], source: Workdir
) -> None:
    """Sets the weights of a new model to the best weights of a trained run.

    All weights of the body are copied. Of the head, the weights of the words that both
    runs have are copied.

    Args:
      model: with one logit for each of `classes`.
      classes: words of the new run.
      source: a run of the same network.

    Raises:
      ValueError: there is no such run, or it is of another network or width.
    """
    source_config = source.read_config()
    if source_config.model != model.name:
        raise ValueError(
            f"--init_from={source.path} is a run of --model={source_config.model}, not "
            f"of --model={model.name}"
        )
    source_model, source_classes = source.load_best(), source.read_classes()
    if _body_shapes(model) != _body_shapes(source_model):
        raise ValueError(
            f"--init_from={source.path} is a run of --width={source_config.width:g}; "
            "use the same"
        )
    for layer, source_layer in zip(model.layers, source_model.layers, strict=True):
        if layer.name == HEAD:
            _copy_head(layer, source_layer, classes, source_classes)
        else:
            layer.set_weights(source_layer.get_weights())


def _body_shapes(model: keras.Model) -> list[tuple[int, ...]]:
    layers = [layer for layer in model.layers if layer.name != HEAD]
    return [weight.shape for layer in layers for weight in layer.weights]


def _copy_head(
    head: keras.layers.Dense,
    source_head: keras.layers.Dense,
    classes: tuple[str, ...],
    source_classes: tuple[str, ...],
) -> None:
    """Copies the weights of the words that both heads have."""
    shared = [word for word in classes if word in source_classes]
    columns = [classes.index(word) for word in shared]
    source_columns = [source_classes.index(word) for word in shared]
    weights = head.get_weights()
    for weight, source_weight in zip(weights, source_head.get_weights(), strict=True):
        weight[..., columns] = source_weight[..., source_columns]
    head.set_weights(weights)
