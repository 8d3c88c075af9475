"""Drawings that are kept, over HTTP."""

import json

import pytest

from pipeline.formats.ndjson_lines import find_format, parse_simplified
from serve_export.predictor import Predictor

HAND = [[[3.2, 80.7, 150.1], [10.0, 11.5, 90.2], [0, 9, 17]]]


@pytest.fixture
def word(exported_rnn):
    return Predictor(str(exported_rnn)).classes[0]


def kept(kept_dir):
    return [
        line
        for path in kept_dir.glob("*/*.ndjson")
        for line in path.read_bytes().splitlines()
    ]


def test_it_is_kept_as_quick_draw_publishes_it(server, kept_dir, word):
    answer = server.ask(
        "/v1/drawings", {"word": word, "drawing": HAND, "consent": True}
    )
    assert answer.status == 201
    (line,) = [x for x in kept(kept_dir) if answer.json["key_id"].encode() in x]
    drawing = parse_simplified(line)
    assert drawing.word == word
    assert drawing.recognized == answer.json["recognized"]
    assert set(json.loads(line)) == {
        *("word", "countrycode", "timestamp", "recognized", "key_id", "drawing")
    }
    assert b"127.0.0.1" not in line
    with min(kept_dir.glob("*/*.ndjson")).open("rb") as file:
        assert find_format(file) == "simplified"


@pytest.mark.parametrize(
    "change",
    [{"consent": False}, {"consent": None}, {"word": "quark"}, {"drawing": []}],
)
def test_not_without_consent_word_and_drawing(server, kept_dir, word, change):
    before = kept(kept_dir)
    body = {"word": word, "drawing": HAND, "consent": True} | change
    assert server.ask("/v1/drawings", body).status == 422
    assert kept(kept_dir) == before


def test_its_secret_removes_it(server, kept_dir, word):
    body = {"word": word, "drawing": HAND, "consent": True}
    given = server.ask("/v1/drawings", body).json
    path = f"/v1/drawings/{given['key_id']}"
    before = kept(kept_dir)
    wrong = server.ask(path, method="DELETE", secret="0" * 64)
    assert wrong.status == 403
    assert server.ask(path, method="DELETE").status == 422
    assert kept(kept_dir) == before
    gone = server.ask(path, method="DELETE", secret=given["secret"])
    assert (gone.status, gone.body) == (204, b"")
    assert len(kept(kept_dir)) == len(before) - 1
    again = server.ask(path, method="DELETE", secret=given["secret"])
    assert again.status == 404


def test_what_was_acknowledged_survives_a_kill(serving, exported_rnn, tmp_path, word):
    body = {"word": word, "drawing": HAND, "consent": True}
    with serving(exported_rnn, f"--drawings_dir={tmp_path}") as server:
        keys = [server.ask("/v1/drawings", body).json["key_id"] for _ in range(5)]
        server.process.kill()
    assert [json.loads(line)["key_id"] for line in kept(tmp_path)] == keys


def test_the_cap_is_a_clear_answer(serving, exported_rnn, tmp_path, word):
    folder = tmp_path / "2026-01-01"
    folder.mkdir()
    (folder / "drawings.ndjson").write_bytes(b"{}".ljust(999_999) + b"\n")
    flags = f"--drawings_dir={tmp_path}", "--drawings_cap_mb=1"
    with serving(exported_rnn, *flags) as server:
        body = {"word": word, "drawing": HAND, "consent": True}
        answer = server.ask("/v1/drawings", body)
    assert answer.status == 507
    assert answer.json["error"]["code"] == "full"


def test_without_a_folder_there_is_no_such_path(serving, exported_mlp):
    with serving(exported_mlp) as server:
        assert server.ask("/v1/drawings", {"consent": True}).status == 404
