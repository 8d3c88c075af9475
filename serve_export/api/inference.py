"""What takes long enough to be done beside the event loop: strokes → probabilities."""

import base64
import binascii
import math
import struct
from collections.abc import Sequence

import numpy as np

from pipeline.formats import png
from serve_export.predictor import SIMPLIFIED, Predictor, to_ink
from tfrecords import schema

MOST_PIXELS = 1 << 21
"""Of a picture: more would take more memory than all the rest."""

Drawing = Sequence[Sequence[Sequence[float]]]


class Work:
    """The jobs that a lane can be given, by name."""

    def __init__(self, predictor: Predictor):
        self._predictor = predictor

    def warm_up(self) -> None:
        """Answers a dot, so that nobody's first request waits."""
        self.answer([[[0], [0]]], SIMPLIFIED, math.inf)

    def ink(self, drawing: Drawing, form: str, longest: float) -> np.ndarray:
        """Makes ink `<float32>[T, 3]` (see `predictor.to_ink`)."""
        if form == SIMPLIFIED:  # JSON knows but one kind of number
            drawing = [[list(map(_whole, axis)) for axis in s] for s in drawing]
        return to_ink(drawing, form, longest)

    def answer(self, drawing: Drawing, form: str, longest: float) -> np.ndarray:
        """Gives the probabilities `<float32>[classes]` of strokes."""
        ink = self.ink(drawing, form, longest)
        return self._predictor.probabilities([ink])[0]

    def answer_picture(self, image: str) -> np.ndarray:
        """Gives the probabilities `<float32>[classes]` of a PNG in base64.

        Raises:
          ValueError: it is no picture, or too large a one.
        """
        try:
            data = base64.b64decode(image, validate=True)
        except binascii.Error as error:
            raise ValueError(f"no base64: {error}")
        _check_pixels(data)
        bitmap = png.parse(data, "picture").bitmap
        return self._predictor.probabilities([bitmap], schema.BITMAP)[0]

    def answer_batch(self, drawings: Sequence[np.ndarray], kind: str) -> np.ndarray:
        """Gives the probabilities `<float32>[batch, classes]` of the model's input."""
        return self._predictor.probabilities(drawings, kind)


def _whole(number: float) -> float | int:
    return int(number) if math.floor(number) == number else number


def _check_pixels(data: bytes) -> None:
    """Looks at the size of a PNG before it is unpacked.

    Source: https://www.w3.org/TR/png-3/#11IHDR
    """
    if data[:4] != png.MAGIC or len(data) < 24:
        raise ValueError("not a PNG")
    width, height = struct.unpack(">II", data[16:24])
    if width * height > MOST_PIXELS:
        raise ValueError(f"picture too large: {width} × {height} pixels")
