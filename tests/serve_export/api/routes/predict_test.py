"""`/v1/predict` and `/v1/score`."""

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline import rasterize, strokes
from serve_export.api.workers.inference import compute_score
from serve_export.predictor import Predictor
from tfrecords import schema

RAW = [[[3.2, 80.7, 150.1, 148.3], [10.0, 11.5, 90.2, 160.9]], [[40, 60], [50, 90]]]


def test_the_size_of_the_canvas_does_not_matter(server):
    large = [[[10 * v + 77 for v in axis] for axis in stroke] for stroke in RAW]
    responses = [server.send("/v1/predict", {"drawing": d}).json for d in (RAW, large)]
    assert responses[0] == responses[1]


def test_times_do_not_matter(server):
    timed = [[*stroke, list(range(len(stroke[0])))] for stroke in RAW]
    responses = [server.send("/v1/predict", {"drawing": d}).json for d in (RAW, timed)]
    assert responses[0] == responses[1]


def test_simplified_drawings_are_used_as_they_are(server, exported_rnn, drawing):
    predictor = Predictor(str(exported_rnn))
    body = {"drawing": drawing, "format": "simplified", "top_k": 1}
    (guess,) = server.send("/v1/predict", body).json["guesses"]
    (expected,) = predictor.guess(drawing, 1, "simplified")
    assert guess["word"] == expected.word
    assert guess["probability"] == pytest.approx(expected.probability, abs=1e-6)
    body["drawing"] = RAW
    assert "integers within 0..255" in server.send("/v1/predict", body).message


def test_unfinished_drawings_are_classified(server, drawing):
    for number in range(1, len(drawing) + 1):
        response = server.send("/v1/predict", {"drawing": drawing[:number]})
        assert response.status == 200


def test_several_drawings_have_a_result_each(server):
    single = server.send("/v1/predict", {"drawing": RAW, "top_k": 2}).json
    drawings = [RAW, [], RAW, [[["x"], [1]]], 3, [[[1] * 20_000, [1] * 20_000]]]
    response = server.send("/v1/predict", {"drawings": drawings, "top_k": 2})
    assert response.status == 200
    results = response.json["results"]
    assert results[0] == results[2] == single
    codes = [results[i]["error"]["code"] for i in (1, 3, 4, 5)]
    assert codes == ["invalid_drawing"] * 3 + ["too_large"]


def test_256_drawings_are_classified(server, drawing):
    response = server.send("/v1/predict", {"drawings": [drawing] * 256, "top_k": 1})
    results = response.json["results"]
    assert len(results) == 256
    assert all(result == results[0] for result in results)
    assert "guesses" in results[0]


def test_the_work_for_several_drawings_is_limited(server):
    scribble = [[[i / 2 for i in range(400)], [0.0, 5.0] * 200]]
    response = server.send("/v1/predict", {"drawings": [scribble] * 200, "top_k": 1})
    results = response.json["results"]
    is_classified = ["guesses" in result for result in results]
    assert len(results) == 200
    assert 40 < sum(is_classified) < 100
    assert is_classified == sorted(is_classified, reverse=True)
    assert results[-1]["error"]["code"] == "too_expensive"


def test_scores_are_those_of_the_words(server):
    guesses = server.send("/v1/predict", {"drawing": RAW, "top_k": 9}).json["guesses"]
    for rank, guess in enumerate(guesses, 1):
        body = {"drawing": RAW, "word": guess["word"], "top_k": 9}
        scored = server.send("/v1/score", body).json
        assert scored["rank"] == rank
        assert scored["probability"] == guess["probability"]
        assert scored["score"] == compute_score(guess["probability"])
        assert scored["guesses"] == guesses


@given(st.floats(0, 1), st.floats(0, 1))
def test_scores_rise_and_a_second_guess_never_has_100(one, other):
    low, high = sorted([one, other])
    assert 0 <= compute_score(low) <= compute_score(high) <= 100
    assert compute_score(low / 2) < 100  # the second of two has at most a half
    assert compute_score(1.0) == 100


def test_an_unknown_word_has_no_score(server):
    response = server.send("/v1/score", {"drawing": RAW, "word": "quark"})
    assert response.status == 422
    assert response.json["error"]["code"] == "unknown_word"


def to_png(drawing):
    return encode_png(Image.fromarray(rasterize.rasterize(strokes.to_points(drawing))))


def encode_png(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_a_bitmap_model_accepts_images(serving, exported_mlp, drawing):
    body = {"image": to_png(drawing), "top_k": 1}
    with serving(exported_mlp) as server:
        (guess,) = server.send("/v1/predict", body).json["guesses"]
        simplified = {"drawing": drawing, "format": "simplified", "top_k": 1}
        (expected,) = server.send("/v1/predict", simplified).json["guesses"]
        assert guess["word"] == expected["word"]
        assert guess["probability"] == pytest.approx(expected["probability"], abs=1e-6)
        bitmap = np.zeros((schema.BITMAP_SIDE, schema.BITMAP_SIDE, 1)).tolist()
        for fields in (
            {"instances": [{"bitmap": bitmap}]},
            {"instances": [bitmap]},
            {"inputs": {"bitmap": [bitmap]}},
            {"inputs": [bitmap]},
        ):
            body = {"signature_name": "serve_bitmaps", **fields}
            response = server.send("/v1/models/quickdraw:predict", body)
            (row,) = response.json.get("predictions") or response.json["outputs"]
            assert sum(row) == pytest.approx(1, abs=1e-5)
        for invalid in (bitmap[:-1], [[[2.0]] * 28] * 28, [[[0.0]] * 27] * 28):
            body = {"signature_name": "serve_bitmaps", "instances": [invalid]}
            response = server.send("/v1/models/quickdraw:predict", body)
            assert "bitmap must be" in response.json["error"]
        for side in (300, 1024):
            body = {"image": encode_png(Image.new("L", (side, 9), 255))}
            assert server.send("/v1/predict", body).status in (200, 422)
        for size in ((1025, 1), (1, 60_000)):
            response = server.send(
                "/v1/predict", {"image": encode_png(Image.new("1", size))}
            )
            assert f"Received: {max(size)}" in response.message
        for image in ("", "AAAA", "?", to_png(drawing)[:80]):
            response = server.send("/v1/predict", {"image": image})
            assert response.status == 422
            assert response.json["error"]["code"] == "invalid_image"
