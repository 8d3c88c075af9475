"""The page about the requests."""

import re


def test_it_shows_every_request_and_needs_nothing_from_elsewhere(server):
    page = server.ask("/docs").body.decode()
    document = server.ask("/openapi.json").json
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"<h2>{method.upper()} {path}</h2>" in page
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert "$ref" not in page
