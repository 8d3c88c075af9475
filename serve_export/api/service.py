"""A request's drawing → the model's answer, within limits."""

from collections.abc import Sequence

import numpy as np

from pipeline import simplification
from serve_export.api.errors import ApiError
from serve_export.api.inference import Drawing, Work
from serve_export.api.settings import Settings
from serve_export.api.workers import Lanes, Processes, Threads
from serve_export.predictor import Guess, Predictor

QUICK_INK = 8_000
"""Way of the pen, in pixels of the box, that is simplified in a few milliseconds."""

QUICK_STROKES = 100
QUICK_BATCH = 4


class Service:
    """A predictor, the lanes it works in, and what they may be asked.

    Attributes:
      predictor: who answers.
      lanes: where.
    """

    def __init__(self, predictor: Predictor, settings: Settings):
        self.predictor = predictor
        self._settings = settings
        work, kind = Work(predictor), predictor.runtime
        pool = Processes if kind.forkable else Threads
        fast, slow = pool(work, kind.lanes), pool(work, 1)
        self.lanes = Lanes(fast, slow, settings.max_waiting)

    async def ink(self, drawing: Drawing, form: str) -> np.ndarray:
        """Makes a drawing's ink `<float32>[T, 3]`.

        Raises:
          ApiError: the strokes are no drawing, or too much of one.
        """
        return await self._within("ink", drawing, form)

    async def answer(self, drawing: Drawing, form: str) -> np.ndarray:
        """Gives the probabilities `<float32>[classes]` of a drawing.

        Raises:
          ApiError: as `ink` does.
        """
        return await self._within("answer", drawing, form)

    async def answer_picture(self, image: str) -> np.ndarray:
        """Gives the probabilities `<float32>[classes]` of a PNG in base64.

        Raises:
          ApiError: the model reads strokes, or this is no picture.
        """
        if not self.predictor.takes_bitmaps:
            raise ApiError(
                422, "invalid_request", "this model reads strokes: send a drawing"
            )
        try:
            return await self.lanes.run("answer_picture", image, slow=True)
        except ValueError as error:
            raise ApiError(422, "invalid_image", str(error))

    async def answer_batch(
        self, drawings: Sequence[np.ndarray], kind: str
    ) -> np.ndarray:
        """Gives the probabilities `<float32>[batch, classes]` of the model's input."""
        many = len(drawings) > QUICK_BATCH
        long = sum(map(len, drawings)) > self._settings.max_points
        return await self.lanes.run("answer_batch", drawings, kind, slow=many or long)

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

    async def _within(self, name: str, drawing: Drawing, form: str) -> np.ndarray:
        """Does a job in a fast lane if it can, else in the slow one."""
        self._check_size(drawing)
        most = self._settings.max_ink
        many = len(drawing) > QUICK_STROKES
        run = self.lanes.run
        try:
            try:
                return await run(name, drawing, form, min(QUICK_INK, most), slow=many)
            except simplification.StrokesTooLongError:
                return await run(name, drawing, form, most, slow=True)
        except ValueError as error:
            raise ApiError(422, "invalid_drawing", str(error))

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
