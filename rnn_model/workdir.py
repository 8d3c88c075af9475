"""The files of a run, which evaluation and export read.

    config.json      the settings of the run
    classes.txt      the words, one per line, in the order of the logits
    history.json     a list with one dict of metrics per epoch
    checkpoints/     last/ to resume from, best/ by validation top-1
    logs/            for TensorBoard

A workdir may be on remote storage (see `tfrecords.storage`).
"""

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rnn_model.config import TrainConfig
from tfrecords import storage

if TYPE_CHECKING:
    import keras

History = list[dict[str, Any]]
"""Metrics of each epoch, as in `history.json`."""

GLOB_CHARACTERS = "[]\\"


@dataclasses.dataclass(frozen=True)
class Workdir:
    """The paths and files of a run.

    Raises:
      ValueError: TensorFlow cannot read checkpoints from such a path.
    """

    path: str

    def __post_init__(self) -> None:
        # TensorFlow matches the path of a checkpoint as a glob pattern.
        if any(character in self.path for character in GLOB_CHARACTERS):
            raise ValueError(
                "the path of a run must not contain any of "
                f"{' '.join(GLOB_CHARACTERS)}, because TensorFlow cannot read "
                f"checkpoints from it. Received: {self.path}"
            )

    def join(self, *names: str) -> str:
        """Joins the path of the workdir and the names below it."""
        return storage.join(self.path, *names)

    @property
    def best(self) -> str:
        """Folder of the checkpoint with the best validation top-1."""
        return self.join("checkpoints", "best")

    @property
    def last(self) -> str:
        """Folder of the checkpoints to resume from."""
        return self.join("checkpoints", "last")

    @property
    def logs(self) -> str:
        """Folder of the TensorBoard logs."""
        return self.join("logs")

    def has_run(self) -> bool:
        """Returns whether a run was started here."""
        return storage.exists(self.join("config.json"))

    def read_config(self) -> TrainConfig:
        """Reads the settings of the run."""
        return TrainConfig.from_json(
            self._read("config.json"), self.join("config.json")
        )

    def read_classes(self) -> tuple[str, ...]:
        """Reads the words, in the order of the logits."""
        return tuple(self._read("classes.txt").splitlines())

    def read_history(self) -> History:
        """Reads the metrics of each epoch; empty before the first epoch ends."""
        if not storage.exists(self.join("history.json")):
            return []
        try:
            history: History = json.loads(self._read("history.json"))
        except json.JSONDecodeError as error:
            raise ValueError(f"{self.join('history.json')} is damaged: {error}")
        return history

    def write_settings(self, config: TrainConfig, classes: tuple[str, ...]) -> None:
        """Writes the settings; the config comes last and marks the run as started."""
        storage.make_dirs(self.path)
        words = "".join(f"{word}\n" for word in classes)
        storage.write_atomic(self.join("classes.txt"), words)
        storage.write_atomic(self.join("config.json"), config.to_json())

    def write_history(self, history: History) -> None:
        """Writes the metrics of each epoch."""
        text = json.dumps(history, indent=1) + "\n"
        storage.write_atomic(self.join("history.json"), text)

    def load_best(
        self, *, use_cudnn: str | bool = "auto", precision: str = "float32"
    ) -> "keras.Model":
        """Builds the model of the run with its best weights.

        Args:
          use_cudnn: see `models.build_model`.
          precision: to compute with; the weights are float32.

        Raises:
          ValueError: there is no run, no checkpoint yet, or none that can be read.
        """
        from rnn_model import checkpoints, models

        config = dataclasses.replace(self.read_config(), precision=precision)
        num_classes = len(self.read_classes())
        model = models.build_model(config, num_classes, use_cudnn=use_cudnn)
        if checkpoints.restore_model(model, self.best) is None:
            raise ValueError(
                f"{self.path} has no checkpoint yet: no epoch of its training has ended"
            )
        return model

    def _read(self, name: str) -> str:
        try:
            return storage.read_text(self.join(name))
        except (FileNotFoundError, NotADirectoryError):
            raise ValueError(f"{self.path} holds no run: there is no {name}") from None


@contextlib.contextmanager
def file_errors_as_oserror() -> Iterator[None]:
    """Raises TensorFlow's errors about files as OSError, which commands report."""
    import tensorflow as tf

    try:
        yield
    except (
        tf.errors.AlreadyExistsError,
        tf.errors.DataLossError,
        tf.errors.FailedPreconditionError,
        tf.errors.NotFoundError,
        tf.errors.PermissionDeniedError,
        tf.errors.ResourceExhaustedError,
        tf.errors.UnimplementedError,
    ) as error:
        raise OSError(error.message.partition(" [Op:")[0]) from error
