"""Classifies drawings: writes one line of JSON per drawing, in the order of the input.

    python -m serve_export.predict --export_dir=exports/rnn --input='drawings/*.ndjson'

The input is anything that create_dataset reads: files, globs and folders. An item that
is not a drawing is reported on stderr and skipped; the exit status is then 1.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from absl import flags

from pipeline import cli, strokes
from pipeline.class_names import read_label_names
from pipeline.formats import input_files, reader, registry
from pipeline.formats.drawing import Drawing
from serve_export.predictor import AUTO, RUNTIMES, Guess, Predictor
from tfrecords import schema

BATCH_SIZE = 64


def predict_files(
    predictor: Predictor,
    inputs: Sequence[str],
    *,
    top_k: int = 3,
    input_format: str = "auto",
    label_names: Sequence[str] | None = None,
    log: Callable[[str], None] = lambda line: None,
) -> Iterator[dict[str, Any]]:
    """Classifies the drawings of files, in order.

    Args:
      predictor: the model.
      inputs: paths, globs and folders, local or remote; `-` for standard input.
      top_k: number of guesses per drawing.
      input_format: format of the files, one of `pipeline.formats.INPUT_FORMATS`.
      label_names: class names of integer labels, in the order of the labels.
      log: called with the format of a file that had to be decided, and with each item
        that is not a drawing.

    Yields:
      A dict with the drawing's `key_id`, its `word` if the input has one, and
      `guesses`, a list of `{"word", "probability"}`.

    Raises:
      ValueError: a file cannot be read; or, after the last drawing, some items were
        not drawings.
    """
    num_rejected = 0

    def log_format(path: str, detected: registry.Detected) -> None:
        if detected.reason:
            log(f"{path}: read as {detected.format}: {detected.reason}")

    def read_batches(path: str, size: int) -> Iterator[list[Drawing]]:
        nonlocal num_rejected
        try:
            for block in reader.read_file(
                reader.Share(path, size),
                input_format,
                label_names,
                on_detected=log_format,
            ):
                drawings = []
                parsed = registry.parse(block, needs_words=False)
                for number, item in enumerate(parsed, block.first):
                    if isinstance(item, Drawing):
                        drawings.append(item)
                    elif item is not None:
                        num_rejected += 1
                        log(f"{path}:{number}: {item}")
                yield from batch_drawings(drawings)
        except reader.FileErrors as error:
            raise ValueError(f"cannot read {path}: {error}") from None

    for path, size in input_files.match_files(list(inputs), allow_stdin=True).items():
        for batch in read_batches(path, size):
            batch_guesses = guess_drawings(predictor, batch, top_k)
            for drawing, guesses in zip(batch, batch_guesses):
                yield make_result(drawing.key_id, drawing.word, guesses)
    if num_rejected:
        raise ValueError(f"{num_rejected} items are not drawings")


def batch_drawings(drawings: Sequence[Drawing]) -> Iterator[list[Drawing]]:
    """Yields batches of up to `BATCH_SIZE` drawings of a block of a file."""
    for start in range(0, len(drawings), BATCH_SIZE):
        yield list(drawings[start : start + BATCH_SIZE])


def guess_drawings(
    predictor: Predictor, drawings: Sequence[Drawing], top_k: int
) -> list[list[Guess]]:
    """Classifies a batch of drawings of one file.

    Raises:
      ValueError: they are bitmaps and the model takes strokes.
    """
    if not drawings[0].is_bitmap:
        inks = [strokes.to_ink(drawing.points) for drawing in drawings]
        return predictor.guess_batch(inks, top_k)
    if not predictor.accepts_bitmaps:
        raise ValueError("this model classifies strokes, but the input holds bitmaps")
    bitmaps: list[np.ndarray] = [drawing.bitmap for drawing in drawings]
    return predictor.guess_batch(bitmaps, top_k, schema.BITMAP)


def make_result(key_id: str, word: str, guesses: Sequence[Guess]) -> dict[str, Any]:
    """Returns the output for a drawing; see `predict_files`."""
    result: dict[str, Any] = {"key_id": key_id}
    if word:
        result["word"] = word
    result["guesses"] = [guess._asdict() for guess in guesses]
    return result


def define_model_flags() -> None:
    """Defines the flags for the model and the number of guesses."""
    flags.DEFINE_string(
        "export_dir",
        None,
        "Directory of an export, or of its versions; default: the bundled model.",
    )
    flags.DEFINE_integer("top_k", 3, "Number of guesses per drawing.", lower_bound=1)
    flags.DEFINE_enum(
        "runtime",
        AUTO,
        [AUTO, *RUNTIMES],
        "Runtime for the model; auto prefers LiteRT.",
    )


def _define_flags() -> None:
    cli.define_list(
        "input",
        None,
        "Files of drawings: paths, globs and folders, separated by commas, plain or "
        "gzipped, local or gs://; - for stdin.",
    )
    input_files.define_flags()
    flags.DEFINE_alias("format", "input_format")
    define_model_flags()


def main() -> None:
    """Classifies drawings as the flags say."""
    values = flags.FLAGS
    cli.require("input")
    predictor = Predictor(values.export_dir, values.runtime)
    for result in predict_files(
        predictor,
        values.input,
        top_k=values.top_k,
        input_format=values.input_format,
        label_names=read_label_names(values.label_names),
        log=lambda line: print(line, file=sys.stderr),
    ):
        print(json.dumps(result, ensure_ascii=False), flush=True)


def run() -> None:
    """Entry point of `quickdraw-predict`."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
