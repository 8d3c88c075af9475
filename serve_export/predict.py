"""Classifies drawings: reads ndjson, writes one line of JSON per drawing, in order.

    python -m serve_export.predict --export_dir=exports/rnn --input=cat.ndjson

A line that is not a drawing is reported on stderr and skipped; the exit status is then
1.
"""

import gzip
import itertools
import json
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import numpy as np
from absl import flags

from pipeline import cli
from pipeline.formats.text import ndjson_lines
from serve_export.predictor import AUTO, INPUT_FORMATS, RUNTIMES, Predictor, to_ink
from tfrecords import storage

BATCH_SIZE = 64


def predict_lines(
    predictor: Predictor,
    stream: BinaryIO,
    name: str,
    top_k: int = 3,
    input_format: str = AUTO,
) -> Iterator[str]:
    """Yields a line of JSON for each drawing of an ndjson stream.

    Args:
      predictor: classifies the drawings.
      stream: lines, simplified or raw.
      name: the stream's name, for error messages.
      top_k: number of guesses per drawing.
      input_format: one of `predictor.INPUT_FORMATS`.

    Raises:
      ValueError: after the last line, if some lines were not drawings.
    """
    num_rejected = 0

    def parse_lines() -> Iterator[tuple[ndjson_lines.Line, np.ndarray]]:
        nonlocal num_rejected
        for number, text in enumerate(stream, 1):
            if not text.strip():
                continue
            try:
                line = ndjson_lines.parse_line(text)
                yield line, to_ink(line.drawing, input_format)
            except ValueError as error:
                num_rejected += 1
                print(f"{name}:{number}: {error}", file=sys.stderr)

    lines = parse_lines()
    while batch := list(itertools.islice(lines, BATCH_SIZE)):
        guesses = predictor.guess_batch([ink for _, ink in batch], top_k)
        for (line, _), line_guesses in zip(batch, guesses):
            result: dict[str, Any] = {"key_id": str(line.key_id or "")}
            if line.word is not None:
                result["word"] = line.word
            result["guesses"] = [guess._asdict() for guess in line_guesses]
            yield json.dumps(result, ensure_ascii=False)
    if num_rejected:
        raise ValueError(f"{name}: {num_rejected} lines are not drawings")


def _define_flags() -> None:
    flags.DEFINE_string(
        "export_dir",
        None,
        "Directory of an export, or of its versions; default: the bundled model.",
    )
    flags.DEFINE_string(
        "input", None, "ndjson file, plain or .gz, local or gs://; - for stdin."
    )
    flags.DEFINE_integer("top_k", 3, "Number of guesses per drawing.")
    flags.DEFINE_enum(
        "format",
        AUTO,
        INPUT_FORMATS,
        "Format of the lines; auto takes integers within 0..255 for simplified.",
    )
    flags.DEFINE_enum(
        "runtime",
        AUTO,
        [AUTO, *RUNTIMES],
        "Runtime for the model; auto prefers LiteRT.",
    )


def main() -> None:
    """Classifies drawings as the flags say."""
    values = flags.FLAGS
    cli.require("input")
    if values.top_k < 1:
        raise ValueError(f"--top_k must be ≥ 1. Received: {values.top_k}")
    with _open_input(values.input) as stream:
        predictor = Predictor(values.export_dir, values.runtime)
        for line in predict_lines(
            predictor, stream, values.input, values.top_k, values.format
        ):
            print(line, flush=True)


def _open_input(path: str) -> BinaryIO:
    if path == "-":
        return sys.stdin.buffer
    file = storage.open_read(path)
    return cast(BinaryIO, gzip.open(file)) if path.endswith(".gz") else file


def run() -> None:
    """Entry point of `quickdraw-predict`."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
