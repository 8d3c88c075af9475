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
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from rnn_model import models
from rnn_model.evaluation import INPUT_SIGNATURE, INPUT_SIGNATURES
from serve_export.layout import CLASSES_ASSET, FACTS_ASSET
from tfrecords import decode, schema

_EXAMPLES = tf.TensorSpec([None], tf.string, name="examples")
_INPUTS = tf.TensorSpec([None], tf.string, name="inputs")


class ServingModule(tf.Module):
    """A model with its signatures, its words and the facts about its input."""

    def __init__(
        self,
        model: keras.Model,
        words: Sequence[str],
        classes_file: Path,
        facts_file: Path,
    ):
        super().__init__()
        self.model = model
        self.words = tf.constant(words)
        self.classes = tf.saved_model.Asset(str(classes_file))
        self.facts = tf.saved_model.Asset(str(facts_file))

    def signatures(self) -> dict[str, Any]:
        """The signatures by name."""
        found = {
            "serving_default": self.serving_default,
            "serve_examples": self.serve_examples,
            "classify": self.classify,
        }
        if self.model.name in models.BITMAP_MODELS:
            found["serve_bitmaps"] = self._make_serve_bitmaps()
        return found

    @tf.function(input_signature=INPUT_SIGNATURE)
    def serving_default(
        self, ink: tf.Tensor, length: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Ink `<float32>[batch, time, 3]`, padded with zeros, to probabilities."""
        logits = self.model({"ink": ink, "length": length}, training=False)
        return {"probabilities": tf.nn.softmax(logits)}

    @tf.function(input_signature=[_EXAMPLES])
    def serve_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialised examples `<string>[batch]` to probabilities."""
        return {"probabilities": self._answer(examples)}

    @tf.function(input_signature=[_INPUTS])
    def classify(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialised examples to words and their probabilities `[batch, classes]`."""
        scores, order = tf.math.top_k(self._answer(inputs), tf.size(self.words))
        return {"classes": tf.gather(self.words, order), "scores": scores}

    def _answer(self, examples: tf.Tensor) -> tf.Tensor:
        batch = decode.parse_examples(examples)
        ink = decode.to_dense(batch[schema.INK])
        return self.serving_default(ink, batch["length"])["probabilities"]

    def _make_serve_bitmaps(self) -> Any:
        reader = models.reading(self.model, schema.BITMAP)

        @tf.function(input_signature=INPUT_SIGNATURES[schema.BITMAP])
        def serve_bitmaps(bitmap: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"probabilities": tf.nn.softmax(reader(bitmap, training=False))}

        return serve_bitmaps


def save(
    model: keras.Model, words: Sequence[str], facts: Mapping[str, Any], path: str
) -> None:
    """Writes a model that was built with `use_cudnn=False` as a SavedModel."""
    with tempfile.TemporaryDirectory() as folder:
        classes_file = Path(folder, CLASSES_ASSET)
        classes_file.write_text("".join(f"{word}\n" for word in words), "utf-8")
        facts_file = Path(folder, FACTS_ASSET)
        facts_file.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
        module = ServingModule(model, words, classes_file, facts_file)
        tf.saved_model.save(module, path, signatures=module.signatures())
    # `save` knows no method but "predict".
    updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(path)
    updater.replace_method_name("classify", tf.saved_model.CLASSIFY_METHOD_NAME)
    updater.save()
