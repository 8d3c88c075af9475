"""The int8 check: warns about formats whose 8-bit weights cost accuracy."""

import sys
from collections.abc import Sequence

from serve_export.validation.compare_formats import FormatResult

MAX_TOP1_LOSS = 0.003
"""Loss of top-1 accuracy above which a warning is printed."""


def warn_if_accuracy_lost(results: Sequence[FormatResult]) -> None:
    """Prints a warning for each format that loses more than `MAX_TOP1_LOSS`.

    Args:
      results: of `compare_formats`, the Keras model first.
    """
    reference = results[0].top1
    for result in results[1:]:
        if reference is None or result.top1 is None:
            continue
        if (loss := reference - result.top1) > MAX_TOP1_LOSS:
            print(
                f"warning: {result.name} loses {100 * loss:.2f} points of top-1 "
                f"accuracy, more than {100 * MAX_TOP1_LOSS:.1f}",
                file=sys.stderr,
            )
