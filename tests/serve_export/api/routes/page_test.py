"""The page's files over HTTP."""

import gzip
import re

import pytest

from serve_export.api.routes.page import FOLDER

MODULES = sorted(path.name for path in FOLDER.glob("*.js"))


def test_the_page_and_all_its_files_are_there(server):
    page = server.ask("/")
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    needed = re.findall(r'(?:href|src)="(static/[^"]+)"', page.body.decode())
    for path in needed:
        assert server.ask(f"/{path}").status == 200
    assert {f"static/{name}" for name in MODULES} == {
        path for path in needed if path.endswith(".js")
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("app.js", "text/javascript"),
        ("base.css", "text/css"),
        ("icon.svg", "image/svg"),
    ],
)
def test_a_file_has_its_type_and_is_sent_once(server, name, kind):
    first = server.ask(f"/static/{name}")
    assert first.headers["content-type"].startswith(kind)
    assert first.body == (FOLDER / name).read_bytes()
    again = server.ask(f"/static/{name}", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_text_is_sent_packed(server):
    packed = server.ask("/static/base.css", accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == (FOLDER / "base.css").read_bytes()
    assert len(packed.body) < (FOLDER / "base.css").stat().st_size / 2


def test_no_file_outside_is_served(server):
    for path in ("/static/../api/app.py", "/static/%2e%2e/server.py", "/static/", "/x"):
        assert server.ask(path).status == 404


def test_nothing_comes_from_elsewhere_and_the_policy_holds():
    for path in FOLDER.glob("*.*"):
        text = path.read_text(encoding="utf-8")
        for pattern in (
            r'(?:src|href|from|import|url)[=( ]*["\']?(?:https?:)?//',
            r'<script(?! type="module" src)|<style|\son\w+=|style="',
        ):
            assert not re.findall(pattern, text), path


def test_its_files_are_not_limited_in_rate(serving, exported_mlp):
    with serving(exported_mlp, "--rate_limit=0.5") as server:
        for name in MODULES:
            assert server.ask(f"/static/{name}").status == 200
        answers = [server.ask("/v1/about").status for _ in range(5)]
    assert 429 in answers


def test_it_is_told_what_is_served(server, serving, exported_mlp):
    about = server.ask("/v1/about").json
    assert about["words"] == len(server.ask("/v1/classes").json["classes"])
    assert "CC BY 4.0" in about["attribution"]
    assert about["keeps_drawings"] is True
    with serving(exported_mlp) as other:
        assert other.ask("/v1/about").json["keeps_drawings"] is False
