"""TensorFlow Serving's REST API."""

import base64
import json
import threading
import urllib.request

import numpy as np
import pytest

from serve_export.predictor import Predictor, to_ink
from tfrecords import encode

MODEL = "/v1/models/quickdraw"
PREDICT = f"{MODEL}:predict"
CLASSIFY = f"{MODEL}:classify"


@pytest.fixture(scope="module")
def inks(drawing):
    return [to_ink(drawing), to_ink([[[1], [1]]])]


@pytest.fixture(scope="module")
def expected(inks, exported_rnn):
    return Predictor(str(exported_rnn)).predict_probabilities(inks)


@pytest.fixture(scope="module")
def padded(inks):
    rows = np.zeros((2, max(map(len, inks)), 3))
    for row, ink in zip(rows, inks):
        row[: len(ink)] = ink
    return rows.tolist()


@pytest.mark.parametrize("convert", [int, float, lambda length: [length]])
def test_row_format(server, inks, padded, expected, convert):
    rows = [{"ink": i, "length": convert(len(ink))} for i, ink in zip(padded, inks)]
    body = {"signature_name": "serving_default", "instances": rows}
    response = server.send(PREDICT, body)
    assert response.status == 200
    assert list(response.json) == ["predictions"]
    np.testing.assert_allclose(response.json["predictions"], expected, atol=1e-6)


def test_column_format(server, inks, padded, expected):
    columns = {"ink": padded, "length": [len(ink) for ink in inks]}
    response = server.send(PREDICT, {"inputs": columns})
    assert list(response.json) == ["outputs"]
    np.testing.assert_allclose(response.json["outputs"], expected, atol=1e-6)


def check_forms(server, signature, name, values, expected):
    """Sends the values of an input in all forms that a request may have."""
    for fields in (
        {"instances": values},
        {"instances": [{name: value} for value in values]},
        {"inputs": values},
        {"inputs": {name: values}},
    ):
        response = server.send(PREDICT, {"signature_name": signature, **fields})
        (rows,) = response.json.values()
        np.testing.assert_allclose(rows, expected, atol=1e-6)


def test_ink_without_length(server, padded, expected):
    check_forms(server, "serve_ink", "ink", padded, expected)


def test_serialized_examples(server, inks, expected):
    records = [
        encode.encode_example(ink=ink, class_index=0, key_id="1") for ink in inks
    ]
    values = [{"b64": base64.b64encode(record).decode()} for record in records]
    check_forms(server, "serve_examples", "examples", values, expected)


def test_classify(server, inks, expected, exported_rnn):
    words = Predictor(str(exported_rnn)).classes
    examples = [{"ink": ink.ravel().tolist()} for ink in inks]
    body = {"signature_name": "classify", "examples": examples}
    results = server.send(CLASSIFY, body).json["results"]
    for result, row in zip(results, expected, strict=True):
        scores = [score for _, score in result]
        assert scores == sorted(scores, reverse=True)
        by_word = dict(map(tuple, result))
        np.testing.assert_allclose([by_word[w] for w in words], row, atol=1e-6)
    body = {
        "signature_name": "classify",
        "context": {"ink": inks[0].ravel().tolist()},
        "examples": [{"key_id": "1"}],
    }
    assert server.send(CLASSIFY, body).json["results"] == results[:1]


def test_requests_of_the_documentation(server):
    """As curl and urllib send them, which name another content type or none."""
    body = json.dumps({"instances": [{"ink": [[0, 0, 1]], "length": 1}]}).encode()
    with urllib.request.urlopen(server.address + PREDICT, body) as response:
        assert len(json.load(response)["predictions"]) == 1
    for content_type in ("", "text/plain", "application/octet-stream"):
        assert server.send(PREDICT, body, content_type=content_type).status == 200


def test_status(server, exported_rnn):
    version = exported_rnn.name
    for path in (MODEL, f"{MODEL}/versions/{version}"):
        (status,) = server.send(path).json["model_version_status"]
        assert status == {
            "version": version,
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }


def test_metadata_is_that_of_the_saved_model(server, exported_rnn):
    from google.protobuf import json_format
    from tensorflow.python.saved_model import loader_impl

    saved_model = loader_impl.parse_saved_model(str(exported_rnn))
    (graph,) = saved_model.meta_graphs
    signatures = {
        name: json_format.MessageToDict(signature, preserving_proto_field_name=True)
        for name, signature in graph.signature_def.items()
        if not name.startswith("__")
    }
    for path in (f"{MODEL}/metadata", f"{MODEL}/versions/{exported_rnn.name}/metadata"):
        response = server.send(path).json
        assert response["model_spec"]["version"] == exported_rnn.name
        described = response["metadata"]["signature_def"]["signature_def"]
        assert described.keys() == signatures.keys()
        for name, signature in signatures.items():
            assert described[name]["method_name"] == signature["method_name"]
            for side in ("inputs", "outputs"):
                assert described[name][side].keys() == signature[side].keys()
                for tensor, info in signature[side].items():
                    assert described[name][side][tensor]["dtype"] == info["dtype"]


