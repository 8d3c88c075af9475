"""LiteRT agrees with Keras, for ink of any length and for bitmaps."""

import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as tflite
from ai_edge_litert.interpreter import Interpreter
from flatbuffers import encode, packer

from rnn_model import models
from rnn_model.config import TrainConfig
from rnn_model.models.normalization import FeatureNormalization
from rnn_model.models.rasterize_layer import BITMAP_LAYER
from rnn_model.models.resample import Resample
from rnn_model.workdir import Workdir
from serve_export import layout
from serve_export.formats import litert, litert_metadata
from serve_export.formats.litert_runtime import LiteRTRuntime, rasterize_ink
from serve_export.predictor import to_ink
from tfrecords import schema

INKS = [
    to_ink([[[1], [1]]]),
    to_ink([[[0, 90, 90], [20, 20, 80]], [[50, 52], [50, 255]]]),
    to_ink([[[*range(0, 255, 3)] * 9, [7, 9, 250] * 255]], "simplified"),
]


@pytest.fixture(scope="module")
def float_runtime(exported_rnn):
    return LiteRTRuntime(str(exported_rnn / layout.LITERT_FLOAT_FILE))


@pytest.mark.parametrize("ink", INKS, ids=lambda ink: f"{len(ink)} points")
def test_litert_agrees_with_keras(float_runtime, trained_rnn, ink):
    model = Workdir(str(trained_rnn)).load_best()
    inputs = {"ink": ink[None], "length": np.int32([len(ink)])}
    expected = tf.nn.softmax(model(inputs, training=False))
    np.testing.assert_allclose(
        float_runtime.predict_probabilities([ink]), expected, atol=1e-5
    )


def test_litert_resamples_points_on_the_same_segments(tmp_path):
    ink = keras.Input([None, schema.INK_WIDTH], name="ink")
    length = keras.Input([], dtype="int32", name="length")
    features = keras.layers.Flatten()(Resample()(ink, length))
    model = keras.Model({"ink": ink, "length": length}, features, name="rnn")
    preprocessing = {"model": "rnn", "input": "ink", "ink": "rows", "description": "-"}
    classes = [f"feature {number}" for number in range(features.shape[1])]
    flatbuffer = litert.convert(model, quantize=False)
    path = tmp_path / layout.LITERT_FLOAT_FILE
    path.write_bytes(
        litert_metadata.add_metadata(
            flatbuffer, classes, preprocessing, litert.OUTPUT_NAME
        )
    )
    points = np.random.default_rng(0).integers(0, 256, (300, 2, 150))
    inks = [to_ink([drawing.tolist()], "simplified") for drawing in points]
    lengths = np.full(300, 150, np.int32)
    expected = tf.nn.softmax(model({"ink": np.stack(inks), "length": lengths}))
    # A point on another segment would have another direction, of length 1.
    actual = LiteRTRuntime(str(path)).predict_probabilities(inks)
    np.testing.assert_allclose(np.log(actual), np.log(expected), atol=0.01)


def test_8_bits_suffice_for_features_of_different_sizes():
    keras.utils.set_random_seed(0)
    model = models.build_model(TrainConfig(model="mlp"), 9, use_cudnn=False)
    bitmap, size = model.get_layer(BITMAP_LAYER).output, 28 * 28
    norm, head = FeatureNormalization(), keras.layers.Dense(9, name="logits")
    logits = head(norm(keras.layers.Flatten()(bitmap)))
    model = keras.Model(model.inputs, logits, name="mlp")
    # The last layer relies alike on features that vary much and little.
    deviations = np.where(np.arange(size) < 8, 3, 0.02)
    norm.moving_mean.assign(np.full(size, 0.5))
    norm.moving_variance.assign(deviations**2)
    head.bias.assign(np.full(9, 0.1))
    rng = np.random.default_rng(0)
    bitmaps = 0.5 + deviations * rng.normal(size=[20, size])
    bitmaps = np.float32(bitmaps.reshape(20, 28, 28, 1))
    expected = models.forward_fn(model, schema.BITMAP)(bitmaps, training=False)
    interpreter = Interpreter(model_content=litert.convert(model, quantize=True))
    predict, largest = interpreter.get_signature_runner(), 0
    for row, probabilities in zip(bitmaps, tf.nn.softmax(expected)):
        (actual,) = predict(bitmap=row[None]).values()
        largest = max(largest, np.abs(actual[0] - probabilities).max())
    assert largest < 0.06


