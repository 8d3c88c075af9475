"""`/v1/drawings`."""

import json
import os
import resource
import shutil

import pytest

from pipeline.formats.text.containers import find_form
from pipeline.formats.text.ndjson_lines import parse_simplified
from serve_export.predictor import Predictor

RAW = [[[3.2, 80.7, 150.1], [10.0, 11.5, 90.2], [0, 9, 17]]]


@pytest.fixture
def word(exported_rnn):
    return Predictor(str(exported_rnn)).classes[0]


def read_lines(folder):
    return [
        line
        for path in folder.glob("*/*.ndjson")
        for line in path.read_bytes().splitlines()
    ]


def test_a_drawing_is_stored_as_quick_draw_publishes_it(server, drawings_dir, word):
    body = {"word": word, "drawing": RAW, "consent": True}
    response = server.send("/v1/drawings", body)
    assert response.status == 201
    key_id = response.json["key_id"].encode()
    (line,) = [line for line in read_lines(drawings_dir) if key_id in line]
    drawing = parse_simplified(line)
    assert drawing.word == word
    assert drawing.recognized == response.json["recognized"]
    assert set(json.loads(line)) == {
        *("word", "countrycode", "timestamp", "recognized", "key_id", "drawing")
    }
    assert b"127.0.0.1" not in line
    with min(drawings_dir.glob("*/*.ndjson")).open("rb") as file:
        assert find_form(file).format == "simplified"


@pytest.mark.parametrize(
    "change",
    [
        {"consent": False},
        {"consent": None},
        {"consent": 1},
        {"word": "quark"},
        {"drawing": []},
        {"extra": 1},
    ],
)
def test_consent_word_and_drawing_are_required(server, drawings_dir, word, change):
    before = read_lines(drawings_dir)
    body = {"word": word, "drawing": RAW, "consent": True} | change
    assert server.send("/v1/drawings", body).status == 422
    assert read_lines(drawings_dir) == before


def test_the_secret_deletes_a_drawing(server, drawings_dir, word):
    body = {"word": word, "drawing": RAW, "consent": True}
    stored = server.send("/v1/drawings", body).json
    path = f"/v1/drawings/{stored['key_id']}"
    before = read_lines(drawings_dir)
    wrong = server.send(path, method="DELETE", secret="0" * 64)
    assert wrong.status == 403
    assert server.send(path, method="DELETE").status == 422
    assert server.send("/v1/drawings/1", method="DELETE", secret="0").status == 422
    assert read_lines(drawings_dir) == before
    deleted = server.send(path, method="DELETE", secret=stored["secret"])
    assert (deleted.status, deleted.body) == (204, b"")
    assert len(read_lines(drawings_dir)) == len(before) - 1
    again = server.send(path, method="DELETE", secret=stored["secret"])
    assert again.status == 404


def test_a_drawing_of_many_strokes_is_stored(server, drawings_dir, word):
    strokes = [[[i, i + 9, i + 1], [i % 7, i % 5, 9]] for i in range(300)]
    body = {"word": word, "drawing": strokes, "consent": True}
    for _ in range(5):
        assert server.send("/v1/drawings", body).status == 201


def test_acknowledged_drawings_survive_sigkill(serving, exported_rnn, tmp_path, word):
    body = {"word": word, "drawing": RAW, "consent": True}
    with serving(exported_rnn, f"--drawings_dir={tmp_path}") as server:
        keys = [server.send("/v1/drawings", body).json["key_id"] for _ in range(5)]
        server.process.kill()
    assert [json.loads(line)["key_id"] for line in read_lines(tmp_path)] == keys


def test_a_full_store_answers_507(serving, exported_rnn, tmp_path, word):
    folder = tmp_path / "2026-01-01"
    folder.mkdir()
    (folder / "drawings.ndjson").write_bytes(b"{}".ljust(999_999) + b"\n")
    flags = f"--drawings_dir={tmp_path}", "--drawings_cap_mb=1"
    with serving(exported_rnn, *flags) as server:
        body = {"word": word, "drawing": RAW, "consent": True}
        response = server.send("/v1/drawings", body)
    assert response.status == 507
    assert response.json["error"]["code"] == "storage_full"


def test_a_full_disk_answers_507(serving, exported_rnn, tmp_path, word):
    def limit_file_size():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    body = {"word": word, "drawing": RAW, "consent": True}
    flags = [f"--drawings_dir={tmp_path}"]
    with serving(exported_rnn, *flags, preexec_fn=limit_file_size) as server:
        responses = [server.send("/v1/drawings", body) for _ in range(20)]
        statuses = [response.status for response in responses]
        assert server.send("/v1/predict", {"drawing": RAW}).status == 200
    stored = statuses.count(201)
    assert stored
    assert statuses == [201] * stored + [507] * (20 - stored)
    keys = [json.loads(line)["key_id"] for line in read_lines(tmp_path)]
    assert keys == [response.json["key_id"] for response in responses[:stored]]


def test_a_folder_that_disappears_answers_503_until_it_is_back(
    serving, exported_rnn, tmp_path, word
):
    folder, moved = tmp_path / "drawings", tmp_path / "moved"
    body = {"word": word, "drawing": RAW, "consent": True}
    with serving(exported_rnn, f"--drawings_dir={folder}") as server:

        def store():
            response = server.send("/v1/drawings", body)
            if response.status == 503:
                assert response.json["error"]["code"] == "storage_unavailable"
                assert str(tmp_path) not in response.message
            return response.status

        assert store() == 201
        folder.rename(moved)
        assert store() == 503
        folder.write_text("a file")
        assert store() == 503
        folder.unlink()
        os.symlink(moved, folder)
        assert store() == 503
        folder.unlink()
        moved.rename(folder)
        assert store() == 201
        shutil.rmtree(folder)
        folder.mkdir()
        stored = server.send("/v1/drawings", body).json
    with serving(exported_rnn, f"--drawings_dir={folder}") as server:
        path = f"/v1/drawings/{stored['key_id']}"
        response = server.send(path, method="DELETE", secret=stored["secret"])
        assert response.status == 204


def test_without_a_folder_there_is_no_such_path(serving, exported_mlp):
    with serving(exported_mlp) as server:
        assert server.send("/v1/drawings", {"consent": True}).status == 404
