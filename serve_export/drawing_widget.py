"""A canvas for notebooks that shows a model's guesses while the user draws.

    from serve_export.drawing_widget import DrawingWidget
    from serve_export.predictor import Predictor

    DrawingWidget(Predictor("exports/rnn"))

Runs in Jupyter, VS Code and Colab through anywidget, https://anywidget.dev, which the
extra `notebook` installs.
"""

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from serve_export.predictor import Predictor


class DrawingWidget(anywidget.AnyWidget):
    """Canvas with a list of guesses.

    Attributes:
      strokes: Strokes `[[xs, ys], …]` in pixels, from the canvas.
      guesses: Class names and probabilities `[[word, probability], …]`.
      message: Error message if the strokes could not be classified.
    """

    _esm = Path(__file__).with_name("drawing_widget.js")

    strokes: traitlets.List[Any] = traitlets.List().tag(sync=True)
    guesses: traitlets.List[Any] = traitlets.List().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)

    def __init__(self, predictor: Predictor, top_k: int = 3, **settings: Any):
        """Creates a widget.

        Args:
          predictor: Classifies the strokes.
          top_k: Number of guesses to show.
          **settings: Arguments of `anywidget.AnyWidget`, such as `layout`.
        """
        super().__init__(**settings)
        self._predictor = predictor
        self._top_k = top_k
        self.observe(self._classify, "strokes")

    def _classify(self, change: dict[str, Any]) -> None:
        guesses: list[list[str | float]] = []
        message = ""
        if strokes := change["new"]:
            try:
                for guess in self._predictor.guess(strokes, top_k=self._top_k):
                    guesses.append([guess.word, guess.probability])
            except ValueError as error:
                message = str(error)
        self.guesses, self.message = guesses, message
