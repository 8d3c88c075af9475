"""Rare classes: shown more often in training, and the answer not tilted against them.

Both follow one number, the `balance` of a run, from 0 (classes as rare as they are)
to 1 (all classes alike). A data set without rare classes is not touched by the first.
"""

from collections.abc import Sequence

import numpy as np

RARE = 480
"""A class with fewer training drawings has them repeated."""

MOST = 8
"""Times that a drawing is shown in an epoch, at most: more are learnt by heart."""


def repeats(class_counts: Sequence[int], balance: float) -> np.ndarray:
    """How often each class's training drawings are shown in an epoch.

    Repeat factor sampling, `(rare / count) ** balance` rounded, after Gupta and others,
    "LVIS", https://arxiv.org/abs/1908.03195. Where all classes are small, rare is what
    is rarer than the most frequent.

    Returns:
      `<int64>[classes]`, 1 to `MOST`.
    """
    counts = np.maximum(class_counts, 1)
    rare = min(RARE, counts.max())
    return np.clip(np.rint((rare / counts) ** balance), 1, MOST).astype(np.int64)


def offsets(class_counts: Sequence[int], balance: float) -> np.ndarray:
    """What is added to the logits in training, and in training alone.

    `balance / 2 · log(share of what is shown)`: the more frequent a class, the less
    its logits have to say of that themselves, so the answer favours it less.
    Repetition does the rest. Logit adjustment, after Menon and others,
    https://arxiv.org/abs/2007.07314.

    Returns:
      `<float32>[classes]`.
    """
    shown = np.maximum(class_counts, 1) * repeats(class_counts, balance)
    return (balance / 2 * np.log(shown / shown.sum())).astype(np.float32)
