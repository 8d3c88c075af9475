"""Radial basis features of a coordinate.

From x itself, a convolution followed by a ReLU can only make piecewise linear
functions with few pieces. From a set of overlapping bumps along x it can make any
smooth curve.
"""

import tensorflow as tf

RBF_CENTERS = 12
"""Number of centers along an axis, equally spaced from 0 to 1."""


def rbf_features(coordinate: tf.Tensor) -> tf.Tensor:
    """Computes Gaussian radial basis functions, one per center.

    The standard deviation is the distance between two centers.

    Args:
      coordinate: `<float32>[batch, steps, 1]`, from 0 to 1.

    Returns:
      `<float32>[batch, steps, RBF_CENTERS]`, from 0 to 1.
    """
    centers = tf.linspace(0.0, 1.0, RBF_CENTERS)
    return tf.exp(-0.5 * tf.square((coordinate - centers) * (RBF_CENTERS - 1)))
