"""Bad input is the sender's fault, told in a line, and at nobody else's cost."""

import json
import re
import threading

import pytest

GOOD = {"drawing": [[[10, 90, 90], [20, 20, 80]]]}


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        (b"", 422, "Field required"),
        (b"{", 422, "JSON"),
        (b"\xff\xfe{", 400, "parsing the body"),
        (b"[" * 100_000, 400, "parsing the body"),
        (b'{"drawing": ' + b"[" * 900 + b"]" * 900 + b"}", 422, "body.drawing"),
        (b"{}", 422, "give a drawing or an image"),
        (b'{"drawing": 3}', 422, "body.drawing"),
        (b'{"drawing": [[1, 2], [3, 4]]}', 422, "body.drawing"),
        (b'{"drawing": [[["1"], [true]]]}', 422, "valid number"),
        (b'{"drawing": []}', 422, "no strokes"),
        (b'{"drawing": [[]]}', 422, "without x and y"),
        (b'{"drawing": [[[1, 2]]]}', 422, "without x and y"),
        (b'{"drawing": [[[], []]]}', 422, "without points"),
        (b'{"drawing": [[[1, 2], [1]]]}', 422, "unequal x and y"),
        (b'{"drawing": [[[NaN], [1]]]}', 422, "finite"),
        (b'{"drawing": [[[1e999], [1]]]}', 422, "finite"),
        (b'{"drawing": [[[-1e308, 1e308], [1, 2]]]}', 422, "too far apart"),
        (b'{"drawing": [[[' + b"9" * 400 + b"], [1]]]}", 422, "body.drawing"),
        (b'{"drawing": [[[' + b"9" * 9999 + b"], [1]]]}", 400, "parsing the body"),
        (b'{"drawing": [[[1], [1]]], "top_k": 0}', 422, "top_k"),
        (b'{"drawing": [[[1], [1]]], "top_k": "3"}', 422, "top_k"),
        (b'{"drawing": [[[1], [1]]], "format": "svg"}', 422, "format"),
        (b" " * (10 << 20), 413, "at most 1,048,576 bytes"),
    ],
)
def test_it_is_named(server, body, status, problem):
    answer = server.ask("/v1/predict", body)
    assert answer.status == status
    assert problem in answer.message
    assert len(answer.message) < 300


def test_too_many_points_or_strokes_are_refused(server):
    points = {"drawing": [[[1] * 100_000, [2] * 100_000]]}
    assert "100,000 points" in server.ask("/v1/predict", points).message
    many = {"drawing": [[[1], [2]]] * 2000}
    assert "2,000 strokes" in server.ask("/v1/predict", many).message


def test_too_long_a_way_is_refused(server):
    scribble = [[[255 * (i % 2) for i in range(9000)], list(range(9000))]]
    scribble[0][1] = [i * 255 / 9000 for i in range(9000)]
    answer = server.ask("/v1/predict", {"drawing": scribble})
    assert answer.status == 422
    assert "too long" in answer.message


def test_another_content_type_is_refused(server):
    body = json.dumps(GOOD).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = server.ask("/v1/predict", body, content_type=kind)
        assert answer.status == 415
    for kind in ("application/json; charset=utf-8", "Application/JSON"):
        assert server.ask("/v1/predict", body, content_type=kind).status == 200


def test_other_paths_and_methods(server):
    assert server.ask("/nowhere").json["error"]["code"] == "not_found"
    answer = server.ask("/v1/predict")
    assert answer.status == 405
    assert answer.json["error"]["code"] == "method_not_allowed"
    assert server.ask("/../../etc/passwd").status == 404


def test_every_answer_has_the_headers_that_keep_a_page_safe(server):
    for path in ("/healthz", "/nowhere", "/docs", "/v1/classes"):
        headers = server.ask(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers


def test_no_answer_tells_a_path_of_the_host(server, exported_rnn, kept_dir):
    paths = ("/docs", "/openapi.json", "/metrics", "/v1/classes", "/nowhere")
    said = b"".join(server.ask(path).body for path in paths)
    said += server.ask("/v1/models/quickdraw").body
    for path in (exported_rnn, kept_dir, kept_dir.parent.parent):
        assert str(path).encode() not in said


def test_scribbles_keep_nobody_waiting(server):
    """Long work is done beside the others', not before it."""
    points = 7000
    zigzag = [[255 * i / points for i in range(points)], [0.0, 5.0] * (points // 2)]
    statuses = []

    def scribble():
        statuses.append(server.ask("/v1/predict", {"drawing": [zigzag]}).status)

    threads = [threading.Thread(target=scribble) for _ in range(32)]
    for thread in threads:
        thread.start()
    while _waiting(server) < 8:
        assert len(statuses) < 24, "they were done before others had come"
    before = len(statuses)
    assert server.ask("/v1/predict", GOOD).status == 200
    assert len(statuses) - before < 4
    for thread in threads:
        thread.join()
    assert statuses == [200] * 32


def _waiting(server) -> int:
    metrics = server.ask("/metrics").body.decode()
    return int(re.search(r"^quickdraw_waiting (\d+)", metrics, re.M)[1])
