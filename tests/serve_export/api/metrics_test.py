"""Metrics for Prometheus."""

from prometheus_client.parser import text_string_to_metric_families


def test_requests_are_counted_by_path_pattern(server):
    server.send("/v1/examples/quark")
    server.send("/nowhere/at/all")
    response = server.send("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    text = response.body.decode()
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    pattern = ("path", "/v1/examples/{word}")
    assert samples["quickdraw_requests_total", pattern, ("status", "404")] >= 1
    assert samples["quickdraw_request_seconds_count", pattern] >= 1
    other = ("path", "other"), ("status", "404")
    assert samples["quickdraw_requests_total", *other] >= 1
    assert "quickdraw_waiting" in text
    assert "process_resident_memory_bytes" in text
    assert "quark" not in text


def test_health_checks(server):
    assert server.send("/healthz").json == {"status": "ok"}
    assert server.send("/readyz").json == {"status": "ready"}
