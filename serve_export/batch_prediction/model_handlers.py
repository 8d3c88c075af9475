"""Model handlers for Beam's RunInference: an exported LiteRT model or SavedModel.

An element is a batch of drawings of one block of a file. `predict` makes the same
batches, so that both compute the same bits.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from apache_beam.ml.inference.base import ModelHandler, PredictionResult

from pipeline.formats.drawing import Drawing
from serve_export.predict import guess_drawings
from serve_export.predictor import Predictor


class DrawingBatch(NamedTuple):
    """Drawings of one block of a file, all ink or all bitmaps.

    Attributes:
      file: path of the file.
      numbers: number of each drawing in the file.
      drawings: at most `predict.BATCH_SIZE`.
    """

    file: str
    numbers: list[int]
    drawings: list[Drawing]


class _ExportHandler(ModelHandler[DrawingBatch, PredictionResult, Predictor]):
    """Runs an export; the result for a batch is a list of `Guess` per drawing."""

    runtime: str

    def __init__(self, export_path: str, top_k: int = 3):
        """Initializes the handler.

        Args:
          export_path: `EXPORT_DIR/<version>`, which the workers can read.
          top_k: number of guesses per drawing.
        """
        super().__init__(max_batch_size=1)
        self._export_path, self._top_k = export_path, top_k

    def load_model(self) -> Predictor:
        """Loads the export; runs once per process."""
        return Predictor(self._export_path, self.runtime)

    def run_inference(
        self,
        batch: Sequence[DrawingBatch],
        model: Predictor,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[PredictionResult]:
        """Yields the guesses for each batch of drawings."""
        for element in batch:
            guesses = guess_drawings(model, element.drawings, self._top_k)
            yield PredictionResult(element, guesses)

    def get_num_bytes(self, batch: Sequence[DrawingBatch]) -> int:
        """Returns the number of bytes of the drawings."""
        return sum(len(d.packed) for element in batch for d in element.drawings)

    def get_metrics_namespace(self) -> str:
        """Returns the namespace of the metrics of RunInference."""
        return f"quickdraw_{self.runtime}"


class LiteRTModelHandler(_ExportHandler):
    """Runs the LiteRT model of an export, without TensorFlow."""

    runtime = "litert"


class SavedModelHandler(_ExportHandler):
    """Runs the SavedModel of an export."""

    runtime = "savedmodel"


HANDLERS: Mapping[str, type[_ExportHandler]] = {
    handler.runtime: handler for handler in (LiteRTModelHandler, SavedModelHandler)
}
"""By the name of the runtime, see `predictor.RUNTIMES`."""
