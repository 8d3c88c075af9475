"""Measures how early a model recognizes a drawing while it is being drawn.

    python -m benchmarks.first_guess --export_dir=serve_export/pretrained \
      --input="$QUICKDRAW_DIR/pairs/raw/*.ndjson.gz"

The input is raw ndjson with the time of each point. The model classifies what has been
drawn at each of `SHARES` of the drawing time, as a server does with the strokes that a
page sends. Only drawings of the test split are used: with the default flags of
`pipeline.create_dataset`, a model is not trained on them. Their words must be known to
all exports.
"""

import glob
import gzip
import json
import math
from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

import numpy as np
from absl import flags

from pipeline import cli, strokes
from pipeline.beam_job.config import JobConfig
from pipeline.beam_job.splits import SplitAssigner
from pipeline.report.text_table import format_table
from serve_export.predictor import Predictor, to_ink

SHARES = np.linspace(0.01, 1, 100)
"""Shares of the drawing time at which the model guesses."""

SHOWN_SHARES = (0.25, 0.5, 0.75, 1.0)

SPLIT = "test"


class TimedDrawing(NamedTuple):
    """A drawing whose strokes are `[xs, ys, milliseconds]`."""

    word: str
    strokes: list[strokes.Stroke]

    @property
    def seconds(self) -> float:
        """Time from the first to the last point."""
        return (self.strokes[-1][2][-1] - self.strokes[0][2][0]) / 1000

    def drawn_after(self, share: float) -> list[list[Sequence[float]]]:
        """Returns the strokes that are drawn after a share of the time."""
        end = self.strokes[0][2][0] + 1000 * share * self.seconds
        drawn = []
        for xs, ys, times in self.strokes:
            count = int(np.searchsorted(times, end, side="right"))
            if count:
                drawn.append([xs[:count], ys[:count]])
        return drawn


def _define_flags() -> None:
    flags.DEFINE_list("export_dir", None, "Exports to compare.")
    flags.DEFINE_string("input", None, "Glob of raw ndjson files, plain or .gz.")


def main() -> None:
    """Runs the command with the parsed flags."""
    values = flags.FLAGS
    cli.require("export_dir", "input")
    predictors = [Predictor(export_dir) for export_dir in values.export_dir]
    words = set.intersection(*(set(predictor.classes) for predictor in predictors))
    drawings = load_test_drawings(values.input, words)
    rows = []
    for export_dir, predictor in zip(values.export_dir, predictors):
        is_correct = classify(predictor, drawings)
        rows.append([export_dir, *summarize(is_correct)])
    seconds = float(np.median([drawing.seconds for drawing in drawings]))
    print(f"{len(drawings):,} drawings, drawn in {seconds:.1f} s (median)")
    shown = [f"at {share:.0%}" for share in SHOWN_SHARES]
    print(format_table(["", *shown, "ever", "first right (median)"], rows))


def load_test_drawings(pattern: str, words: Set[str]) -> list[TimedDrawing]:
    """Loads the drawings of the test split that show one of the words.

    Raises:
      ValueError: no file matches, or there is no such drawing with a key and times.
    """
    config = JobConfig()
    assigner = SplitAssigner(config.splits, num_shards=1, seed=config.seed)
    split = list(config.splits).index(SPLIT)
    drawings = [
        TimedDrawing(line["word"], line["drawing"])
        for line in _read_lines(pattern)
        if line["word"] in words
        and "key_id" in line
        and assigner.assign([line["key_id"]]).split[0] == split
        and all(len(stroke) == 3 for stroke in line["drawing"])
    ]
    if not drawings:
        raise ValueError(
            f"{pattern}: no drawings of known words with keys and times in the split "
            f"{SPLIT}"
        )
    return drawings


def _read_lines(pattern: str) -> Iterator[dict]:
    paths = sorted(glob.glob(pattern))
    if not paths:
        raise ValueError(f"no files match {pattern}")
    for path in paths:
        open_file = gzip.open if path.endswith(".gz") else open
        with open_file(path, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def classify(predictor: Predictor, drawings: Sequence[TimedDrawing]) -> np.ndarray:
    """Classifies each drawing at each of `SHARES`.

    Returns:
      Whether the first guess is right, `<bool>[drawings, shares]`.
    """
    is_correct = np.zeros([len(drawings), len(SHARES)], bool)
    with cli.progress(len(drawings), "drawings") as bar:
        for row, drawing in zip(is_correct, drawings):
            inks = [to_ink(drawing.drawn_after(share)) for share in SHARES]
            guesses = predictor.guess_batch(inks, top_k=1)
            row[:] = [guess.word == drawing.word for (guess,) in guesses]
            bar.update()
    return is_correct


def summarize(is_correct: np.ndarray) -> list[float | str]:
    """Computes the columns of the table.

    Args:
      is_correct: `<bool>[drawings, shares]`.

    Returns:
      Accuracy at each of `SHOWN_SHARES`; the share of the drawings that are recognized
      at any time; the median of the time of the first right guess. A drawing that is
      never recognized counts as later than all others.
    """
    columns = [np.argmin(abs(SHARES - share)) for share in SHOWN_SHARES]
    is_recognized = is_correct.any(axis=1)
    first = np.where(is_recognized, SHARES[is_correct.argmax(axis=1)], math.inf)
    median = float(np.median(first))
    return [
        *(float(is_correct[:, column].mean()) for column in columns),
        float(is_recognized.mean()),
        f"{median:.0%}" if median < math.inf else "never",
    ]


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