def test_paths_with_a_version(server, exported_rnn):
    row = {"ink": [[0, 0, 1]], "length": 1}
    version = exported_rnn.name
    for path, body in (
        (":predict", {"instances": [row]}),
        (":classify", {"signature_name": "classify", "examples": [{"ink": [0, 0, 1]}]}),
    ):
        assert server.send(f"{MODEL}/versions/{version}{path}", body).status == 200
        response = server.send(f"{MODEL}/versions/999999{path}", body)
        assert response.status == 404
        assert "999999" in response.json["error"]
    for path in (f"{MODEL}/versions/999999", f"{MODEL}/labels/stable", "/v1/models/x"):
        response = server.send(path)
        assert response.status == 404
        assert isinstance(response.json["error"], str)


ROW = {"ink": [[0, 0, 1]], "length": 1}
EXAMPLES = {"signature_name": "serve_examples"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "one of instances and inputs"),
        ({"instances": [ROW], "inputs": {}}, "one of instances and inputs"),
        ({"instances": []}, "Received: 0"),
        ({"instances": [ROW] * 999}, "Received: 999"),
        ({"instances": [3]}, "Expected `object`"),
        ({"instances": [{"ink": [[0, 0, 1]]}]}, "`length`"),
        ({"instances": [ROW | {"ink": [[0, 0]]}]}, "ink must have the shape"),
        ({"instances": [ROW | {"ink": [[0, 0, 1], [0]], "length": 2}]}, "shape"),
        ({"instances": [ROW | {"ink": [[0, 0, "a"]]}]}, "Expected `float`"),
        ({"instances": [ROW | {"ink": [[0, 0, None]]}]}, "Expected `float`"),
        ({"instances": [ROW | {"ink": [[0, 0, 1e30]]}]}, "ink must be within"),
        ({"instances": [ROW | {"ink": [[0, 0, 1e300]]}]}, "ink must be within"),
        ({"instances": [ROW | {"ink": [[0, 0, {}]]}]}, "Expected `float`"),
        ({"instances": [ROW | {"length": 2}]}, "length must be"),
        ({"instances": [ROW | {"length": 0.5}]}, "length must be"),
        ({"instances": [ROW | {"length": [1, 1]}]}, "length must be"),
        ({"instances": [ROW | {"length": True}]}, "got `bool`"),
        ({"inputs": {"ink": [[[0, 0, 1]]]}}, "`length`"),
        ({"inputs": {"ink": [[[0, 0, 1]]], "length": []}}, "same number"),
        ({"signature_name": "nine", "instances": [ROW]}, "unknown signature"),
        ({"signature_name": "serve_bitmaps", "instances": [ROW]}, "unknown signature"),
        (EXAMPLES | {"instances": [ROW]}, "b64"),
        (EXAMPLES | {"instances": [{"b64": "?"}]}, "not base64"),
        (EXAMPLES | {"instances": [{"b64": ""}]}, "not a record"),
        ({"instances": 3}, "Expected `array`"),
        ({"instances": [ROW | {"ink": [[0, 0, 1]] * 20_000}] * 4}, "at most"),
    ],
)
def test_errors_have_the_form_of_tf_serving(server, body, message):
    response = server.send(PREDICT, body)
    assert response.status == 400
    assert message in response.json["error"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "`examples`"),
        ({"examples": [{"ink": [0, 0, 1]}]}, "tensorflow/serving/classify"),
        ({"signature_name": "classify", "examples": []}, "Received: 0"),
        ({"signature_name": "classify", "examples": [{}]}, "feature ink"),
        ({"signature_name": "classify", "examples": [{"ink": [0, 1]}]}, "flat list"),
        ({"signature_name": "classify", "examples": [{"ink": [[0]]}]}, "Expected"),
    ],
)
def test_errors_of_classify(server, body, message):
    response = server.send(CLASSIFY, body)
    assert response.status == 400
    assert message in response.json["error"]


def test_a_body_that_is_not_json(server):
    for body in (b"{", b"", b"[" * 100_000, b'{"instances": ' + b"[" * 100_000):
        response = server.send(PREDICT, body)
        assert response.status == 400
        assert isinstance(response.json["error"], str)


@pytest.mark.parametrize("count", [23, 60, 256])
def test_batches_of_many_clients(server, drawing, count):
    ink = to_ink(drawing).tolist()
    body = {"instances": [{"ink": ink, "length": len(ink)}] * count}
    statuses = []

    def send():
        statuses.extend(server.send(PREDICT, body).status for _ in range(4))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 16
