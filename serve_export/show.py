"""Shows some drawings of a data set in the terminal, with an export's guesses.

python -m serve_export.show --export_dir=exports/rnn --data_dir=data/qd10
"""

import itertools
from collections.abc import Iterator

import numpy as np
from absl import flags

from pipeline import cli, rasterize, strokes
from rnn_model import input_pipeline
from serve_export.predictor import SIMPLIFIED, Guess, Predictor
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

BLOCKS = " ▄▀█"
"""Which half of a character is ink: none, lower, upper, both."""

INK_FROM = 100
"""Grey value from which a pixel is shown as ink."""


def picture(points: np.ndarray) -> list[str]:
    """Draws points `<uint8>[T, 3]` as 14 lines of 28 characters, two pixels each."""
    ink = rasterize.rasterize(points) >= INK_FROM
    halves = 2 * ink[0::2] + ink[1::2]
    return ["".join(BLOCKS[cell] for cell in row) for row in halves]


def drawings_of(
    info: DatasetInfo, data_dir: str, split: str
) -> Iterator[tuple[str, np.ndarray]]:
    """Yields word and points `<uint8>[T, 3]` of each drawing of a split.

    Raises:
      ValueError: the data set holds bitmaps.
    """
    if info.kind != schema.INK:
        raise ValueError(f"{data_dir} holds bitmaps; an export answers strokes")
    for batch in input_pipeline.evaluation_batches(info, data_dir, split, 8):
        rows = zip(batch["ink"].numpy(), batch["length"].numpy(), batch["class_index"])
        for ink, length, class_index in rows:
            yield info.classes[class_index], strokes.from_ink(ink[:length])


def caption(word: str, guesses: list[Guess]) -> list[str]:
    """The word that was asked for, and the guesses under it."""
    found = [f"{guess.word} {guess.probability:.0%}" for guess in guesses]
    mark = "✓" if guesses[0].word == word else "✗"
    return [f"asked for: {word} {mark}", *found]


def _define_flags() -> None:
    flags.DEFINE_string("export_dir", None, "An export, or the folder of its versions.")
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string("split", "test", "Where the drawings are from.")
    flags.DEFINE_integer("count", 3, "How many drawings.", lower_bound=1)


def main() -> None:
    """Shows drawings as the flags say, side by side."""
    values = flags.FLAGS
    cli.require("export_dir", "data_dir")
    predictor = Predictor(values.export_dir)
    info = load_dataset_info(values.data_dir)
    panels = []
    source = drawings_of(info, values.data_dir, values.split)
    # Batches are sorted by length: steps through them show short and long ones.
    step = max(1, min(info.split(values.split).examples, 128) // values.count)
    for word, points in itertools.islice(source, 0, step * values.count, step):
        guesses = predictor.guess(strokes.to_drawing(points), form=SIMPLIFIED)
        panels.append(picture(points) + caption(word, guesses))
    for row in zip(*panels):
        print("   ".join(f"{cell:<28}" for cell in row).rstrip())


def run() -> None:
    """Runs the command."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
