"""Shows drawings of a data set in the terminal, with the guesses of an export.

    python -m serve_export.show --export_dir=exports/rnn --data_dir=data/mine

A data set of bitmaps cannot be shown.
"""

import itertools
from collections.abc import Iterator

import numpy as np
from absl import flags

from pipeline import cli, rasterize, strokes
from serve_export.predictor import SIMPLIFIED, Guess, Predictor
from tfrecords import read, schema
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

BLOCKS = " ▄▀█"
"""Characters for two pixels, one above the other: none, lower, upper, both."""

INK_THRESHOLD = 100
"""Gray value from which a pixel is shown."""

MAX_SKIPPED = 40
"""At most so many drawings lie between two that are shown."""


def render_text(points: np.ndarray) -> list[str]:
    """Draws points `<uint8>[time, 3]` as 14 lines of 28 characters."""
    is_ink = rasterize.rasterize(points) >= INK_THRESHOLD
    blocks = 2 * is_ink[0::2] + is_ink[1::2]
    return ["".join(BLOCKS[block] for block in row) for row in blocks]


def read_drawings(
    info: DatasetInfo, data_dir: str, split: str
) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the class and the points `<uint8>[time, 3]` of each drawing of a split.

    Raises:
      ValueError: the data set contains bitmaps.
    """
    if info.kind != schema.INK:
        raise ValueError(f"{data_dir} contains bitmaps; show needs strokes")
    for record in read.read_split(info, data_dir, split):
        assert record.ink is not None, "info.kind says that the records contain ink"
        yield info.classes[record.class_index], strokes.from_ink(record.ink)


def format_caption(word: str, guesses: list[Guess]) -> list[str]:
    """Returns lines with the true class and the guesses."""
    mark = "✓" if guesses[0].word == word else "✗"
    lines = [f"{guess.word} {guess.probability:.0%}" for guess in guesses]
    return [f"true class: {word} {mark}", *lines]


def _define_flags() -> None:
    flags.DEFINE_string("export_dir", None, "Directory of an export or its versions.")
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string("split", "test", "Split that the drawings are taken from.")
    flags.DEFINE_integer("count", 3, "Number of drawings.", lower_bound=1)


def main() -> None:
    """Shows drawings side by side, as the flags say."""
    values = flags.FLAGS
    cli.require("export_dir", "data_dir")
    predictor = Predictor(values.export_dir)
    info = load_dataset_info(values.data_dir)
    drawings = read_drawings(info, values.data_dir, values.split)
    step = min(MAX_SKIPPED, max(1, info.split(values.split).examples // values.count))
    panels = []
    for word, points in itertools.islice(drawings, 0, step * values.count, step):
        guesses = predictor.guess(strokes.to_drawing(points), input_format=SIMPLIFIED)
        panels.append(render_text(points) + format_caption(word, guesses))
    for row in zip(*panels):
        print("   ".join(f"{cell:<28}" for cell in row).rstrip())


def run() -> None:
    """Runs the command."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
