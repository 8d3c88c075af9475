"""What a run leaves in its workdir, and how evaluation and export get it back.

    config.json      the settings, which nobody is asked for again
    classes.txt      the words, one a line, in the order of the logits
    history.json     a dict per epoch
    checkpoints/     last/ to go on from, best/ by validation top-1
    logs/            for TensorBoard

Paths may be local or of any other scheme that `tf.io.gfile` knows.
"""

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from rnn_model import checkpoints, files, models
from rnn_model.config import TrainConfig

FILE_ERRORS = (
    tf.errors.AlreadyExistsError,
    tf.errors.DataLossError,
    tf.errors.FailedPreconditionError,
    tf.errors.NotFoundError,
    tf.errors.PermissionDeniedError,
    tf.errors.ResourceExhaustedError,
    tf.errors.UnimplementedError,
)


@contextlib.contextmanager
def file_errors() -> Iterator[None]:
    """Makes an OSError, which a command tells in a line, of TensorFlow's own."""
    try:
        yield
    except FILE_ERRORS as error:
        raise OSError(error.message.partition(" [Op:")[0]) from error


@dataclasses.dataclass(frozen=True)
class Workdir:
    """The paths and files of a run; any scheme that `tf.io.gfile` knows."""

    path: str

    def join(self, *parts: str) -> str:
        return tf.io.gfile.join(self.path, *parts)

    @property
    def best(self) -> str:
        return self.join("checkpoints", "best")

    @property
    def last(self) -> str:
        return self.join("checkpoints", "last")

    @property
    def logs(self) -> str:
        return self.join("logs")

    def exists(self) -> bool:
        return tf.io.gfile.exists(self.join("config.json"))

    def config(self) -> TrainConfig:
        return TrainConfig.from_json(
            self._read("config.json"), self.join("config.json")
        )

    def classes(self) -> tuple[str, ...]:
        return tuple(self._read("classes.txt").splitlines())

    def history(self) -> list[dict[str, Any]]:
        if not tf.io.gfile.exists(self.join("history.json")):
            return []
        try:
            return json.loads(self._read("history.json"))
        except json.JSONDecodeError as error:
            raise ValueError(f"{self.join('history.json')} is damaged: {error}")

    def start(self, config: TrainConfig, classes: tuple[str, ...]) -> None:
        """Writes the settings down, config last: with it, a run is here."""
        tf.io.gfile.makedirs(self.path)
        files.write(self.path, "classes.txt", "".join(f"{word}\n" for word in classes))
        files.write(self.path, "config.json", config.to_json())

    def write_history(self, history: list[dict[str, Any]]) -> None:
        files.write(self.path, "history.json", json.dumps(history, indent=1) + "\n")

    def load_best(self, *, use_cudnn: str | bool = "auto") -> keras.Model:
        """Builds the run's model, in float32, with its best weights.

        Raises:
          ValueError: there is no run, no checkpoint yet, or none that can be read.
        """
        config = dataclasses.replace(self.config(), precision="float32")
        classes = self.classes()
        model = models.build_model(config, len(classes), use_cudnn=use_cudnn)
        if checkpoints.restore_model(model, self.best) is None:
            raise ValueError(f"{self.path} has no checkpoint; did its training begin?")
        return model

    def _read(self, name: str) -> str:
        path = self.join(name)
        if not tf.io.gfile.exists(path):
            raise ValueError(f"{self.path} holds no run: there is no {name}")
        with tf.io.gfile.GFile(path) as file:
            return file.read()
