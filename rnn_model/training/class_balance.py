"""Class balancing: rare classes are repeated, and logits are adjusted in training.

Both depend on one setting, `TrainConfig.balance`, from 0 (the frequencies of the data
set) to 1 (all classes alike).
"""

from collections.abc import Sequence

import numpy as np

RARE_COUNT = 480
"""Classes with fewer training drawings are repeated."""

MAX_REPEATS = 8
"""Maximum number of times a drawing is shown per epoch; more would overfit to it."""


def compute_repeats(class_counts: Sequence[int], balance: float) -> np.ndarray:
    """Computes how often each drawing of a class is shown per epoch.

    Repeat factor sampling, `(rare_count / count) ** balance` rounded, as in Gupta et
    al., "LVIS", https://arxiv.org/abs/1908.03195. If all classes are small, only those
    that are smaller than the largest are repeated.

    Args:
      class_counts: training drawings of each class.
      balance: from 0 to 1.

    Returns:
      `<int64>[classes]`, from 1 to `MAX_REPEATS`.
    """
    counts = np.maximum(class_counts, 1)
    rare_count = min(RARE_COUNT, counts.max())
    repeats = np.rint((rare_count / counts) ** balance)
    return np.clip(repeats, 1, MAX_REPEATS).astype(np.int64)


def compute_epoch_size(class_counts: Sequence[int], balance: float) -> int:
    """Computes the number of drawings per epoch, repetitions included."""
    return int(np.dot(class_counts, compute_repeats(class_counts, balance)))


def compute_logit_offsets(class_counts: Sequence[int], balance: float) -> np.ndarray:
    """Computes the offsets that are added to the logits in training only.

    Logit adjustment, `balance / 2 · log(share of the drawings shown)`, as in Menon et
    al., https://arxiv.org/abs/2007.07314. With the offsets, the logits need not learn
    how frequent a class is, and predictions favor frequent classes less. The factor
    1/2 accounts for the repetition, which has a similar effect.

    Args:
      class_counts: training drawings of each class.
      balance: from 0 to 1.

    Returns:
      `<float32>[classes]`.
    """
    shown = np.maximum(class_counts, 1) * compute_repeats(class_counts, balance)
    return (balance / 2 * np.log(shown / shown.sum())).astype(np.float32)
