"""The models: padding and company have no say in the logits, points have."""

import importlib

import numpy as np
import pytest
import tensorflow as tf

from pipeline import rasterize, strokes
from rnn_model import models
from rnn_model.config import MODELS, TrainConfig
from rnn_model.distributed import ALONE
from rnn_model.training import train_step

CLASSES = 7
PARAMETERS = {"rnn": 378_375, "cnn": 3_271_559, "mlp": 26_407}
LENGTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 23, 40]


def make_batch(lengths, seed=0):
    """Random drawings of these lengths, padded: ink and lengths."""
    rng = np.random.default_rng(seed)
    ink = np.zeros((len(lengths), max(lengths), 3), np.float32)
    for row, length in zip(ink, lengths):
        points = rng.integers(0, 256, (length, 3), dtype=np.uint8)
        points[:, 2] = rng.random(length) < 0.2
        points[-1, 2] = 1
        row[:length] = strokes.to_ink(points)
    return ink, np.array(lengths, np.int32)


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    """Each model, with other weights and statistics than those it starts with.

    A bias of 0 would let padding pass through an LSTM unseen.
    """
    tf.keras.utils.set_random_seed(1)
    model = models.build(TrainConfig(model=request.param), CLASSES)
    ink, length = make_batch([20, 30, 40])
    for _ in range(20):
        model({"ink": ink, "length": length}, training=True)
    rng = np.random.default_rng(2)
    for weight in model.trainable_variables:
        weight.assign_add(rng.normal(0, 0.05, weight.shape).astype(np.float32))
    return model


def logits_of(model, ink, length):
    return model({"ink": ink, "length": length}, training=False).numpy()


@pytest.mark.parametrize("columns", [1, 2, 3, 7, 100])
def test_padding_never_changes_the_logits(model, columns):
    ink, length = make_batch(LENGTHS)
    padded = np.pad(ink, [(0, 0), (0, columns), (0, 0)])
    np.testing.assert_allclose(
        logits_of(model, padded, length), logits_of(model, ink, length), atol=1e-5
    )


def test_a_drawing_alone_has_the_logits_it_has_in_a_batch(model):
    ink, length = make_batch(LENGTHS)
    together = logits_of(model, ink, length)
    for row, own, expected in zip(ink, length, together):
        alone = logits_of(model, row[None, :own], own[None])
        np.testing.assert_allclose(alone[0], expected, atol=1e-5)


def test_the_order_of_a_batch_does_not_matter(model):
    ink, length = make_batch(LENGTHS)
    there_and_back = logits_of(model, ink[::-1], length[::-1])[::-1]
    np.testing.assert_allclose(there_and_back, logits_of(model, ink, length), atol=1e-5)


