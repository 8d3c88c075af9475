"""The limits on the way in."""

import asyncio
import socket
import urllib.parse

from hypothesis import given
from hypothesis import strategies as st

from serve_export.api import middleware
from serve_export.api.metrics import Metrics
from serve_export.api.settings import Settings


def test_a_bucket_lets_a_burst_through_and_then_the_rate():
    rates = middleware.Rates(2.0)
    burst = sum(rates.allow("a", 100.0) for _ in range(100))
    assert burst == 2 * middleware.BURST_SECONDS
    assert rates.allow("b", 100.0), "another address has a bucket of its own"
    assert not rates.allow("a", 100.4)
    assert rates.allow("a", 100.5)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50), st.floats(0.1, 50))
def test_no_more_than_the_rate_and_a_burst_ever_pass(moments, rate):
    rates = middleware.Rates(rate)
    passed = sum(rates.allow("a", moment) for moment in sorted(moments))
    longest = max(moments) - min(moments)
    assert passed <= max(1, rate * middleware.BURST_SECONDS) + rate * longest + 1e-6


def test_only_so_many_addresses_are_remembered(monkeypatch):
    monkeypatch.setattr(middleware, "MOST_SENDERS", 10)
    rates = middleware.Rates(1.0)
    for number in range(1000):
        rates.allow(str(number), 0.0)
    assert len(rates._left) == 10


def test_too_fast_is_told_and_when_to_come_again(serving, exported_rnn):
    with serving(exported_rnn, "--rate_limit=0.5") as server:
        answers = [server.ask("/healthz") for _ in range(5)]
    assert [answer.status for answer in answers][:2] == [200, 200]
    assert answers[-1].status == 429
    assert answers[-1].headers["retry-after"] == "2"
    assert answers[-1].json["error"]["code"] == "too_many_requests"


def test_pages_of_allowed_sites_may_ask(serving, exported_rnn):
    with serving(exported_rnn, "--allow_origins=https://a.example") as server:
        answer = server.ask("/healthz", origin="https://a.example")
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        answer = server.ask("/healthz", origin="https://b.example")
        assert "access-control-allow-origin" not in answer.headers


def test_a_body_of_unknown_length_is_cut_off_too(server):
    address = urllib.parse.urlsplit(server.address)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(
            b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
            b"content-type: application/json\r\n\r\n"
        )
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        connection.sendall(40 * chunk + b"0\r\n\r\n")
        assert b" 413 " in connection.recv(1000)


def test_a_body_that_does_not_come_is_given_up(monkeypatch):
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.01)
    sent = []

    async def receive():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/v1/predict", "method": "POST", "headers": []}
    gated = middleware.Gate(None, Settings(), Metrics())
    asyncio.run(gated(scope, receive, send))
    assert sent[0]["status"] == 408
