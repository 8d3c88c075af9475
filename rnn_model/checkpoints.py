"""The checkpoints of a run; damaged ones are skipped when a run is resumed."""

import re
import sys

import keras
import tensorflow as tf

from tfrecords import storage

_READ_ERRORS = (
    tf.errors.OpError,
    AssertionError,
    IndexError,
    RuntimeError,
    ValueError,
)
"""What TensorFlow raises for a checkpoint that is truncated, lacks a variable, or has
variables of other shapes."""

_OTHER_SHAPE = "incompatible tensor with shape"
"""Part of TensorFlow's message when a variable has another shape in the checkpoint."""

_INDEX_FILE = re.compile(r"ckpt-(\d+)\.index")


class CheckpointManager(tf.train.CheckpointManager):
    """Writes numbered checkpoints `ckpt-<number>` and keeps the newest ones.

    Args:
      checkpoint: the objects to save.
      folder: local or remote.
      max_to_keep: number of checkpoints to keep.
    """

    def __init__(self, checkpoint: tf.train.Checkpoint, folder: str, max_to_keep: int):
        super().__init__(checkpoint, folder, max_to_keep)

    def save(self, number: int) -> None:
        """Writes a checkpoint, then deletes the oldest ones.

        Raises:
          OSError: it cannot be written. The previous checkpoints are kept.
        """
        try:
            super().save(checkpoint_number=number)
        except tf.errors.OpError as error:
            reason = error.message.partition(" [Op:")[0].rpartition("; ")[2]
            raise OSError(
                f"{self.directory}/ckpt-{number} cannot be written: {reason}. The "
                "previous checkpoint is complete; fix the cause and run the same "
                "command again to resume from it"
            ) from error
        finally:
            self._delete_incomplete()

    def _delete_incomplete(self) -> None:
        """Deletes the files of writes that failed or were killed."""
        for name in storage.list_dir(self.directory):
            if name.endswith("_temp"):
                storage.delete_tree(storage.join(self.directory, name))

    def restore(self) -> str | None:
        """Restores the newest readable checkpoint; see `restore_newest`."""
        return restore_newest(self.checkpoint, self.directory)


def list_checkpoints(folder: str) -> list[str]:
    """Lists the paths of the checkpoints in a folder, newest first.

    It does not rely on TensorFlow's file `checkpoint`, which lists them too: a process
    may be killed before it writes that file.
    """
    matches = filter(None, map(_INDEX_FILE.fullmatch, storage.list_dir(folder)))
    numbers = sorted((int(match[1]) for match in matches), reverse=True)
    return [storage.join(folder, f"ckpt-{number}") for number in numbers]


def restore_newest(checkpoint: tf.train.Checkpoint, folder: str) -> str | None:
    """Restores the newest checkpoint of a folder that can be read.

    Prints a warning for each newer one that is damaged.

    Args:
      checkpoint: the objects to restore.
      folder: local or remote.

    Returns:
      The path of the checkpoint, or None if there is none.

    Raises:
      ValueError: all checkpoints are damaged, or the newest readable one is of another
        network.
    """
    warnings = []
    for path in list_checkpoints(folder):
        try:
            status = checkpoint.read(path).expect_partial()
            # Otherwise a variable that the file lacks would keep its initial value.
            status.assert_existing_objects_matched()
        except _READ_ERRORS as error:
            reason = str(error).strip().partition("\n")[0].partition(" [Op:")[0]
            lacks_variables = isinstance(error, AssertionError)
            if lacks_variables:
                reason = "it lacks some of the variables"
            if lacks_variables or _OTHER_SHAPE in reason:
                raise ValueError(
                    f"{path} is of another network than this version of the model "
                    f"builds, so it must be trained again ({reason})"
                ) from error
            warnings.append(f"warning: skipping damaged checkpoint {path}: {reason}")
            continue
        if warnings:
            print(*warnings, sep="\n", file=sys.stderr)
        return path
    if warnings:
        raise ValueError(
            f"{folder}: no checkpoint can be read; they are damaged ({reason})"
        )
    return None


def restore_model(model: keras.Model, folder: str) -> str | None:
    """Restores only the weights of a model; see `restore_newest`."""
    return restore_newest(tf.train.Checkpoint(model=model), folder)
