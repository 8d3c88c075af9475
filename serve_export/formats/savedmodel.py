"""SavedModel conversion, with the signatures that TensorFlow Serving calls.

    serving_default  ink, length         → probabilities
    serve_ink        ink                 → probabilities
    serve_examples   serialized records  → probabilities
    classify         serialized records  → classes, scores, in descending order
    serve_bitmaps    bitmap              → probabilities; cnn and mlp only

`keras.layers.TFSMLayer` can call those with one input.

Sources: https://www.tensorflow.org/tfx/serving/signature_defs,
`tensorflow_serving/apis/classification.proto`.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from rnn_model import models
from rnn_model.config import BITMAP_MODELS
from serve_export.layout import CLASSES_FILE, PREPROCESSING_FILE
from tfrecords import decode, schema

Signature = Callable[..., dict[str, tf.Tensor]]


def build_signatures(
    model: keras.Model, classes: Sequence[str]
) -> dict[str, Signature]:
    """Returns the signatures of a model by name."""
    ink_specs = list(models.INPUT_SPECS[schema.INK].values())
    bitmap_specs = list(models.INPUT_SPECS[schema.BITMAP].values())

    @tf.function(input_signature=ink_specs)
    def serving_default(ink: tf.Tensor, length: tf.Tensor) -> dict[str, tf.Tensor]:
        """Classifies ink `<float32>[batch, time, 3]`, padded with zeros."""
        logits = model({"ink": ink, "length": length}, training=False)
        return {"probabilities": tf.nn.softmax(logits)}

    @tf.function(input_signature=ink_specs[:1])
    def serve_ink(ink: tf.Tensor) -> dict[str, tf.Tensor]:
        """Classifies ink that ends with the last point at which the pen is lifted."""
        steps = tf.range(1, tf.shape(ink)[1] + 1)
        length = tf.reduce_max(tf.where(ink[..., 2] > 0, steps, 1), axis=1)
        return serving_default(ink, length)

    def classify_examples(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = decode.parse_examples(examples)
        return serving_default(decode.to_dense(batch[schema.INK]), batch["length"])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def serve_examples(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Classifies serialized records `<string>[batch]`."""
        return classify_examples(examples)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def classify(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns classes and scores `[batch, classes]` of serialized records."""
        probabilities = classify_examples(inputs)["probabilities"]
        scores, order = tf.math.top_k(probabilities, len(classes))
        return {"classes": tf.gather(tf.constant(classes), order), "scores": scores}

    signatures = {
        "serving_default": serving_default,
        "serve_ink": serve_ink,
        "serve_examples": serve_examples,
        "classify": classify,
    }
    if model.name in BITMAP_MODELS:
        forward = models.forward_fn(model, schema.BITMAP)

        @tf.function(input_signature=bitmap_specs)
        def serve_bitmaps(bitmap: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"probabilities": tf.nn.softmax(forward(bitmap, training=False))}

        signatures["serve_bitmaps"] = serve_bitmaps
    return signatures


def write_savedmodel(
    model: keras.Model,
    classes: Sequence[str],
    preprocessing: Mapping[str, Any],
    folder: str,
) -> None:
    """Writes a model as a SavedModel.

    Args:
      model: built with `use_cudnn=False`.
      classes: in the order of its logits.
      preprocessing: see `describe_preprocessing`.
      folder: a local directory.
    """
    with tempfile.TemporaryDirectory() as temporary:
        assets = write_assets(classes, preprocessing, temporary)
        module = tf.Module()
        # The variables instead of the Keras model, which would save each of them twice;
        # TensorFlow Serving restores only the copy that the signatures do not read.
        module.weights = [weight.value for weight in model.weights]
        module.assets = [tf.saved_model.Asset(str(path)) for path in assets]
        local = str(Path(temporary, "model"))
        signatures = build_signatures(model, classes)
        tf.saved_model.save(module, local, signatures=signatures)
        # `save` gives every signature the method name "predict".
        updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(local)
        updater.replace_method_name("classify", tf.saved_model.CLASSIFY_METHOD_NAME)
        updater.save()
        shutil.copytree(local, folder, dirs_exist_ok=True)


def write_assets(
    classes: Sequence[str], preprocessing: Mapping[str, Any], folder: str
) -> list[Path]:
    """Writes classes.txt and preprocessing.json; returns their paths."""
    paths = [Path(folder, CLASSES_FILE), Path(folder, PREPROCESSING_FILE)]
    Path(folder).mkdir(exist_ok=True)
    paths[0].write_text("".join(f"{word}\n" for word in classes), "utf-8")
    paths[1].write_text(json.dumps(preprocessing, indent=1) + "\n", "utf-8")
    return paths
