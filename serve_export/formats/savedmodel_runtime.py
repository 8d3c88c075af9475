"""Answers with a SavedModel, where TensorFlow is installed."""

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline import strokes
from serve_export import layout
from tfrecords import schema

LARGEST_BATCH = 64


class SavedModel:
    """The SavedModel of an export; what comes while it is busy makes the next batch.

    Attributes: as those of `litert_runtime.LiteRT`.
    """

    lanes = LARGEST_BATCH
    forkable = False

    def __init__(self, path: str):
        """Loads `DIR/<version>`."""
        tf = layout.tensorflow()
        self._constant = tf.constant
        self._model = tf.saved_model.load(path)  # it must outlive its signatures
        assets = layout.join(path, "assets")
        words = layout.read_bytes(layout.join(assets, layout.CLASSES_ASSET))
        self.words = tuple(words.decode().splitlines())
        self.facts: dict[str, Any] = json.loads(
            layout.read_bytes(layout.join(assets, layout.FACTS_ASSET))
        )
        self._batchers = {
            schema.INK: Batcher(self._of_ink),
            schema.BITMAP: Batcher(self._of_bitmaps),
        }

    def probabilities(
        self, drawings: Sequence[np.ndarray], kind: str = schema.INK
    ) -> np.ndarray:
        """Gives `<float32>[batch, classes]`; see `predictor.Runtime`."""
        return np.stack(self._batchers[kind](drawings))

    def _of_ink(self, inks: Sequence[np.ndarray]) -> np.ndarray:
        ink, length = map(self._constant, strokes.pad_ink(inks))
        return self._call("serving_default", ink=ink, length=length)

    def _of_bitmaps(self, bitmaps: Sequence[np.ndarray]) -> np.ndarray:
        pixels = np.stack(bitmaps)[..., None].astype(np.float32) / 255
        return self._call("serve_bitmaps", bitmap=self._constant(pixels))

    def _call(self, signature: str, **inputs: Any) -> np.ndarray:
        return self._model.signatures[signature](**inputs)["probabilities"].numpy()


class Batcher:
    """Joins what several threads ask while one of them is being answered.

    There is no thread of its own: who finds the model free answers for all who wait.
    """

    def __init__(self, answer: Callable[[Sequence[Any]], Sequence[Any]]):
        self._answer = answer
        self._busy = threading.Lock()
        self._waiting: list[_Question] = []

    def __call__(self, items: Sequence[Any]) -> list[Any]:
        """Gives what `answer` gives for each item, in order; raises what it raises."""
        mine = [_Question(item) for item in items]
        self._waiting += mine
        while not all(question.done for question in mine):
            with self._busy:
                if not all(question.done for question in mine):
                    self._answer_some()
        for question in mine:
            if question.error:
                raise question.error
        return [question.answer for question in mine]

    def _answer_some(self) -> None:
        some = self._waiting[:LARGEST_BATCH]
        del self._waiting[: len(some)]
        try:
            answers = self._answer([question.item for question in some])
            for question, answer in zip(some, answers, strict=True):
                question.answer = answer
        except Exception as error:
            for question in some:
                question.error = error
        for question in some:
            question.done = True


class _Question:
    """An item on its way to its answer."""

    def __init__(self, item: Any):
        self.item, self.answer = item, None
        self.error: Exception | None = None
        self.done = False
