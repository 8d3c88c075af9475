"""The checkpoints of a run: written whole, and read past one that is damaged."""

import re
import sys

import keras
import tensorflow as tf

DAMAGE = (tf.errors.OpError, AssertionError, IndexError, RuntimeError, ValueError)
"""What TensorFlow raises for a checkpoint that is cut off, lacks something, or is of
weights of other shapes."""

_INDEX = re.compile(r"ckpt-(\d+)\.index")


def numbered(folder: str) -> list[str]:
    """Paths of the checkpoints in a folder, the newest first."""
    if not tf.io.gfile.isdir(folder):
        return []
    found = filter(None, map(_INDEX.fullmatch, tf.io.gfile.listdir(folder)))
    numbers = sorted((int(match[1]) for match in found), reverse=True)
    return [tf.io.gfile.join(folder, f"ckpt-{number}") for number in numbers]


def restore_newest(checkpoint: tf.train.Checkpoint, folder: str) -> str | None:
    """Restores the newest checkpoint of a folder that can be read.

    One that cannot is passed over for the one before, with a warning.

    Returns:
      Its path, or None where there is none.

    Raises:
      ValueError: there are some, and all are damaged or of another model.
    """
    paths = numbered(folder)
    for path in paths:
        try:
            status = checkpoint.read(path)
            # Else a weight that it lacks would stay as it was drawn.
            status.assert_existing_objects_matched().expect_partial()
            return path
        except DAMAGE as error:
            reason = str(error).strip().partition("\n")[0].partition(" [Op:")[0]
            print(f"warning: passing over {path}: {reason}", file=sys.stderr)
    if paths:
        raise ValueError(
            f"{folder}: no checkpoint there can be read as one of this model"
        )
    return None


def restore_model(model: keras.Model, folder: str) -> str | None:
    """`restore_newest` for a model's weights alone."""
    return restore_newest(tf.train.Checkpoint(model=model), folder)


class Keeper:
    """Writes numbered checkpoints into a folder and keeps the newest few."""

    def __init__(self, checkpoint: tf.train.Checkpoint, folder: str, keep: int):
        self._checkpoint, self._folder, self._keep = checkpoint, folder, keep

    def save(self, number: int) -> None:
        """Writes a checkpoint; the older ones go when it is whole.

        Raises:
          OSError: it cannot be written. What was kept stays, and can be gone on from.
        """
        path = tf.io.gfile.join(self._folder, f"ckpt-{number}")
        try:
            self._checkpoint.write(path)
        except tf.errors.OpError as error:
            reason = error.message.partition(" [Op:")[0].rpartition("; ")[2]
            raise OSError(
                f"{path} cannot be written: {reason}. The checkpoint before it is "
                "whole: when this is mended, the same command goes on from there"
            )
        finally:
            self._remove_unfinished()
        for old in numbered(self._folder)[self._keep :]:
            # The index first: without it no reader takes the rest for a checkpoint.
            name = old.rpartition("/")[2]
            files = tf.io.gfile.listdir(self._folder)
            for file in sorted(files, reverse=True):
                if file.startswith(f"{name}."):
                    tf.io.gfile.remove(tf.io.gfile.join(self._folder, file))

    def _remove_unfinished(self) -> None:
        """Removes what TensorFlow leaves of a write that failed or was killed."""
        for folder in tf.io.gfile.glob(tf.io.gfile.join(self._folder, "ckpt-*_temp")):
            tf.io.gfile.rmtree(folder)

    def restore(self) -> str | None:
        """Goes back to the newest that can be read (see `restore_newest`)."""
        return restore_newest(self._checkpoint, self._folder)
