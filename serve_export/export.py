"""Exports a run as a SavedModel that needs no code of ours.

    python -m serve_export.export --workdir=runs/rnn --output_dir=exports/rnn

writes `exports/rnn/<version>/`, the layout of TF Serving, versions counting from 1.
"""

import rnn_model  # noqa: F401 # isort: skip - first: it silences TensorFlow

import json
import tempfile
import uuid
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from absl import flags

from pipeline import command, strokes
from rnn_model.evaluation import INPUT_SIGNATURE
from rnn_model.workdir import Workdir
from serve_export.layout import CLASSES_ASSET, FACTS_ASSET, versions
from tfrecords import decode, schema


class ServingModule(tf.Module):
    """A model with its signatures, its words and the facts about its input."""

    def __init__(self, model: keras.Model, classes_file: Path, facts_file: Path):
        super().__init__()
        self.model = model
        self.classes = tf.saved_model.Asset(str(classes_file))
        self.facts = tf.saved_model.Asset(str(facts_file))

    @tf.function(input_signature=INPUT_SIGNATURE)
    def serving_default(
        self, ink: tf.Tensor, length: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Ink `<float32>[batch, time, 3]`, padded with zeros, to probabilities."""
        return {"probabilities": self._probabilities(ink, length)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialised examples `<string>[batch]` to probabilities."""
        batch = decode.parse_examples(examples)
        ink = decode.to_dense(batch[schema.INK])
        return {"probabilities": self._probabilities(ink, batch["length"])}

    def _probabilities(self, ink: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        logits = self.model({"ink": ink, "length": length}, training=False)
        return tf.nn.softmax(logits)


def export(workdir_path: str, output_dir: str) -> str:
    """Exports the best weights of a run.

    Written aside and renamed, so that a server never sees half an export.

    Args:
      workdir_path: the run.
      output_dir: where `<version>/` goes.

    Returns:
      The path of the new version.

    Raises:
      ValueError: there is no run, or no checkpoint yet.
    """
    workdir = Workdir(workdir_path)
    # Traced beside a GPU it would hold ops that a CPU lacks (keras-team/keras#18504).
    model = workdir.load_best(use_cudnn=False)
    tf.io.gfile.makedirs(output_dir)
    version = 1 + max(versions(output_dir), default=0)
    target = tf.io.gfile.join(output_dir, str(version))
    aside = tf.io.gfile.join(output_dir, f".{version}-{uuid.uuid4().hex}")
    with tempfile.TemporaryDirectory() as folder:
        classes_file = Path(folder, CLASSES_ASSET)
        classes_file.write_text("".join(f"{word}\n" for word in workdir.classes()))
        facts_file = Path(folder, FACTS_ASSET)
        facts_file.write_text(json.dumps(facts(workdir), indent=1) + "\n")
        module = ServingModule(model, classes_file, facts_file)
        signatures = {
            "serving_default": module.serving_default,
            "serve_examples": module.serve_examples,
        }
        tf.saved_model.save(module, aside, signatures=signatures)
    tf.io.gfile.rename(aside, target)
    return target


def facts(workdir: Workdir) -> dict[str, Any]:
    """What a client must know to make the model's input from a drawing."""
    return {
        "model": workdir.config().model,
        "format_version": schema.FORMAT_VERSION,
        "box": strokes.BOX,
        "epsilon": strokes.EPSILON,
        "ink": (
            "rows (dx, dy, pen) of the simplified drawing: the first row is the first "
            "point's x and y, the others are differences, all divided by the box; "
            "pen is 1 on the last point of each stroke"
        ),
    }


def _define_flags() -> None:
    flags.DEFINE_string("workdir", None, "Folder of the run.")
    flags.DEFINE_string("output_dir", None, "Folder for the numbered exports.")


def main() -> None:
    """Exports as the flags say; prints the path."""
    values = flags.FLAGS
    command.require("workdir", "output_dir")
    print(export(values.workdir, values.output_dir))


def run() -> None:
    """Entry point of `quickdraw-export`."""
    command.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
