"""What stands in an export beside the model: how good it is, and its examples."""

import json
from typing import NamedTuple

from pipeline.formats.text.ndjson_lines import parse_line
from serve_export import layout, model_card


class Exported(NamedTuple):
    """What an export tells; empty where it was made without a data set.

    Attributes:
      top1: word to the share of test drawings that were guessed at once.
      examples: word to strokes `[[xs, ys], …]` of a typical drawing.
      attribution: whose the drawings are, and on which terms.
    """

    top1: dict[str, float]
    examples: dict[str, list[list[list[int]]]]
    attribution: str


def read(path: str) -> Exported:
    """Reads `DIR/<version>`."""
    metrics, examples = {}, b""
    if layout.exists(file := layout.join(path, layout.METRICS)):
        metrics = json.loads(layout.read_bytes(file))
    if layout.exists(file := layout.join(path, layout.EXAMPLES)):
        examples = layout.read_bytes(file)
    drawings: dict[str, list] = {}
    for line in map(parse_line, examples.splitlines()):
        drawings.setdefault(line.word, []).append(line.drawing)
    return Exported(
        {word: of["top1"] for word, of in metrics.get("classes", {}).items()},
        drawings,
        metrics.get("attribution", model_card.ATTRIBUTION),
    )
