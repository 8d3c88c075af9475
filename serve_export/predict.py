"""Guesses what drawings show: ndjson in, one line of JSON per drawing out, in order.

    python -m serve_export.predict --export_dir=exports/rnn --input=cat.ndjson

A line that is no drawing is named on stderr; the others are answered all the same,
and the exit status is 1.
"""

import gzip
import itertools
import json
import sys
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from absl import flags

from pipeline import cli
from pipeline.formats.text import ndjson_lines
from serve_export import layout
from serve_export.predictor import AUTO, FORMS, RUNTIMES, Predictor, to_ink

BATCH = 64


def answer_lines(
    predictor: Predictor, stream: BinaryIO, name: str, top_k: int, form: str = AUTO
) -> Iterator[str]:
    """Yields a line of JSON for each drawing of an ndjson stream.

    Args:
      predictor: who answers.
      stream: lines, simplified or raw.
      name: the stream's name, for error messages.
      top_k: guesses per drawing.
      form: what the lines are, of `predictor.FORMS`.

    Raises:
      ValueError: at the end, when some lines were no drawings.
    """
    bad = 0

    def drawings() -> Iterator[tuple[ndjson_lines.Line, np.ndarray]]:
        nonlocal bad
        for number, text in enumerate(stream, 1):
            if not text.strip():
                continue
            try:
                line = ndjson_lines.parse_line(text)
                yield line, to_ink(line.drawing, form)
            except ValueError as error:
                bad += 1
                print(f"{name}:{number}: {error}", file=sys.stderr)

    source = drawings()
    while batch := list(itertools.islice(source, BATCH)):
        guesses = predictor.guesses([ink for _, ink in batch], top_k)
        for (line, _), found in zip(batch, guesses):
            answer = {"key_id": str(line.key_id or "")}
            if line.word is not None:
                answer["word"] = line.word
            answer["guesses"] = [guess._asdict() for guess in found]
            yield json.dumps(answer, ensure_ascii=False)
    if bad:
        raise ValueError(f"{name}: {bad} lines are no drawings")


def _define_flags() -> None:
    flags.DEFINE_string(
        "export_dir",
        None,
        "An export, or the folder of its versions; without it the package's own model.",
    )
    flags.DEFINE_string(
        "input", None, "File of ndjson, plain or .gz, local or gs://; - for stdin."
    )
    flags.DEFINE_integer("top_k", 3, "Guesses per drawing; at most all classes.")
    flags.DEFINE_enum(
        "format",
        AUTO,
        FORMS,
        "What the lines are; auto takes integers within 0..255 for simplified.",
    )
    flags.DEFINE_enum(
        "runtime",
        AUTO,
        [AUTO, *RUNTIMES],
        "What runs the model; auto takes LiteRT where the export has it.",
    )


def main() -> None:
    """Predicts as the flags say."""
    values = flags.FLAGS
    cli.require("input")
    if values.top_k < 1:
        raise ValueError(f"--top_k must be ≥ 1. Received: {values.top_k}")
    with _open(values.input) as stream:
        predictor = Predictor(values.export_dir, values.runtime)
        for line in answer_lines(
            predictor, stream, values.input, values.top_k, values.format
        ):
            print(line, flush=True)


def _open(path: str) -> BinaryIO:
    if path == "-":
        return sys.stdin.buffer
    if layout.is_remote(path):
        file = layout.beam().open(path, compression_type="uncompressed")
    else:
        file = open(path, "rb")  # noqa: SIM115 - who asked for it closes it
    return gzip.open(file) if path.endswith(".gz") else file


def run() -> None:
    """Entry point of `quickdraw-predict`."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
