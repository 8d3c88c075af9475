"""Runs a SavedModel, with TensorFlow."""

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline import cli, strokes
from serve_export import layout
from tfrecords import schema, storage

MAX_BATCH_SIZE = 64


class SavedModelRuntime:
    """Runs the SavedModel of an export; implements `predictor.Runtime`.

    Concurrent calls are joined into batches.
    """

    def __init__(self, path: str):
        """Loads the SavedModel of `EXPORT_DIR/<version>`."""
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        tf = cli.import_extra("tensorflow", "train")
        self._constant = tf.constant
        self._model = tf.saved_model.load(path)  # must outlive its signatures
        assets = storage.join(path, layout.ASSETS_DIR)
        classes = storage.read_bytes(storage.join(assets, layout.CLASSES_FILE))
        self.classes = tuple(classes.decode().splitlines())
        self.preprocessing: Mapping[str, Any] = json.loads(
            storage.read_bytes(storage.join(assets, layout.PREPROCESSING_FILE))
        )
        self._batchers = {
            schema.INK: Batcher(self._classify_ink),
            schema.BITMAP: Batcher(self._classify_bitmaps),
        }

    def predict_probabilities(
        self, drawings: Sequence[np.ndarray], kind: str = schema.INK
    ) -> np.ndarray:
        """Returns `<float32>[batch, classes]`; see `predictor.Runtime`."""
        return np.stack(self._batchers[kind](drawings))

    def _classify_ink(self, inks: Sequence[np.ndarray]) -> np.ndarray:
        ink, length = map(self._constant, strokes.pad_ink(inks))
        return self._call("serving_default", ink=ink, length=length)

    def _classify_bitmaps(self, bitmaps: Sequence[np.ndarray]) -> np.ndarray:
        pixels = np.stack(bitmaps)[..., None].astype(np.float32) / 255
        return self._call("serve_bitmaps", bitmap=self._constant(pixels))

    def _call(self, signature: str, **inputs: Any) -> np.ndarray:
        return self._model.signatures[signature](**inputs)["probabilities"].numpy()


class Batcher:
    """Joins the items of concurrent calls into batches.

    It has no thread of its own: the caller that finds the function idle processes the
    items of all callers that wait.
    """

    def __init__(self, function: Callable[[Sequence[Any]], Any]):
        """Initializes the batcher.

        Args:
          function: returns one result per item, for up to `MAX_BATCH_SIZE` items.
        """
        self._function = function
        self._lock = threading.Lock()
        self._pending: list[_PendingItem] = []

    def __call__(self, items: Sequence[Any]) -> list[Any]:
        """Returns the function's result of each item, or raises its exception."""
        own = [_PendingItem(item) for item in items]
        self._pending += own
        while not all(pending.done for pending in own):
            with self._lock:
                if not all(pending.done for pending in own):
                    self._process_batch()
        for pending in own:
            if pending.error:
                raise pending.error
        return [pending.result for pending in own]

    def _process_batch(self) -> None:
        batch = self._pending[:MAX_BATCH_SIZE]
        del self._pending[: len(batch)]
        try:
            results = self._function([pending.item for pending in batch])
            for pending, result in zip(batch, results, strict=True):
                pending.result = result
        except Exception as error:
            for pending in batch:
                pending.error = error
        for pending in batch:
            pending.done = True


class _PendingItem:
    """An item, and its result once it is processed."""

    def __init__(self, item: Any):
        self.item, self.result = item, None
        self.error: Exception | None = None
        self.done = False
