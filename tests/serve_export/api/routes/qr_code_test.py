"""QR codes over HTTP."""

import pytest


def test_qr_code_is_svg(server):
    response = server.send("/v1/qr_code?text=http%3A%2F%2F192.0.2.1%3A8080%2F")
    assert response.headers["content-type"].startswith("image/svg+xml")
    assert b"<svg" in response.body


@pytest.mark.parametrize("query", ["", "?text=", f"?text={'x' * 1001}"])
def test_invalid_text_is_rejected(server, query):
    response = server.send(f"/v1/qr_code{query}")
    assert response.status == 422
    assert "1 to 1000 characters" in response.message


def test_text_of_too_many_bytes_is_rejected(server):
    assert server.send(f"/v1/qr_code?text={'%F0%9F%98%80' * 1000}").status == 422
