"""The form of the strokes of a whole file: simplified or raw, axes or points.

Real numbers, numbers outside 0..255 and a third axis mean raw. Integers in 0..255 may
be either: simplified drawings, or raw ones on a small canvas. Simplified drawings fill
the box (see `strokes.FILLED_EXTENT`), on a small canvas almost none does. Most drawings
of the sample decide, so a damaged line changes no other.
"""

import contextlib
import dataclasses
from collections.abc import Sequence

import numpy as np

from pipeline import strokes
from pipeline.formats.blocks import UnreadableFileError
from pipeline.formats.drawing import Drawing
from pipeline.formats.text import ndjson_lines
from pipeline.strokes import AXES, FILLED_EXTENT, POINTS

SIMPLIFIED, RAW = "simplified", "raw"
RAW_WITH_TIMES = "raw with times"
"""Raw as Google publishes it; a line of two axes within the box is rejected."""

MIN_FILLED_SIMPLIFIED = 0.75
MAX_FILLED_RAW = 0.25
"""Share of the drawings that fill the box; between the two a file is neither."""


@dataclasses.dataclass(frozen=True)
class StrokeForm:
    """The form of the strokes of a file.

    Attributes:
      form: SIMPLIFIED, RAW or RAW_WITH_TIMES.
      layout: AXES or POINTS.
      has_words: whether any line has a class name.
      reason: why the file has this form.
    """

    form: str
    layout: str
    has_words: bool
    reason: str

    @property
    def format(self) -> str:
        """The key of this form in `registry.FORMATS`."""
        return self.form if self.layout == AXES else f"{self.form} {POINTS}"


def find_form(texts: Sequence[bytes], input_format: str) -> StrokeForm:
    """Finds the form of a file from its first lines.

    Args:
      texts: the first lines or items of the file, a JSON object each.
      input_format: SIMPLIFIED or RAW if the user has named it, else "auto".

    Raises:
      UnreadableFileError: some drawings fill the box and others do not.
    """
    texts = [text for text in texts if text.strip()]
    parsed = ndjson_lines.parse_all_simplified(b"\n".join(texts), "") if texts else []
    drawings = [each for each in parsed if isinstance(each, Drawing)]
    if input_format == "auto" and len(drawings) == len(texts):
        # As below, but several times faster.
        extents = [_extent_of_packed(drawing.packed) for drawing in drawings]
        form, reason = _form_by_extent(extents, len(texts))
        return StrokeForm(form, AXES, bool(texts), reason)
    lines = []
    for text in texts:
        with contextlib.suppress(ValueError):  # a line that will be rejected
            lines.append(ndjson_lines.parse_object(text))
    layout = strokes.find_layout(line.drawing for line in lines)
    has_words = any(line.word and line.word.strip() for line in lines)
    axes = []
    for line in lines:
        with contextlib.suppress(ValueError):
            drawing = strokes.to_axes(line.drawing, layout)
            strokes.check_strokes(drawing)
            axes.append(drawing)
    if input_format != "auto":
        return StrokeForm(input_format, layout, has_words, "as named by --input_format")
    form, reason = _find_form(axes)
    return StrokeForm(form, layout, has_words, reason)


def _find_form(drawings: Sequence[Sequence[strokes.Stroke]]) -> tuple[str, str]:
    """Returns the form of most drawings, and the reason."""
    boxed = [extent for d in drawings if (extent := _extent_in_box(d)) is not None]
    form, reason = _form_by_extent(boxed, len(drawings))
    outside = len(drawings) - len(boxed)
    if form == SIMPLIFIED or not outside:
        return form, reason
    timed = sum(len(drawing[0]) > 2 for drawing in drawings)
    if 2 * timed > len(drawings):
        return (
            RAW_WITH_TIMES,
            f"{timed} of the first {len(drawings)} drawings have times",
        )
    return RAW, (
        f"{outside} of the first {len(drawings)} drawings are not integers in "
        f"0..{strokes.BOX}"
    )


def _extent_in_box(drawing: Sequence[strokes.Stroke]) -> float | None:
    """Returns the larger side of a drawing; None if it cannot be simplified."""
    if any(len(stroke) > 2 for stroke in drawing):
        return None
    numbers = np.concatenate([np.array(s, np.float64) for s in drawing], axis=1)
    if (numbers != np.rint(numbers)).any():
        return None
    if numbers.min() < 0 or numbers.max() > strokes.BOX:
        return None
    return float(np.ptp(numbers, axis=1).max())


def _extent_of_packed(packed: bytes) -> int:
    axes = (packed[0::3], packed[1::3])
    return max(max(axis) - min(axis) for axis in axes)


def _form_by_extent(extents: Sequence[float], count: int) -> tuple[str, str]:
    """Returns the form by the share of drawings that fill the box, and the reason.

    Args:
      extents: of the drawings that are integers in 0..255.
      count: number of all drawings.
    """
    filled = sum(extent >= FILLED_EXTENT for extent in extents)
    reason = f"{filled} of the first {count} drawings fill the box of {strokes.BOX} px"
    if filled >= MIN_FILLED_SIMPLIFIED * count:
        return SIMPLIFIED, reason
    if filled <= MAX_FILLED_RAW * count:
        return RAW, reason
    raise UnreadableFileError(
        f"{reason}: neither simplified nor raw drawings on a small canvas; name the "
        "form with --input_format=simplified or --input_format=raw"
    )