def test_results_do_not_depend_on_the_drawings_before(float_runtime):
    together = float_runtime.predict_probabilities([INKS[i] for i in (0, 2, 1, 0, 1)])
    for row, i in zip(together, (0, 2, 1, 0, 1)):
        np.testing.assert_array_equal(
            row, float_runtime.predict_probabilities([INKS[i]])[0]
        )


def test_bitmap_model_takes_ink_and_bitmaps(exported_mlp):
    runtime = LiteRTRuntime(str(exported_mlp / layout.LITERT_INT8_FILE))
    bitmaps = [rasterize_ink(ink) for ink in INKS]
    np.testing.assert_array_equal(
        runtime.predict_probabilities(INKS),
        runtime.predict_probabilities(bitmaps, schema.BITMAP),
    )


def test_model_with_345_classes_fits_in_two_megabytes():
    model = models.build_model(TrainConfig(), 345, use_cudnn=False)
    classes = [f"class {number}" for number in range(345)]
    preprocessing = {"model": "rnn", "input": "ink", "ink": "rows", "description": "-"}
    flatbuffer = litert.convert(model, quantize=True)
    data = litert_metadata.add_metadata(
        flatbuffer, classes, preprocessing, litert.OUTPUT_NAME
    )
    assert len(data) <= 2_000_000
    assert litert_metadata.read_metadata(data) == (tuple(classes), preprocessing)


def test_labels_and_signature_are_in_the_standard_places(exported_rnn):
    data = (exported_rnn / layout.LITERT_INT8_FILE).read_bytes()
    with zipfile.ZipFile(exported_rnn / layout.LITERT_INT8_FILE) as files:
        assert {file.compress_type for file in files.infolist()} == {zipfile.ZIP_STORED}
        assert files.namelist() == [layout.CLASSES_FILE, layout.PREPROCESSING_FILE]
    model = tflite.ModelT.InitFromPackedBuf(data, 0)
    (signature,) = model.signatureDefs
    assert signature.signatureKey == b"serving_default"
    assert [tensor.name for tensor in signature.inputs] == [b"ink"]
    assert [tensor.name for tensor in signature.outputs] == [b"probabilities"]
    names = {entry.name: entry.buffer for entry in model.metadata}
    metadata = bytes(model.buffers[names[b"TFLITE_METADATA"]].data)
    assert metadata[4:8] == b"M001"
    # ModelMetadata.subgraph_metadata[0].output_tensor_metadata[0].associated_files[0]
    table = Table.root(metadata)
    labels = table.first(3).first(3).first(6)
    assert labels.text(0) == layout.CLASSES_FILE
    assert labels.byte(2) == 2  # TENSOR_AXIS_LABELS
    assert table.first(3).first(2).text(0) == "ink"


def test_the_signature_runs(exported_rnn, float_runtime):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(exported_rnn / layout.LITERT_FLOAT_FILE))
    interpreter.resize_tensor_input(0, [1, len(INKS[1]), 3])
    runner = interpreter.get_signature_runner("serving_default")
    probabilities = runner(ink=INKS[1][None])["probabilities"]
    np.testing.assert_allclose(
        probabilities, float_runtime.predict_probabilities([INKS[1]]), atol=1e-6
    )


def test_other_file_is_an_error(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"TFL3 but not really")
    with pytest.raises(
        ValueError, match=r"model\.tflite is not an exported LiteRT model"
    ):
        LiteRTRuntime(str(path))


class Table:
    """A table of a flatbuffer, read by field number."""

    def __init__(self, data, at):
        self.data, self.at = data, at

    @classmethod
    def root(cls, data):
        return cls(data, encode.Get(packer.uoffset, data, 0))

    def _field(self, number):
        vtable = self.at - encode.Get(packer.soffset, self.data, self.at)
        return self.at + encode.Get(packer.voffset, self.data, vtable + 4 + 2 * number)

    def _follow(self, at):
        return at + encode.Get(packer.uoffset, self.data, at)

    def first(self, number):
        vector = self._follow(self._field(number))
        return Table(self.data, self._follow(vector + 4))

    def text(self, number):
        start = self._follow(self._field(number))
        size = encode.Get(packer.uoffset, self.data, start)
        return self.data[start + 4 : start + 4 + size].decode()

    def byte(self, number):
        return self.data[self._field(number)]
