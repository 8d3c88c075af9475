"""TensorFlow Serving's REST form."""

import base64

import numpy as np
import pytest

from serve_export.predictor import Predictor, to_ink
from tfrecords import encode

PATH = "/v1/models/quickdraw:predict"


@pytest.fixture(scope="module")
def inks(drawing):
    return [to_ink(drawing), to_ink([[[1], [1]]])]


@pytest.fixture(scope="module")
def expected(inks, exported_rnn):
    return Predictor(str(exported_rnn)).probabilities(inks)


@pytest.fixture(scope="module")
def padded(inks):
    rows = np.zeros((2, max(map(len, inks)), 3))
    for row, ink in zip(rows, inks):
        row[: len(ink)] = ink
    return rows.tolist()


def test_rows(server, inks, padded, expected):
    rows = [{"ink": i, "length": len(ink)} for i, ink in zip(padded, inks)]
    answer = server.ask(PATH, {"signature_name": "serving_default", "instances": rows})
    assert answer.status == 200
    assert list(answer.json) == ["predictions"]
    np.testing.assert_allclose(answer.json["predictions"], expected, atol=1e-6)


def test_columns(server, inks, padded, expected):
    columns = {"ink": padded, "length": [len(ink) for ink in inks]}
    answer = server.ask(PATH, {"inputs": columns})
    assert list(answer.json) == ["outputs"]
    np.testing.assert_allclose(answer.json["outputs"], expected, atol=1e-6)


@pytest.mark.parametrize("named", [True, False])
def test_serialised_examples(server, inks, expected, named):
    records = [
        encode.encode_example(ink=ink, class_index=0, key_id="1") for ink in inks
    ]
    values = [{"b64": base64.b64encode(record).decode()} for record in records]
    rows = [{"examples": value} for value in values] if named else values
    answer = server.ask(PATH, {"signature_name": "serve_examples", "instances": rows})
    np.testing.assert_allclose(answer.json["predictions"], expected, atol=1e-6)


def test_the_status_is_that_of_the_version(server, exported_rnn):
    (status,) = server.ask("/v1/models/quickdraw").json["model_version_status"]
    assert status["version"] == exported_rnn.name
    assert status["state"] == "AVAILABLE"
    assert status["status"] == {"error_code": "OK", "error_message": ""}


ROW = {"ink": [[0, 0, 1]], "length": 1}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "instances or inputs"),
        ({"instances": [ROW], "inputs": {}}, "instances or inputs"),
        ({"instances": []}, "0 instances"),
        ({"instances": [ROW] * 999}, "999 instances"),
        ({"instances": [3]}, "instance 0 must have ink and length"),
        ({"instances": [{"ink": [[0, 0, 1]]}]}, "must have ink and length"),
        ({"instances": [ROW | {"ink": [[0, 0]]}]}, "ink must be"),
        ({"instances": [ROW | {"ink": [[0, 0, 1], [0]]}]}, "inhomogeneous"),
        ({"instances": [ROW | {"ink": [[0, 0, "a"]]}]}, "could not convert"),
        ({"instances": [ROW | {"ink": [[0, 0, None]]}]}, "ink must be within"),
        ({"instances": [ROW | {"ink": [[0, 0, 1e30]]}]}, "ink must be within"),
        ({"instances": [ROW | {"ink": [[0, 0, {}]]}]}, "float"),
        ({"instances": [ROW | {"length": 2}]}, "length must be"),
        ({"instances": [ROW | {"length": True}]}, "length must be"),
        ({"inputs": {"ink": [[[0, 0, 1]]]}}, "inputs must have"),
        ({"inputs": {"ink": [[[0, 0, 1]]], "length": []}}, "of one length"),
        ({"signature_name": "nine", "instances": [ROW]}, "no signature"),
        ({"signature_name": "serve_bitmaps", "instances": [ROW]}, "no signature"),
        ({"signature_name": "serve_examples", "instances": [ROW]}, "b64"),
        ({"signature_name": "serve_examples", "instances": [{"b64": "?"}]}, "base64"),
        ({"signature_name": "serve_examples", "instances": [{"b64": ""}]}, "needs one"),
        ({"instances": 3}, "body.instances"),
    ],
)
def test_bad_input_is_told_in_tf_servings_form(server, body, problem):
    answer = server.ask(PATH, body)
    assert answer.status == 400
    assert problem in answer.json["error"]


def test_a_body_that_is_no_json(server):
    answer = server.ask(PATH, b"{")
    assert answer.status == 400
    assert isinstance(answer.json["error"], str)
