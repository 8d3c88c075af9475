"""Where in its data a run stands, and what it has added up there."""

import tensorflow as tf


class Position(tf.Module):
    """Whole epochs, and the sums of the one that has begun, as a checkpoint keeps them.

    Of several workers all have the same, but for the seconds: the chief's count.
    """

    def __init__(self) -> None:
        super().__init__()
        self.epochs = tf.Variable(0, dtype=tf.int64)  # whole ones behind us
        self.examples = tf.Variable(0, dtype=tf.int64)  # in this epoch, from here on
        self.loss_sum = tf.Variable(0.0, dtype=tf.float64)
        self.seconds = tf.Variable(0.0, dtype=tf.float64)

    def add(self, loss: float, examples: int, seconds: float) -> None:
        """Adds a batch of that mean loss; `seconds` since the epoch began."""
        self.loss_sum.assign_add(loss * examples)
        self.examples.assign_add(examples)
        self.seconds.assign(seconds)

    def close_epoch(self) -> tuple[float, float, int]:
        """Gives seconds, mean loss and examples of the epoch, and begins the next."""
        seconds, examples = float(self.seconds), int(self.examples)
        loss = float(self.loss_sum) / examples
        for sums in (self.examples, self.loss_sum, self.seconds):
            sums.assign(tf.zeros_like(sums))
        self.epochs.assign_add(1)
        return seconds, loss, examples

    def __str__(self) -> str:
        more = f" and {int(self.examples):,} drawings" if int(self.examples) else ""
        return f"epoch {int(self.epochs)}{more}"
