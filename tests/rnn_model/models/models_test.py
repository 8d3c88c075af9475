"""Properties of all models: invariance to padding and batching, inputs, parameters."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline import rasterize, strokes
from rnn_model import models
from rnn_model.config import BITMAP_MODELS, MODELS, TrainConfig

NUM_CLASSES = 7
PARAMETERS = {"rnn": 624_679, "cnn": 3_271_559, "resnet": 485_031, "mlp": 26_407}
LENGTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 23, 40]


def make_batch(lengths):
    """Returns the padded ink and the lengths of random drawings."""
    rng = np.random.default_rng(0)
    ink = np.zeros((len(lengths), max(lengths), 3), np.float32)
    for row, length in zip(ink, lengths):
        points = rng.integers(0, 256, (length, 3), dtype=np.uint8)
        points[:, 2] = rng.random(length) < 0.2
        points[-1, 2] = 1
        row[:length] = strokes.to_ink(points)
    return ink, np.array(lengths, np.int32)


def predict_logits(model, ink, length):
    return model({"ink": ink, "length": length}, training=False).numpy()


def assert_equal_but_rounding(actual, expected):
    """Compares logits; sums over many features round relative to the largest."""
    atol = 1e-6 * max(np.abs(expected).max(), 10)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    """Each model, with weights and statistics that differ from the initial ones.

    With an initial bias of 0, padding could pass an LSTM without an effect.
    """
    keras.utils.set_random_seed(1)
    model = models.build_model(TrainConfig(model=request.param), NUM_CLASSES)
    ink, length = make_batch([20, 30, 40])
    for _ in range(20):
        model({"ink": ink, "length": length}, training=True)
    rng = np.random.default_rng(2)
    for weight in model.trainable_variables:
        weight.assign_add(rng.normal(0, 0.05, weight.shape).astype(np.float32))
    return model


@pytest.mark.parametrize("columns", [1, 3, 100])
def test_padding_does_not_change_the_logits(model, columns):
    ink, length = make_batch(LENGTHS)
    padded = np.pad(ink, [(0, 0), (0, columns), (0, 0)])
    expected = predict_logits(model, ink, length)
    assert_equal_but_rounding(predict_logits(model, padded, length), expected)


def test_logits_do_not_depend_on_the_batch(model):
    ink, length = make_batch(LENGTHS)
    batched = predict_logits(model, ink, length)
    for row, row_length, expected in zip(ink, length, batched):
        single = predict_logits(model, row[None, :row_length], row_length[None])
        assert_equal_but_rounding(single[0], expected)
    reordered = predict_logits(model, ink[::-1], length[::-1])
    assert_equal_but_rounding(reordered[::-1], batched)


def test_call_and_predict_agree(model):
    ink, length = make_batch(LENGTHS)
    expected = predict_logits(model, ink, length)
    dataset = tf.data.Dataset.from_tensor_slices({"ink": ink, "length": length})
    for batch_size in (1, 4):
        predicted = model.predict(dataset.batch(batch_size), verbose=0)
        np.testing.assert_allclose(predicted, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("length", [1, 2, 9, 40])
def test_every_point_has_an_effect_on_the_logits(model, length):
    ink, lengths = make_batch([length] * 3)
    expected = predict_logits(model, ink, lengths)
    if length == 1 and model.name in BITMAP_MODELS:
        return  # A bitmap is centered: the position of a dot has no effect.
    for point in {0, length // 2, length - 1}:
        moved = ink.copy()
        moved[:, point, :2] += 0.3
        if point + 1 < length:
            moved[:, point + 1, :2] -= 0.3
        difference = np.abs(predict_logits(model, moved, lengths) - expected).max()
        assert difference > 1e-4


def test_every_weight_has_a_gradient(model):
    ink, length = make_batch([30, 40, 50])
    with tf.GradientTape() as tape:
        logits = model({"ink": ink, "length": length}, training=True)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits([0, 1, 2], logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    for weight, gradient in zip(model.trainable_variables, gradients):
        assert gradient is not None, weight.path
        assert np.abs(gradient).max() > 0, weight.path


def test_number_of_parameters(model):
    assert model.count_params() == PARAMETERS[model.name]


def test_a_model_saved_by_keras_gives_the_same_logits(model, tmp_path):
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    ink, length = make_batch(LENGTHS)
    np.testing.assert_array_equal(
        predict_logits(loaded, ink, length), predict_logits(model, ink, length)
    )


def test_dropout_is_active_in_training_only():
    cnn = models.build_model(TrainConfig(model="cnn"), NUM_CLASSES)
    ink, length = make_batch([30, 40])
    batch = {"ink": ink, "length": length}
    assert np.array_equal(cnn(batch, training=False), cnn(batch, training=False))
    assert not np.allclose(cnn(batch, training=True), cnn(batch, training=True))


# --- Bitmaps --------------------------------------------------------------------------


@pytest.mark.parametrize("name", BITMAP_MODELS)
def test_a_bitmap_gets_the_logits_of_its_ink(name):
    model = models.build_model(TrainConfig(model=name), NUM_CLASSES)
    ink, length = make_batch(LENGTHS)
    points = [strokes.from_ink(row[:count]) for row, count in zip(ink, length)]
    bitmaps = np.array([rasterize.rasterize(p) for p in points], np.float32)
    forward = models.forward_fn(model, "bitmap")
    logits = forward(bitmaps[..., None] / 255, training=False)
    assert np.ptp(logits, axis=0).max() > 0.01  # Equal logits would prove nothing.
    np.testing.assert_allclose(logits, predict_logits(model, ink, length), atol=0.02)


def test_the_forward_pass_of_bitmaps_shares_the_weights():
    model = models.build_model(TrainConfig(model="cnn"), NUM_CLASSES)
    forward = models.forward_fn(model, "bitmap")
    weight_ids = {id(weight) for weight in model.weights}
    assert {id(weight) for weight in forward.weights} == weight_ids


def test_the_rnn_rejects_bitmaps():
    rnn = models.build_model(TrainConfig(model="rnn"), NUM_CLASSES)
    with pytest.raises(ValueError, match=r"^--model=rnn reads strokes, but"):
        models.forward_fn(rnn, "bitmap")
