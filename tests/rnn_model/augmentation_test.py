"""Random changes to drawings: what they change, and what they leave alone."""

import numpy as np
import pytest
import tensorflow as tf

from pipeline import rasterize, sample, simplification, strokes
from rnn_model import augmentation
from rnn_model.augmentation import _Random, augment
from tfrecords import decode


@pytest.fixture(scope="module")
def batch():
    """Two doodles of each word, the first of them twice."""
    rng = np.random.default_rng(0)
    words = [word for word in sample.CLASSES for _ in range(2)]
    inks = [strokes.to_ink(strokes.to_points(sample.draw(w, rng))) for w in words]
    inks.append(inks[0])
    return make_batch(inks)


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


def padded(batch):
    return decode.to_dense(batch["ink"]).numpy()


def augmented(batch, seed=1, epoch=2):
    return padded(augment(batch, seed, epoch))


def picture_of(ink):
    points = np.rint(np.cumsum(ink, axis=0) * strokes.BOX)
    points[:, 2] = ink[:, 2]
    return rasterize.rasterize(points.astype(np.uint8)).astype(float)


def positions_of(ink, length):
    """The points of each drawing, without the padding."""
    return [np.cumsum(row[:own, :2], axis=0) for row, own in zip(ink, length.numpy())]


def test_the_pen_and_the_rest_of_the_batch_stay(batch):
    changed = augment(batch, 1, 2)
    np.testing.assert_array_equal(padded(changed)[..., 2], padded(batch)[..., 2])
    for name in ("length", "key_id"):
        np.testing.assert_array_equal(changed[name], batch[name])


def test_the_result_fills_the_box(batch):
    for points in positions_of(augmented(batch), batch["length"]):
        np.testing.assert_allclose(points.min(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(points.max(), 1, atol=1e-5)


def test_the_same_seed_gives_the_same(batch):
    np.testing.assert_array_equal(augmented(batch), augmented(batch))


@pytest.mark.parametrize(("seed", "epoch"), [(1, 3), (2, 2), (12, 0)])
def test_another_seed_or_epoch_gives_something_else(batch, seed, epoch):
    assert not np.allclose(augmented(batch), augmented(batch, seed, epoch))


def test_the_batch_that_a_drawing_is_in_has_no_say(batch):
    """Alone, and in another place."""
    together = augmented(batch)
    for row in (0, 3):
        length = int(batch["length"][row])
        alone = {name: value[row : row + 1] for name, value in batch.items()}
        np.testing.assert_allclose(
            augmented(alone)[0], together[row, :length], atol=1e-6
        )


def test_the_random_numbers_are_spread_evenly():
    keys = tf.constant([str(n) for n in range(2000)])
    random = _Random({"key_id": keys, "copy": tf.zeros(2000, tf.int64)}, 0, 1)
    uniform = random.uniform(50).numpy()
    row, place = np.divmod(np.arange(2000 * 25, dtype=np.int32), 25)
    normal = random.normals(row, place).numpy().reshape(2000, 50)
    assert 0 <= uniform.min() < 1e-3
    assert 1 - 1e-3 < uniform.max() < 1
    counts, _ = np.histogram(uniform, 10, (0, 1))
    assert np.abs(counts / counts.mean() - 1).max() < 0.05
    assert abs(normal.mean()) < 0.02
    assert abs(normal.std() - 1) < 0.02
    both = np.corrcoef(np.concatenate([uniform, normal], axis=1).T)
    assert np.abs(both - np.eye(100)).max() < 0.12


def test_equal_drawings_of_a_batch_become_different(batch):
    ink = augmented(batch)
    length = int(batch["length"][0])
    assert np.abs(ink[0, :length] - ink[-1, :length]).max() > 0.02


def test_drawings_keep_their_look(batch):
    """Mirrored back where mirrored, no point strays far."""
    before = positions_of(padded(batch), batch["length"])
    after = positions_of(augmented(batch), batch["length"])
    mirrored = 0
    for old, new in zip(before, after):
        flipped = np.stack([old[:, 0].max() - old[:, 0], old[:, 1]], axis=1)
        same, flip = (np.abs(new - shape).mean() for shape in (old, flipped))
        assert min(same, flip) < 0.2
        mirrored += flip < same
    assert 0 < mirrored < len(before)


def test_a_copy_becomes_something_else(batch):
    copies = batch | {"copy": batch["copy"] + 1}
    assert not np.allclose(augmented(batch), augmented(copies))


def test_so_many_drawings_are_cut_short_as_asked():
    ink = strokes.to_ink(
        strokes.to_points(sample.draw("star", np.random.default_rng()))
    )
    batch = make_batch([ink] * 1000)
    length = augment(batch, 1, 2, partial=0.3)["length"].numpy()
    kept = length / len(ink)
    assert 0.25 < (kept < 1).mean() < 0.35
    assert kept.min() >= augmentation.SHORTEST
    assert (kept[kept < 1] < 0.5).any()


def test_a_drawing_cut_short_is_what_a_server_makes_of_it(batch, monkeypatch):
    """Its first points, simplified again, as they are drawn in the box."""
    monkeypatch.setattr(augmentation, "_random_maps", lambda random: [1.0, 0, 0, 1])
    monkeypatch.setattr(augmentation, "JITTER", 0.0)
    changed = augment(batch, 1, 2, partial=1.0)
    for row, (ink, length) in enumerate(zip(padded(changed), changed["length"])):
        whole = padded(batch)[row, : batch["length"][row]]
        points = strokes.from_ink(whole)[: int(length)]
        ends = np.flatnonzero(points[:-1, 2]) + 1
        drawing = [part[:, :2].T.tolist() for part in np.split(points, ends)]
        expected = strokes.to_ink(strokes.to_points(simplification.simplify(drawing)))
        assert not ink[int(length) :].any()
        found = ink[: int(length)]
        assert found[-1, 2] == 1
        assert found[:, 2].sum() == expected[:, 2].sum()
        one, other = (picture_of(some) for some in (found, expected))
        assert np.abs(one - other).mean() < 3


def test_without_partial_drawings_stay_whole(batch):
    changed = augment(batch, 1, 2)
    np.testing.assert_array_equal(changed["length"], batch["length"])


@pytest.mark.parametrize("partial", [0.0, 1.0])
def test_one_point_stays_finite(partial):
    batch = make_batch([np.float32([[0.3, 0.7, 1]])])
    changed = padded(augment(batch, 1, 2, partial))
    assert np.isfinite(changed).all()
    assert np.abs(changed[..., :2]).max() <= 1
