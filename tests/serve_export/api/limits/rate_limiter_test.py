"""The rate limit per client address, and CORS."""

from hypothesis import given
from hypothesis import strategies as st

from serve_export.api.limits import rate_limiter
from serve_export.api.limits.rate_limiter import RateLimiter


def test_a_burst_is_allowed_and_then_the_rate():
    limiter = RateLimiter(2.0)
    burst = sum(limiter.allow_request("a", 100.0) for _ in range(100))
    assert burst == 2 * rate_limiter.BURST_SECONDS
    assert limiter.allow_request("b", 100.0), "each address has its own bucket"
    assert not limiter.allow_request("a", 100.4)
    assert limiter.allow_request("a", 100.5)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50), st.floats(0.1, 50))
def test_never_more_than_a_burst_and_the_rate(times, rate):
    limiter = RateLimiter(rate)
    allowed = sum(limiter.allow_request("a", time) for time in sorted(times))
    seconds = max(times) - min(times)
    burst = max(1, rate * rate_limiter.BURST_SECONDS)
    assert allowed <= burst + rate * seconds + 1e-6


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(rate_limiter, "MAX_CLIENTS", 10)
    limiter = RateLimiter(1.0)
    for number in range(1000):
        limiter.allow_request(str(number), 0.0)
    assert len(limiter._buckets) == 10


def test_the_response_says_when_to_retry(serving, exported_rnn):
    with serving(exported_rnn, "--rate_limit=0.5") as server:
        responses = [server.send("/healthz") for _ in range(5)]
        assert server.send("/static/app.js").status == 200
    assert [response.status for response in responses][:2] == [200, 200]
    assert responses[-1].status == 429
    assert responses[-1].headers["retry-after"] == "2"
    assert responses[-1].json["error"]["code"] == "rate_limit_exceeded"


def test_allowed_origins_may_use_the_api(serving, exported_rnn):
    with serving(exported_rnn, "--allow_origins=https://a.example") as server:
        response = server.send("/healthz", origin="https://a.example")
        assert response.headers["access-control-allow-origin"] == "https://a.example"
        response = server.send("/healthz", origin="https://b.example")
        assert "access-control-allow-origin" not in response.headers
