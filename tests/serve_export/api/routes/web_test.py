"""`/web/` is there where the export has it, and shows nothing else."""

import gzip
import shutil

import pytest

from serve_export import layout


@pytest.fixture(scope="module")
def with_web(exported_rnn, serving, tmp_path_factory):
    """A server on an export with a web folder."""
    path = tmp_path_factory.mktemp("exports") / "1"
    path.mkdir()
    shutil.copy(exported_rnn / layout.QUANTISED, path)
    (path / layout.WEB).mkdir()
    (path / layout.WEB / "worker.js").write_text("1;\n")
    (path / layout.WEB / "litert.wasm.gz").write_bytes(gzip.compress(b"wasm"))
    with serving(path) as server:
        yield server


def test_a_script_is_one_to_a_browser(with_web):
    answer = with_web.ask("/web/worker.js")
    assert answer.body == b"1;\n"
    assert "javascript" in answer.headers["content-type"]


def test_what_is_packed_stays_packed(with_web):
    answer = with_web.ask("/web/litert.wasm.gz")
    assert gzip.decompress(answer.body) == b"wasm"
    assert "content-encoding" not in answer.headers


def test_an_unchanged_file_is_not_sent_again(with_web):
    tag = with_web.ask("/web/worker.js").headers["etag"]
    again = with_web.ask("/web/worker.js", if_none_match=tag)
    assert (again.status, again.body) == (304, b"")
    assert again.headers["cache-control"] == "no-cache"


def test_the_policy_lets_a_page_run_wasm_of_ours(with_web):
    policy = with_web.ask("/web/worker.js").headers["content-security-policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy


@pytest.mark.parametrize(
    "path",
    ["/web/", "/web/none.js", f"/web/../{layout.QUANTISED}", "/web/..%2fmodel.tflite"],
)
def test_nothing_else_is_shown(with_web, path):
    answer = with_web.ask(path)
    assert answer.status == 404
    assert answer.json["error"]["code"] == "not_found"


def test_no_web_folder_no_route(server):
    assert server.ask("/web/worker.js").status == 404
