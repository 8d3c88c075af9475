"""Tables of text for terminals."""

import math
import re
from collections.abc import Sequence

_NUMBER = re.compile(r"[-+−<]?\s?\d|[-–]?$")


def format_table(
    head: Sequence[str], rows: Sequence[Sequence[str | int | float]]
) -> str:
    """Formats a table as lines of text, with a rule below the column names.

    Columns of numbers, with or without units, are aligned to the right.

    Args:
      head: Column names.
      rows: Cells of each row. An integer is shown with thousands separators, a float
        with four decimals, NaN as a dash.
    """
    cells = [[_format_cell(cell) for cell in row] for row in rows]
    columns = []
    for name, *values in zip(head, *cells):
        width = max(map(len, [name, *values]))
        align = str.rjust if all(map(_NUMBER.match, values)) else str.ljust
        columns.append([align(value, width) for value in [name, *values]])
    first, *rest = ("  ".join(line).rstrip() for line in zip(*columns))
    return "\n".join([first, "-" * len(first), *rest])


def _format_cell(cell: str | int | float) -> str:
    if isinstance(cell, float):
        return "–" if math.isnan(cell) else f"{cell:.4f}"
    return f"{cell:,}" if isinstance(cell, int) else cell
