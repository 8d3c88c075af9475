"""Ten drawings reach the same probabilities by every way through the house."""

import numpy as np
import pytest
import tensorflow as tf

from pipeline.beam_job.shard_writer import AssignedDrawing, encode_drawings
from pipeline.formats.text.ndjson_lines import parse_simplified
from rnn_model.workdir import Workdir
from serve_export import predict
from serve_export.predictor import Predictor
from tfrecords import decode

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def lines(doodles):
    """Ten lines, the first of them from each class in turn."""
    files = [path.read_bytes().splitlines() for path in sorted(doodles.glob("*"))]
    return [line for group in zip(*files) for line in group][:10]


@pytest.fixture(scope="module")
def records(lines, trained_rnn):
    index = {word: i for i, word in enumerate(Workdir(str(trained_rnn)).read_classes())}
    rows = [AssignedDrawing(b"", 0, parse_simplified(line)) for line in lines]
    return [record.example for record in encode_drawings(rows, index)]


@pytest.fixture(scope="module")
def by_keras(records, trained_rnn):
    """TFRecord → model: `<float32>[10, classes]`."""
    batch = decode.parse_examples(tf.constant(records))
    model = Workdir(str(trained_rnn)).load_best()
    ink = decode.to_dense(batch["ink"])
    logits = model({"ink": ink, "length": batch["length"]}, training=False)
    return tf.nn.softmax(logits).numpy()


def test_serve_examples_agrees(by_keras, records, exported_rnn):
    loaded = tf.saved_model.load(str(exported_rnn))
    answer = loaded.signatures["serve_examples"](examples=tf.constant(records))
    np.testing.assert_allclose(answer["probabilities"], by_keras, atol=TOLERANCE)


def test_predict_agrees(by_keras, lines, exported_rnn, tmp_path):
    path = tmp_path / "ten.ndjson"
    path.write_bytes(b"\n".join(lines) + b"\n")
    predictor = Predictor(str(exported_rnn), "savedmodel")
    answers = list(predict.predict_files(predictor, [str(path)], top_k=99))
    assert len(answers) == 10
    for answer, expected in zip(answers, by_keras):
        found = {guess["word"]: guess["probability"] for guess in answer["guesses"]}
        in_order = [found[word] for word in predictor.classes]
        np.testing.assert_allclose(in_order, expected, atol=TOLERANCE)


def test_the_ten_are_told_apart(by_keras):
    """Else equal answers would prove nothing."""
    assert np.ptp(by_keras, axis=0).max() > 0.01
