"""Guesses, scores, classes and examples over HTTP."""

import base64
import io
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline import rasterize, strokes
from serve_export.api.routes.predict import score_of
from serve_export.predictor import Predictor
from tfrecords import schema

HAND = [[[3.2, 80.7, 150.1, 148.3], [10.0, 11.5, 90.2, 160.9]], [[40, 60], [50, 90]]]


def test_the_canvas_does_not_matter(server):
    large = [[[10 * v + 77 for v in axis] for axis in stroke] for stroke in HAND]
    answers = [server.ask("/v1/predict", {"drawing": d}).json for d in (HAND, large)]
    assert answers[0] == answers[1]


def test_times_do_not_matter(server):
    timed = [[*stroke, list(range(len(stroke[0])))] for stroke in HAND]
    answers = [server.ask("/v1/predict", {"drawing": d}).json for d in (HAND, timed)]
    assert answers[0] == answers[1]


def test_what_is_simplified_stays_so_if_one_says_so(server, exported_rnn, drawing):
    predictor = Predictor(str(exported_rnn))
    body = {"drawing": drawing, "format": "simplified", "top_k": 1}
    (guess,) = server.ask("/v1/predict", body).json["guesses"]
    (expected,) = predictor.guess(drawing, 1, "simplified")
    assert guess["word"] == expected.word
    assert guess["probability"] == pytest.approx(expected.probability, abs=1e-6)
    body["drawing"] = HAND
    assert "integers within 0..255" in server.ask("/v1/predict", body).message


def test_any_part_of_a_drawing_is_answered(server, drawing):
    for number in range(1, len(drawing) + 1):
        answer = server.ask("/v1/predict", {"drawing": drawing[:number]})
        assert answer.status == 200


def test_the_score_is_that_of_the_word(server):
    guesses = server.ask("/v1/predict", {"drawing": HAND, "top_k": 9}).json["guesses"]
    for rank, guess in enumerate(guesses, 1):
        body = {"drawing": HAND, "word": guess["word"], "top_k": 9}
        scored = server.ask("/v1/score", body).json
        assert scored["rank"] == rank
        assert scored["probability"] == guess["probability"]
        assert scored["score"] == score_of(guess["probability"])
        assert scored["guesses"] == guesses


@given(st.floats(0, 1), st.floats(0, 1))
def test_scores_rise_and_a_second_guess_has_no_hundred(one, other):
    low, high = sorted([one, other])
    assert 0 <= score_of(low) <= score_of(high) <= 100
    assert score_of(low / 2) < 100  # the second of two has at most a half
    assert score_of(1.0) == 100


def test_an_unknown_word_has_no_score(server):
    answer = server.ask("/v1/score", {"drawing": HAND, "word": "quark"})
    assert answer.status == 422
    assert answer.json["error"]["code"] == "unknown_word"


def test_the_classes_are_those_of_the_model(server, exported_rnn):
    classes = server.ask("/v1/classes").json["classes"]
    words = [each["word"] for each in classes]
    assert tuple(words) == Predictor(str(exported_rnn)).classes
    assert all(each["top1"] is None or 0 <= each["top1"] <= 1 for each in classes)
    assert any(each["example"] for each in classes)


def test_each_example_is_a_picture(server):
    classes = server.ask("/v1/classes").json["classes"]
    for word in (each["word"] for each in classes if each["example"]):
        answer = server.ask(f"/v1/examples/{word}")
        assert answer.headers["content-type"] == "image/svg+xml"
        svg = ElementTree.fromstring(answer.body)
        assert svg.findtext("{*}title") == word
        assert "CC BY 4.0" in svg.findtext("{*}desc")
        assert svg.findall("{*}path")


def test_there_is_no_example_of_an_unknown_word(server):
    answer = server.ask("/v1/examples/quark")
    assert answer.status == 404
    assert answer.json["error"]["code"] == "not_found"


def to_png(drawing):
    pixels = rasterize.rasterize(strokes.to_points(drawing))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_a_model_of_bitmaps_takes_a_picture(serving, exported_mlp, drawing, server):
    body = {"image": to_png(drawing), "top_k": 1}
    assert "reads strokes" in server.ask("/v1/predict", body).message
    with serving(exported_mlp) as other:
        (guess,) = other.ask("/v1/predict", body).json["guesses"]
        simplified = {"drawing": drawing, "format": "simplified", "top_k": 1}
        (same,) = other.ask("/v1/predict", simplified).json["guesses"]
        assert guess["word"] == same["word"]
        assert guess["probability"] == pytest.approx(same["probability"], abs=1e-6)
        bitmap = np.zeros((schema.BITMAP_SIDE, schema.BITMAP_SIDE, 1)).tolist()
        body = {"signature_name": "serve_bitmaps", "instances": [{"bitmap": bitmap}]}
        answer = other.ask("/v1/models/quickdraw:predict", body)
        assert sum(answer.json["predictions"][0]) == pytest.approx(1, abs=1e-5)
        for image in ("", "AAAA", "?", to_png(drawing)[:80]):
            answer = other.ask("/v1/predict", {"image": image})
            assert answer.status == 422
            assert answer.json["error"]["code"] == "invalid_image"
