"""Invalid requests get a short error message and do not slow down others."""

import json
import re
import threading

import pytest

VALID = {"drawing": [[[10, 90, 90], [20, 20, 80]]]}


def post_drawing(server, text):
    return server.send("/v1/predict", b'{"drawing": ' + text + b"}")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"\xff\xfe{", 400, "not JSON"),
        (b"[" * 100_000, 422, "Expected `object`"),
        (b"{}", 422, "send one of drawing, drawings and image"),
        (b'{"drawing": [], "image": ""}', 422, "Received: drawing and image"),
        (b'{"drawing": 3}', 422, "$.drawing"),
        (b'{"drawing": [[[1], [1]]], "top_k": 0}', 422, "top_k"),
        (b'{"drawing": [[[1], [1]]], "top_k": "3"}', 422, "top_k"),
        (b'{"drawing": [[[1], [1]]], "topk": 3}', 422, "topk; did you mean top_k?"),
        (b'{"drawing": [[[1], [1]]], "zzz": 3}', 422, "zzz; known: drawing, "),
        (b'{"drawing": [[[1], [1]]], "format": "svg"}', 422, "format"),
        (b'{"drawings": [' + b"[]," * 299 + b"[]]}", 422, "1 to 256 items"),
        (b'{"image": "AAAA"}', 422, "this model reads strokes"),
        (b" " * (10 << 20), 413, "at most 1,048,576 bytes"),
    ],
)
def test_error_message(server, body, status, message):
    response = server.send("/v1/predict", body)
    assert response.status == status
    assert message in response.message
    assert len(response.message) < 300


@pytest.mark.parametrize(
    ("drawing", "message"),
    [
        (b"[" * 900 + b"]" * 900, "$.drawing[0][0][0]"),
        (b"[[1, 2], [3, 4]]", "$.drawing[0][0]"),
        (b'[[["1"], [true]]]', "Expected `float`, got `str`"),
        (b"[]", "no strokes"),
        (b"[[]]", "stroke 1"),
        (b"[[[1, 2]]]", "stroke 1"),
        (b"[[[], []]]", "stroke 1"),
        (b"[[[1, 2], [1]]]", "stroke 1"),
        (b"[[[1e999], [1]]]", "out of range"),
        (b"[[[-1e308, 1e308], [1, 2]]]", "too far apart"),
        (b"[[[" + b"9" * 400 + b"], [1]]]", "out of range"),
        (b"[[[" + b"9" * 9999 + b"], [1]]]", "out of range"),
        (json.dumps([[[1] * 100_000, [2] * 100_000]]).encode(), "100,000"),
        (json.dumps([[[1], [2]]] * 2000).encode(), "2,000"),
        (json.dumps([[[0, 255] * 4500, list(range(9000))]]).encode(), "too long"),
        (b"[" + b"1," * 500_000 + b"1]", "at most 250,000"),
        (b'[[[""]' + b',[""]' * 200_000 + b"]]", "at most 250,000"),
        (b"[[" + b"[]," * 249_000 + b"[]]]", "at most 250,000"),
        (json.dumps([[[1], [2]]] * 60_000).encode(), "at most 250,000"),
    ],
    ids=lambda value: str(value[:20]),
)
def test_error_message_of_a_drawing(server, drawing, message):
    response = post_drawing(server, drawing)
    assert response.status == 422
    assert message in response.message
    assert len(response.message) < 300


def test_content_type_and_encoding(server):
    body = json.dumps(VALID).encode()
    for content_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        response = server.send("/v1/predict", body, content_type=content_type)
        assert response.status == 415
    for content_type in ("application/json; charset=utf-8", "Application/JSON"):
        response = server.send("/v1/predict", body, content_type=content_type)
        assert response.status == 200
    response = server.send("/v1/predict", body, content_encoding="gzip")
    assert response.status == 415
    assert "compressed" in response.message


def test_unknown_paths_and_methods(server):
    assert server.send("/nowhere").json["error"]["code"] == "not_found"
    response = server.send("/v1/predict")
    assert response.status == 405
    assert response.json["error"]["code"] == "method_not_allowed"
    assert server.send("/../../etc/passwd").status == 404
    for path in ("/readyz", "/healthz", "/v1/classes", "/metrics", "/docs", "/"):
        assert server.send(path, method="HEAD").status == 200


def test_security_headers(server):
    for path in ("/healthz", "/nowhere", "/docs", "/v1/classes"):
        headers = server.send(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers


def test_no_response_reveals_a_path_of_the_host(server, exported_rnn, drawings_dir):
    paths = ("/docs", "/openapi.json", "/metrics", "/v1/classes", "/nowhere")
    bodies = b"".join(server.send(path).body for path in paths)
    bodies += server.send("/v1/models/quickdraw").body
    for path in (exported_rnn, drawings_dir, drawings_dir.parent.parent):
        assert str(path).encode() not in bodies


def test_scribbles_do_not_delay_other_requests(server):
    points = 7000
    zigzag = [[255 * i / points for i in range(points)], [0.0, 5.0] * (points // 2)]
    statuses = []

    def send_scribble():
        statuses.append(server.send("/v1/predict", {"drawing": [zigzag]}).status)

    threads = [threading.Thread(target=send_scribble) for _ in range(16)]
    for thread in threads:
        thread.start()
    while count_waiting(server) < 2:
        assert len(statuses) < 12, "all were answered before others arrived"
    before = statuses.count(200)
    assert server.send("/v1/predict", VALID).status == 200
    assert statuses.count(200) - before < 4
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 503}
    assert 200 in statuses


def count_waiting(server) -> int:
    metrics = server.send("/metrics").body.decode()
    return round(float(re.search(r"^quickdraw_waiting (\S+)", metrics, re.M)[1]))
