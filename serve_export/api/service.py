"""A request's drawing → the model's answer, within limits."""

import base64
import binascii
import math
import struct
from collections.abc import Callable, Sequence

import numpy as np

from pipeline import strokes
from pipeline.formats import png
from serve_export.api.errors import ApiError
from serve_export.api.lanes import Lanes
from serve_export.api.settings import Settings
from serve_export.predictor import SIMPLIFIED, Guess, Predictor, to_ink
from tfrecords import schema

QUICK_INK = 8_000
"""Way of the pen, in pixels of the box, that is simplified in a few milliseconds."""

QUICK_STROKES = 100

MOST_PIXELS = 1 << 21
"""Of a picture: more would take more memory than all the rest."""

Drawing = Sequence[Sequence[Sequence[float]]]


class Service:
    """A predictor, the lanes it works in, and what they may be asked.

    Attributes:
      predictor: who answers.
      lanes: where.
    """

    def __init__(self, predictor: Predictor, settings: Settings):
        self.predictor = predictor
        self._settings = settings
        threads = predictor.runtime.threads
        self.lanes = Lanes(threads, settings.max_waiting)
        dot = to_ink([[[0], [0]]])
        self.lanes.warm_up(lambda: predictor.probabilities([dot]), threads)

    async def ink(self, drawing: Drawing, form: str) -> np.ndarray:
        """Makes a drawing's ink `<float32>[T, 3]`.

        Raises:
          ApiError: the strokes are no drawing, or too much of one.
        """
        return await self._within(_to_ink, drawing, form)

    async def answer(self, drawing: Drawing, form: str) -> np.ndarray:
        """Gives the probabilities `<float32>[classes]` of a drawing.

        Raises:
          ApiError: as `ink` does.
        """
        return await self._within(self._answer, drawing, form)

    async def answer_picture(self, image: str) -> np.ndarray:
        """Gives the probabilities `<float32>[classes]` of a PNG in base64.

        Raises:
          ApiError: the model reads strokes, or this is no picture.
        """
        if not self.predictor.takes_bitmaps:
            raise ApiError(
                422, "invalid_request", "this model reads strokes: send a drawing"
            )
        return await self.lanes.run(self._answer_picture, image, slow=True)

    async def answer_batch(
        self, drawings: Sequence[np.ndarray], kind: str
    ) -> np.ndarray:
        """Gives the probabilities `<float32>[batch, classes]` of the model's input."""
        slow = sum(map(len, drawings)) > self._settings.max_points or len(drawings) > 4
        return await self.lanes.run(
            self.predictor.probabilities, drawings, kind, slow=slow
        )

    def guesses(self, probabilities: np.ndarray, top_k: int) -> list[dict]:
        """The likeliest words, as they are answered."""
        best = np.argsort(-probabilities, kind="stable")[:top_k]
        words = self.predictor.classes
        return [Guess(words[i], float(probabilities[i]))._asdict() for i in best]

    def place_of(self, word: str) -> int:
        """The place of a word among the classes; ApiError where it is unknown."""
        try:
            return self.predictor.classes.index(word)
        except ValueError:
            raise ApiError(
                422, "unknown_word", "the model does not know that word; /v1/classes"
            )

    async def _within(
        self, work: Callable[..., np.ndarray], drawing: Drawing, form: str
    ) -> np.ndarray:
        """Does the work in the fast lane if it can, else in the slow one."""
        self._check_size(drawing)
        most = self._settings.max_ink
        many = len(drawing) > QUICK_STROKES
        run = self.lanes.run
        try:
            try:
                return await run(work, drawing, form, min(QUICK_INK, most), slow=many)
            except strokes.TooLong:
                return await run(work, drawing, form, most, slow=True)
        except ValueError as error:
            raise ApiError(422, "invalid_drawing", str(error))

    def _answer(self, drawing: Drawing, form: str, longest: float) -> np.ndarray:
        return self.predictor.probabilities([_to_ink(drawing, form, longest)])[0]

    def _answer_picture(self, image: str) -> np.ndarray:
        try:
            data = base64.b64decode(image, validate=True)
            _check_pixels(data)
            drawing = png.parse(data, "picture")
        except (binascii.Error, ValueError) as error:
            raise ApiError(422, "invalid_image", str(error))
        return self.predictor.probabilities([drawing.bitmap], schema.BITMAP)[0]

    def _check_size(self, drawing: Drawing) -> None:
        points = sum(len(axis) for stroke in drawing for axis in stroke[:1])
        for what, number, most in (
            ("strokes", len(drawing), self._settings.max_strokes),
            ("points", points, self._settings.max_points),
        ):
            if number > most:
                raise ApiError(
                    422, "too_large", f"{number:,} {what}; at most {most:,} are taken"
                )


def _to_ink(drawing: Drawing, form: str, longest: float) -> np.ndarray:
    if form == SIMPLIFIED:  # JSON knows but one kind of number
        drawing = [[[_whole(v) for v in axis] for axis in stroke] for stroke in drawing]
    return to_ink(drawing, form, longest)


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
