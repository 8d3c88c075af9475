"""A model → SavedModel, with the signatures that TensorFlow Serving calls.

    serving_default   ink, length            → probabilities
    serve_examples    serialised records     → probabilities
    classify          serialised records     → classes, scores: TF Serving's form of a
                                               classification, likeliest first
    serve_bitmaps     bitmap                 → probabilities; of cnn and mlp alone

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
from serve_export.layout import CLASSES_ASSET, FACTS_ASSET
from tfrecords import decode, schema

Signature = Callable[..., dict[str, tf.Tensor]]


def signatures(model: keras.Model, words: Sequence[str]) -> dict[str, Signature]:
    """Makes the signatures of a model, by name."""

    @tf.function(input_signature=list(models.INPUT_SPECS[schema.INK].values()))
    def serving_default(ink: tf.Tensor, length: tf.Tensor) -> dict[str, tf.Tensor]:
        """Ink `<float32>[batch, time, 3]`, padded with zeros, to probabilities."""
        logits = model({"ink": ink, "length": length}, training=False)
        return {"probabilities": tf.nn.softmax(logits)}

    def answer(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = decode.parse_examples(examples)
        return serving_default(decode.to_dense(batch[schema.INK]), batch["length"])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def serve_examples(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialised examples `<string>[batch]` to probabilities."""
        return answer(examples)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def classify(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialised examples to words and their probabilities `[batch, classes]`."""
        scores, order = tf.math.top_k(answer(inputs)["probabilities"], len(words))
        return {"classes": tf.gather(tf.constant(words), order), "scores": scores}

    found = {
        "serving_default": serving_default,
        "serve_examples": serve_examples,
        "classify": classify,
    }
    if model.name in models.BITMAP_MODELS:
        reader = models.forward_fn(model, schema.BITMAP)

        @tf.function(input_signature=list(models.INPUT_SPECS[schema.BITMAP].values()))
        def serve_bitmaps(bitmap: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"probabilities": tf.nn.softmax(reader(bitmap, training=False))}

        found["serve_bitmaps"] = serve_bitmaps
    return found


def save(
    model: keras.Model, words: Sequence[str], facts: Mapping[str, Any], path: str
) -> None:
    """Writes a model that was built with `use_cudnn=False` as a SavedModel.

    Args:
      model: the model.
      words: in the order of its logits.
      facts: see `export.facts`.
      path: a folder of this machine.
    """
    with tempfile.TemporaryDirectory() as folder:
        classes_file = Path(folder, CLASSES_ASSET)
        classes_file.write_text("".join(f"{word}\n" for word in words), "utf-8")
        facts_file = Path(folder, FACTS_ASSET)
        facts_file.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
        module = tf.Module()
        # Not the Keras model: it would save each variable twice, and TF Serving, as
        # any session of TensorFlow 1, would restore the ones that nobody reads.
        module.weights = [weight.value for weight in model.weights]
        module.assets = [
            tf.saved_model.Asset(str(file)) for file in (classes_file, facts_file)
        ]
        local = str(Path(folder, "model"))
        tf.saved_model.save(module, local, signatures=signatures(model, words))
        # `save` knows no method but "predict".
        updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(local)
        updater.replace_method_name("classify", tf.saved_model.CLASSIFY_METHOD_NAME)
        updater.save()
        shutil.copytree(local, path, dirs_exist_ok=True)
