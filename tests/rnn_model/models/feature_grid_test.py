"""Scattering features to a grid and sampling the grid."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnn_model.models.feature_grid import SampleGrid, ScatterToGrid

SIDE, STEPS, CHANNELS = 5, 3, 2

unit = st.floats(0, 1, width=32)
features = arrays(np.float32, (1, STEPS, CHANNELS), elements=unit)
positions = arrays(np.float32, (1, STEPS, 2), elements=unit)
grids = arrays(np.float32, (1, SIDE, SIDE, CHANNELS), elements=unit)


def test_a_point_at_the_center_of_a_cell_belongs_to_this_cell():
    position = np.float32([[[0.25, 0.75]]])  # x of column 1, y of row 3
    feature = np.float32([[[7, 8]]])
    grid = ScatterToGrid(SIDE)(feature, position).numpy()
    assert grid.shape == (1, SIDE, SIDE, 2)
    assert grid[0, 3, 1].tolist() == [7, 8]
    assert np.count_nonzero(grid) == 2
    assert SampleGrid()(grid, position).numpy().tolist() == feature.tolist()


def test_a_point_between_cells_belongs_to_all_four():
    position = np.float32([[[0.3125, 0.125]]])  # column 1.25, row 0.5
    grid = ScatterToGrid(SIDE)(np.float32([[[8]]]), position).numpy()
    assert grid[0, :2, 1:3, 0].tolist() == [[3, 1], [3, 1]]
    assert grid.sum() == 8


@settings(deadline=None, max_examples=50)
@given(features, positions)
def test_the_grid_holds_the_sum_of_the_features(features, positions):
    grid = ScatterToGrid(SIDE)(features, positions)
    np.testing.assert_allclose(
        tf.reduce_sum(grid, axis=(1, 2)), features.sum(axis=1), atol=1e-5
    )


@settings(deadline=None, max_examples=50)
@given(features, positions, grids)
def test_sampling_is_the_transpose_of_scattering(features, positions, grid):
    scattered = ScatterToGrid(SIDE)(features, positions).numpy()
    sampled = SampleGrid()(grid, positions).numpy()
    assert (scattered * grid).sum() == pytest.approx(
        (features * sampled).sum(), abs=1e-4
    )


def test_positions_stay_float32_in_low_precision():
    """1/3 and 1/3 + 1/512 are the same number in bfloat16."""
    positions = np.float32([[[1 / 3, 0], [1 / 3 + 1 / 512, 0]]])
    layer = SampleGrid(dtype="mixed_bfloat16")
    grid = tf.reshape(
        tf.one_hot([2] * 4, 4, dtype=tf.bfloat16), [1, 4, 4, 1]
    )  # column 2
    first, second = layer(grid, positions).numpy()[0, :, 0].astype(float)
    assert first == 0  # exactly column 1
    assert second == pytest.approx(3 / 512, rel=0.01)


def test_the_layers_can_be_saved():
    layer = ScatterToGrid(SIDE)
    restored = keras.layers.deserialize(keras.layers.serialize(layer))
    assert restored.side == SIDE
