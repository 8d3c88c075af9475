"""What Prometheus reads."""

from serve_export.api.metrics import Metrics


def test_requests_are_counted_and_sorted_into_buckets():
    metrics = Metrics()
    for seconds in (0.0005, 0.003, 99.0):
        metrics.observe("/v1/predict", 200, seconds)
    metrics.observe("/v1/predict", 422, 0.003)
    metrics.set("quickdraw_waiting", "Requests in the lanes.", 3)
    lines = metrics.text().splitlines()
    assert 'quickdraw_requests_total{path="/v1/predict",status="200"} 3' in lines
    assert 'quickdraw_requests_total{path="/v1/predict",status="422"} 1' in lines
    bucket = 'quickdraw_request_seconds_bucket{path="/v1/predict",le='
    assert f'{bucket}"0.001"}} 1' in lines
    assert f'{bucket}"0.005"}} 3' in lines
    assert f'{bucket}"2.5"}} 3' in lines
    assert f'{bucket}"+Inf"}} 4' in lines
    assert 'quickdraw_request_seconds_count{path="/v1/predict"} 4' in lines
    assert "quickdraw_waiting 3" in lines


def test_the_server_tells_them_by_pattern(server):
    server.ask("/v1/examples/quark")
    server.ask("/nowhere/at/all")
    answer = server.ask("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = answer.body.decode()
    pattern = 'quickdraw_requests_total{path="/v1/examples/{word}",status="404"}'
    assert pattern in text
    assert 'path="other",status="404"' in text
    assert "quark" not in text


def test_it_lives_and_is_ready(server):
    assert server.ask("/healthz").json == {"status": "ok"}
    assert server.ask("/readyz").json == {"status": "ready"}
