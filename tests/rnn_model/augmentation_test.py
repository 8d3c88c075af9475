"""Augmentation: what it changes, what it keeps, and what it depends on."""

import numpy as np
import pytest
import tensorflow as tf

from pipeline import rasterize, sample, strokes
from rnn_model import augmentation
from rnn_model.augmentation import _DrawingRandom, augment
from rnn_model.evaluation.partial_drawings import first_points
from tfrecords import decode


def make_batch(inks):
    length = np.array([len(ink) for ink in inks], np.int32)
    return {
        "ink": tf.RaggedTensor.from_row_lengths(
            np.concatenate(inks).ravel(), 3 * length
        ),
        "length": tf.constant(length),
        "key_id": tf.constant([str(number) for number in range(len(inks))]),
        "copy": tf.zeros(len(inks), tf.int64),
    }


@pytest.fixture(scope="module")
def batch():
    """Two sample drawings of each word; the last drawing is the first one again."""
    rng = np.random.default_rng(0)
    words = [word for word in sample.CLASSES for _ in range(2)]
    inks = [strokes.to_ink(strokes.to_points(sample.draw(w, rng))) for w in words]
    return make_batch([*inks, inks[0]])


def pad(batch):
    return decode.to_dense(batch["ink"]).numpy()


def augment_and_pad(batch, seed=1, epoch=2):
    return pad(augment(batch, seed, epoch))


def positions_of(ink, length):
    """Returns the positions of the points of each drawing, without padding."""
    return [np.cumsum(row[:n, :2], axis=0) for row, n in zip(ink, length.numpy())]


# --- What it changes and keeps --------------------------------------------------------


def test_pen_states_lengths_and_keys_are_kept(batch):
    augmented = augment(batch, 1, 2)
    np.testing.assert_array_equal(pad(augmented)[..., 2], pad(batch)[..., 2])
    for name in ("length", "key_id"):
        np.testing.assert_array_equal(augmented[name], batch[name])


def test_augmented_drawings_fill_the_box(batch):
    for points in positions_of(augment_and_pad(batch), batch["length"]):
        np.testing.assert_allclose(points.min(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(points.max(), 1, atol=1e-5)


def test_points_stay_close_to_where_they_were(batch):
    """Some drawings are mirrored."""
    before = positions_of(pad(batch), batch["length"])
    after = positions_of(augment_and_pad(batch), batch["length"])
    num_mirrored = 0
    for old, new in zip(before, after, strict=True):
        mirrored = np.stack([old[:, 0].max() - old[:, 0], old[:, 1]], axis=1)
        distances = [np.abs(new - points).mean() for points in (old, mirrored)]
        assert min(distances) < 0.2
        num_mirrored += distances[1] < distances[0]
    assert 0 < num_mirrored < len(before)


@pytest.mark.parametrize("partial", [0.0, 1.0])
def test_a_single_point_stays_finite_and_in_the_box(partial):
    batch = make_batch([np.float32([[0.3, 0.7, 1]])])
    augmented = pad(augment(batch, 1, 2, partial))
    assert np.isfinite(augmented).all()
    assert np.abs(augmented[..., :2]).max() <= 1


# --- What it depends on ---------------------------------------------------------------


def test_it_depends_on_seed_and_epoch_only(batch):
    expected = augment_and_pad(batch, 1, 2)
    np.testing.assert_array_equal(augment_and_pad(batch, 1, 2), expected)
    for seed, epoch in [(1, 3), (2, 2), (12, 0)]:
        assert not np.allclose(augment_and_pad(batch, seed, epoch), expected)


def test_it_does_not_depend_on_the_batch(batch):
    expected = augment_and_pad(batch)
    for row in (0, 3):
        length = int(batch["length"][row])
        single = {name: value[row : row + 1] for name, value in batch.items()}
        np.testing.assert_allclose(
            augment_and_pad(single)[0], expected[row, :length], atol=1e-6
        )


def test_equal_drawings_are_augmented_differently(batch):
    ink = augment_and_pad(batch)
    length = int(batch["length"][0])
    assert np.abs(ink[0, :length] - ink[-1, :length]).max() > 0.02
    copies = batch | {"copy": batch["copy"] + 1}
    assert not np.allclose(augment_and_pad(copies), ink)


def test_random_numbers_are_uniform_normal_and_uncorrelated():
    keys = tf.constant([str(n) for n in range(2000)])
    random = _DrawingRandom({"key_id": keys, "copy": tf.zeros(2000, tf.int64)}, 0, 1)
    uniform = random.uniform(50).numpy()
    row, index = np.divmod(np.arange(2000 * 25, dtype=np.int32), 25)
    normal = random.normal(row, index).numpy().reshape(2000, 50)
    assert 0 <= uniform.min() < 1e-3
    assert 1 - 1e-3 < uniform.max() < 1
    counts, _ = np.histogram(uniform, 10, (0, 1))
    assert np.abs(counts / counts.mean() - 1).max() < 0.05
    assert abs(normal.mean()) < 0.02
    assert abs(normal.std() - 1) < 0.02
    correlations = np.corrcoef(np.concatenate([uniform, normal], axis=1).T)
    assert np.abs(correlations - np.eye(100)).max() < 0.12


# --- Truncation -----------------------------------------------------------------------


def test_the_given_share_of_the_drawings_is_truncated():
    drawing = sample.draw("star", np.random.default_rng())
    ink = strokes.to_ink(strokes.to_points(drawing))
    batch = make_batch([ink] * 1000)
    kept = augment(batch, 1, 2, partial=0.3)["length"].numpy() / len(ink)
    assert 0.25 < (kept < 1).mean() < 0.35
    assert kept.min() >= augmentation.MIN_KEPT_SHARE
    assert (kept[kept < 1] < 0.5).any()
    untruncated = augment(batch, 1, 2)["length"]
    np.testing.assert_array_equal(untruncated, batch["length"])


def test_a_truncated_drawing_looks_like_a_drawing_in_progress(batch, monkeypatch):
    """Compares bitmaps with those of drawings that the evaluation truncates."""

    def to_bitmap(ink):
        points = np.rint(np.cumsum(ink, axis=0) * strokes.BOX)
        points[:, 2] = ink[:, 2]
        return rasterize.rasterize(points.astype(np.uint8)).astype(float)

    identity = [1.0, 0, 0, 1]
    monkeypatch.setattr(augmentation, "_random_linear_maps", lambda random: identity)
    monkeypatch.setattr(augmentation, "JITTER", 0.0)
    augmented = augment(batch, 1, 2, partial=1.0)
    rows = zip(pad(batch), batch["length"], pad(augmented), augmented["length"])
    for original, original_length, ink, length in rows:
        length = int(length)
        whole = original[: int(original_length)]
        share = (length - 0.5) / len(whole)  # is rounded up
        expected = first_points(whole, share) if length < len(whole) else whole
        assert not ink[length:].any()
        assert ink[length - 1, 2] == 1
        assert ink[:length, 2].sum() == expected[:, 2].sum()
        difference = np.abs(to_bitmap(ink[:length]) - to_bitmap(expected)).mean()
        assert difference < 3
