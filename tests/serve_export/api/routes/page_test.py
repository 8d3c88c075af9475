"""The pages and their files."""

import gzip
import mimetypes
import re
import shutil

import pytest

from serve_export import layout
from serve_export.api.routes.page import PAGES, STATIC_DIR

FILES = sorted(
    path.relative_to(STATIC_DIR) for path in STATIC_DIR.rglob("*") if path.is_file()
)


def find_file(suffix):
    return max(
        (path for path in FILES if path.suffix == suffix),
        key=lambda path: (STATIC_DIR / path).stat().st_size,
    )


@pytest.mark.parametrize(
    "path", [path for path, name in PAGES.items() if (STATIC_DIR / name).exists()]
)
def test_a_page_and_the_files_that_it_names_are_served(server, path):
    page = server.send(path)
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    files = re.findall(r'(?:href|src)="/?(static/[^"]+)"', page.body.decode())
    assert files
    for file in files:
        assert server.send(f"/{file}").status == 200


def test_every_file_has_its_content_type(server):
    for path in FILES:
        response = server.send(f"/static/{path}")
        assert response.body == (STATIC_DIR / path).read_bytes()
        content_type, _ = mimetypes.guess_type(path.name)
        assert response.headers["content-type"].startswith(content_type)


def test_an_unchanged_file_is_not_sent_again(server):
    path = f"/static/{find_file('.js')}"
    first = server.send(path)
    assert first.headers["cache-control"] == "no-cache"
    again = server.send(path, if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_text_is_compressed(server):
    path = find_file(".css")
    response = server.send(f"/static/{path}", accept_encoding="gzip")
    assert response.headers["content-encoding"] == "gzip"
    assert gzip.decompress(response.body) == (STATIC_DIR / path).read_bytes()
    assert len(response.body) < (STATIC_DIR / path).stat().st_size / 2


def test_service_worker_lists_all_files_of_the_page():
    code = (STATIC_DIR / "install" / "service_worker.js").read_text()
    files = re.search(r"const FILES = \[(.*?)\];", code, re.DOTALL).group(1)
    others = {*PAGES.values(), "install/service_worker.js"}
    expected = [f"static/{path}" for path in FILES if str(path) not in others]
    assert sorted(re.findall(r'"(.+)"', files)) == sorted(
        ["./", "words", "v1/about", "v1/classes", *expected]
    )


def test_page_preloads_all_its_modules():
    files = {path.as_posix() for path in FILES if path.suffix == ".js"}
    workers = {"offline/strokes.js", "offline/worker.js", "install/service_worker.js"}
    html = (STATIC_DIR / "index.html").read_text()
    preloaded = set(re.findall(r'modulepreload" href="static/(.+?)"', html))
    assert preloaded == files - workers - {"app.js", "words/words_page.js"}


def test_no_other_file_is_served(server):
    for path in ("/static/../api/app.py", "/static/%2e%2e/server.py", "/static/", "/x"):
        assert server.send(path).status == 404


def test_no_file_refers_to_another_host_or_breaks_the_policy():
    for path in FILES:
        if path.suffix not in (".js", ".css", ".html"):
            continue
        text = (STATIC_DIR / path).read_text(encoding="utf-8")
        for pattern in (
            r'(?:src|href|from|import|url)[=( ]*["\']?(?:https?:)?//',
            r'<script(?! type="module" src)|<style|\son\w+=|style="',
        ):
            assert not re.findall(pattern, text), path


def test_files_have_no_rate_limit(serving, exported_mlp):
    with serving(exported_mlp, "--rate_limit=0.5") as server:
        for path in FILES[:20]:
            assert server.send(f"/static/{path}").status == 200
        assert 429 in [server.send("/v1/about").status for _ in range(5)]


def test_about(server, serving, exported_mlp):
    about = server.send("/v1/about").json
    assert about["words"] == len(server.send("/v1/classes").json["classes"])
    assert "CC BY 4.0" in about["attribution"]
    assert about["keeps_drawings"] is True
    assert about["guesses_on_device"] is False
    with serving(exported_mlp) as other:
        assert other.send("/v1/about").json["keeps_drawings"] is False


@pytest.fixture(scope="module")
def web_server(exported_rnn, serving, tmp_path_factory):
    """A server of an export with a web folder."""
    path = tmp_path_factory.mktemp("exports") / "1"
    path.mkdir()
    shutil.copy(exported_rnn / layout.LITERT_INT8_FILE, path)
    (path / layout.WEB_DIR).mkdir()
    (path / layout.WEB_DIR / "worker.js").write_text("1;\n")
    (path / layout.WEB_DIR / "litert.wasm.gz").write_bytes(gzip.compress(b"wasm"))
    with serving(path) as server:
        yield server


def test_web_files(web_server):
    assert web_server.send("/v1/about").json["guesses_on_device"] is True
    response = web_server.send("/web/worker.js")
    assert response.body == b"1;\n"
    assert "javascript" in response.headers["content-type"]
    assert response.headers["cache-control"] == "no-cache"
    policy = response.headers["content-security-policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy
    compressed = web_server.send("/web/litert.wasm.gz")
    assert gzip.decompress(compressed.body) == b"wasm"
    assert "content-encoding" not in compressed.headers


@pytest.mark.parametrize(
    "path",
    [
        "/web/",
        "/web/none.js",
        f"/web/../{layout.LITERT_INT8_FILE}",
        "/web/..%2fmodel.tflite",
    ],
)
def test_only_web_files_are_served(web_server, path):
    response = web_server.send(path)
    assert response.status == 404
    assert response.json["error"]["code"] == "not_found"


def test_an_export_without_web_files(server):
    assert server.send("/web/worker.js").status == 404