def test_call_graph_and_data_set_give_the_same(model):
    ink, length = make_batch(LENGTHS)
    expected = logits_of(model, ink, length)
    drawings = tf.data.Dataset.from_tensor_slices({"ink": ink, "length": length})
    one_by_one = model.predict(drawings.batch(1), verbose=0)
    in_fours = model.predict(drawings.batch(4), verbose=0)
    np.testing.assert_allclose(one_by_one, expected, atol=1e-5, rtol=1e-4)
    np.testing.assert_allclose(in_fours, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("length", [1, 2, 9, 40])
def test_moving_any_point_changes_the_logits(model, length):
    ink, lengths = make_batch([length] * 3)
    expected = logits_of(model, ink, lengths)
    if length == 1 and model.name != "rnn":
        return  # a bitmap is centred: where a dot is, it does not show
    for point in {0, length // 2, length - 1}:
        moved = ink.copy()
        moved[:, point, :2] += 0.3
        if point + 1 < length:
            moved[:, point + 1, :2] -= 0.3
        changed = np.abs(logits_of(model, moved, lengths) - expected).max()
        assert changed > 1e-4


# --- The walk along the strokes -------------------------------------------------------


def walk(drawing):
    """Positions in boxes and where strokes begin, of a simplified drawing."""
    ink = strokes.to_ink(strokes.to_points(drawing))
    features = models.Walk()(ink[None], np.array([len(ink)], np.int32))[0].numpy()
    assert features.shape == (models.STEPS, 8 + 2 * models.BUMPS)
    assert np.isfinite(features).all()
    return (features[:, :2] + 1) / 2, features[:, 6]


def test_the_walk_goes_along_a_line_in_equal_steps():
    positions, begins = walk([[[0, 255], [51, 51]]])
    np.testing.assert_allclose(positions[:, 1], 0.2, atol=1e-6)
    drawn = np.diff(positions[:, 0])
    assert drawn.min() >= 0
    assert positions[0, 0] < 0.01
    assert positions[-1, 0] > 0.99
    moving = drawn[drawn > 1e-6]
    np.testing.assert_allclose(moving[1:-1], np.median(moving), rtol=0.01)
    assert begins.tolist() == [1] + [0] * (models.STEPS - 1)


def test_points_between_do_not_change_the_walk_much():
    few, _ = walk([[[0, 255], [0, 255]]])
    many, _ = walk([[[0, 85, 170, 255], [0, 85, 170, 255]]])
    assert np.abs(few - many).max() < 0.05


def test_the_pen_in_the_air_is_no_part_of_the_walk():
    positions, begins = walk([[[0, 255], [0, 0]], [[0, 255], [255, 255]]])
    on_a_line = np.minimum(positions[:, 1], 1 - positions[:, 1])
    assert on_a_line.max() < 1e-6
    assert begins.sum() == 2
    assert abs((positions[:, 1] > 0.5).mean() - 0.5) < 0.02


def test_a_dot_is_not_stepped_over():
    """In a drawing with more ink than most have."""
    zigzag = [[0, 255] * 2, list(range(0, 120, 30))]
    positions, begins = walk([zigzag, [[128], [255]], zigzag])
    at_the_dot = np.abs(positions - [128 / 255, 1]).max(axis=1) < 1e-6
    assert begins[at_the_dot].sum() == 1
    assert begins.sum() == 3


def test_a_root_that_is_off_is_mended(monkeypatch):
    squares = np.float32([*range(10_000), 8_323_200, 8_323_199, 2**24 - 1])
    expected = np.rint(np.sqrt(squares.astype(np.float64)))
    exactly = tf.sqrt
    for off in (0.999, 1.0, 1.001):
        monkeypatch.setattr(tf, "sqrt", lambda x, off=off: exactly(x) * off)
        found = models._whole_root(tf.constant(squares[:10_000]))
        np.testing.assert_array_equal(found, expected[:10_000])
    monkeypatch.setattr(tf, "sqrt", exactly)
    np.testing.assert_array_equal(models._whole_root(squares), expected)


def test_one_dot_is_walked_on_the_spot():
    positions, begins = walk([[[7], [9]]])
    np.testing.assert_allclose(
        positions, [[7 / 255, 9 / 255]] * models.STEPS, atol=1e-6
    )
    assert begins.sum() == 1


def test_every_weight_has_a_gradient(model):
    ink, length = make_batch([30, 40, 50])
    with tf.GradientTape() as tape:
        logits = model({"ink": ink, "length": length}, training=True)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits([0, 1, 2], logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    for weight, gradient in zip(model.trainable_variables, gradients):
        assert gradient is not None, weight.path
        assert np.abs(gradient).max() > 0, weight.path


def test_the_number_of_parameters_is_pinned(model):
    assert model.count_params() == PARAMETERS[model.name]


def test_batch_statistics_do_not_depend_on_padding():
    ink, length = make_batch([5, 9, 24])
    padded = np.pad(ink, [(0, 0), (0, 60), (0, 0)])
    logits, means = [], []
    for some in (ink, padded):
        tf.keras.utils.set_random_seed(3)
        rnn = models.build(TrainConfig(dropout=0.0), CLASSES)
        logits.append(rnn({"ink": some, "length": length}, training=True).numpy())
        means.append([weight.numpy() for weight in rnn.non_trainable_variables])
    np.testing.assert_allclose(*logits, atol=1e-4)
    for one, other in zip(*means):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert any(np.abs(mean).max() > 1e-3 for mean in means[0])


def test_gradients_do_not_depend_on_padding():
    ink, length = make_batch([5, 9, 24])
    tf.keras.utils.set_random_seed(3)
    rnn = models.build(TrainConfig(dropout=0.0), CLASSES)

    def gradients_of(some):
        with tf.GradientTape() as tape:
            logits = rnn({"ink": some, "length": length}, training=True)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits([0, 1, 2], logits)
        return tape.gradient(loss, rnn.trainable_variables)

    padded = np.pad(ink, [(0, 0), (0, 60), (0, 0)])
    for one, other in zip(gradients_of(ink), gradients_of(padded)):
        scale = 1e-3 * np.abs(one).max()
        np.testing.assert_allclose(one, other, atol=max(scale, 1e-5))


def test_without_cudnn_the_same_weights_give_the_same_logits():
    with_it = models.build(TrainConfig(), CLASSES, use_cudnn="auto")
    without = models.build(TrainConfig(), CLASSES, use_cudnn=False)
    without.set_weights(with_it.get_weights())
    ink, length = make_batch(LENGTHS)
    np.testing.assert_allclose(
        logits_of(with_it, ink, length), logits_of(without, ink, length), atol=1e-5
    )


def test_dropout_is_on_in_training_alone():
    cnn = models.build(TrainConfig(model="cnn"), CLASSES)
    ink, length = make_batch([30, 40])
    batch = {"ink": ink, "length": length}
    assert np.array_equal(cnn(batch, training=False), cnn(batch, training=False))
    assert not np.allclose(cnn(batch, training=True), cnn(batch, training=True))


@pytest.mark.parametrize("name", models.BITMAP_MODELS)
def test_a_bitmap_has_the_logits_of_its_ink(name):
    model = models.build(TrainConfig(model=name), CLASSES)
    ink, length = make_batch(LENGTHS)
    points = [strokes.from_ink(row[:own]) for row, own in zip(ink, length)]
    bitmaps = np.array([rasterize.rasterize(some) for some in points], np.float32)
    reader = models.reading(model, "bitmap")
    found = reader(bitmaps[..., None] / 255, training=False)
    assert np.ptp(found, axis=0).max() > 0.01  # else equal logits would prove nothing
    np.testing.assert_allclose(found, logits_of(model, ink, length), atol=0.02)


def test_what_reads_bitmaps_has_the_weights_of_the_whole():
    model = models.build(TrainConfig(model="cnn"), CLASSES)
    reader = models.reading(model, "bitmap")
    mine = {id(weight) for weight in model.weights}
    assert {id(weight) for weight in reader.weights} == mine


def test_the_rnn_reads_no_bitmaps():
    rnn = models.build(TrainConfig(model="rnn"), CLASSES)
    with pytest.raises(ValueError, match=r"^rnn reads strokes, .* take cnn or mlp$"):
        models.reading(rnn, "bitmap")


def ops_of_a_step(monkeypatch, gpu, **settings):
    """The kinds of operations in the graph of a training step."""
    keras_rnn = importlib.import_module("keras.src.backend.tensorflow.rnn")
    monkeypatch.setattr(keras_rnn, "_is_gpu_available", lambda: gpu)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind] * gpu)
    config = TrainConfig(model="rnn", **settings)
    model = models.build(config, CLASSES)
    optimizer = train_step.make_optimizer(config, 10)
    optimizer.build(model.trainable_variables)
    offsets = np.zeros(CLASSES, np.float32)
    step = train_step.Step(config, "ink", model, optimizer, offsets, ALONE)
    graph = step.function.get_concrete_function().graph
    functions = graph.as_graph_def().library.function
    nodes = [node for some in functions for node in some.node_def]
    return {node.op for node in [*graph.as_graph_def().node, *nodes]}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_on_a_gpu_cudnn_computes_the_lstm(monkeypatch, precision):
    """As far as can be told without one: what Keras would have it run."""
    there = ops_of_a_step(monkeypatch, True, precision=precision)
    assert {"CudnnRNNV3", "CudnnRNNBackpropV3"} <= there
    assert "While" not in there


def test_without_a_gpu_the_steps_of_the_lstm_are_written_out(monkeypatch):
    there = ops_of_a_step(monkeypatch, False)
    assert "Sigmoid" in there
    assert "While" not in there
    assert "CudnnRNNV3" not in there
