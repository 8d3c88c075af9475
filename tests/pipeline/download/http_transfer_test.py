"""Files are complete and of one version, whatever fails during a transfer."""

import email.utils
import functools
import os
import re
import resource
import socket
import threading
import time

import pytest

from pipeline.download import http_transfer
from pipeline.download.drawing_counters import DrawingCounter, LineCounter

LINE = b'{"word": "cat", "drawing": [[[%03d, 1], [2, 3]]]}\n'
SOURCE = b"".join(LINE % (number % 1000) for number in range(20_000))
OTHER = SOURCE.replace(b"cat", b"dog")
SIZE = len(LINE % 0)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(http_transfer, "FIRST_WAIT", 0.01)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cat.ndjson"


@pytest.fixture
def fetch(bucket, path):
    """Fetches the first lines of the only file in the bucket, or all lines."""
    bucket.files["/cat"] = SOURCE

    def fetch(lines=None, retries=2, timeout=10.0):
        counter = functools.partial(LineCounter, lines)
        url = f"{bucket.url}/cat"
        return http_transfer.fetch(
            url, str(path), counter, retries=retries, timeout=timeout
        )

    return fetch


def check_file(path, content):
    """Checks the content of the file, and that its folder has no other files."""
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]


def read_warnings(capsys):
    """Returns the warnings about failed attempts, without the URL."""
    return re.findall(r"http://\S+/cat: (.*)\n", capsys.readouterr().err)


def test_a_complete_file(bucket, fetch, path, capsys):
    assert fetch().count == 20_000
    check_file(path, SOURCE)
    assert bucket.requested_ranges() == [None]
    assert bucket.bytes_sent == len(SOURCE)
    assert capsys.readouterr().err == ""


def test_a_file_has_the_date_of_the_source(bucket, fetch, path):
    fetch(1)
    date = email.utils.parsedate_to_datetime(bucket.version_headers()["Last-Modified"])
    assert path.stat().st_mtime == date.timestamp()


@pytest.mark.parametrize("lines", [1, 1310, 5000])
def test_the_first_lines_need_little_more_than_their_bytes(bucket, fetch, path, lines):
    bucket.files["/cat"] = SOURCE * 30
    counter = fetch(lines)
    assert (counter.is_complete, counter.count) == (True, lines)
    check_file(path, SOURCE[: lines * SIZE])
    assert bucket.bytes_sent < lines * SIZE + (8 << 20) < len(SOURCE) * 30 / 2


def test_a_limit_above_the_number_of_lines(fetch, path):
    counter = fetch(20_001)
    assert (counter.is_complete, counter.count) == (False, 20_000)
    check_file(path, SOURCE)
    assert fetch(20_001) is None


def test_a_last_line_without_a_line_break(bucket, fetch, path):
    bucket.files["/cat"] = SOURCE[:-1]
    fetch(20_000)
    check_file(path, SOURCE[:-1])


def test_an_empty_file(bucket, fetch, path):
    bucket.files["/cat"] = b""
    fetch(3)
    check_file(path, b"")


@pytest.mark.parametrize("headers", [{}, {"ETag": None}, {"ETag": 'W/"1"'}])
@pytest.mark.parametrize("lines", [None, 15_000])
def test_an_interrupted_transfer_resumes(bucket, fetch, path, capsys, headers, lines):
    bucket.headers = headers
    for _ in range(5):  # more than the retries, but with progress each time
        bucket.add_fault(closes_after=100_000)
    fetch(lines)
    check_file(path, SOURCE[: lines * SIZE] if lines else SOURCE)
    first_bytes = [int(value[6:-1]) for value in bucket.requested_ranges()[1:]]
    assert first_bytes == [100_000 * n - n for n in range(1, 6)]
    # RFC 9110 forbids a weak ETag in If-Range.
    if_range = [headers["If-Range"] for _, headers in bucket.requests[1:]]
    assert not any(value.startswith("W/") for value in if_range)
    assert bucket.bytes_sent <= len(SOURCE) + 5
    assert read_warnings(capsys)[0] == (
        f"connection closed after 100,000 of {len(SOURCE):,} bytes; retrying in 0.01 s"
    )


def test_a_source_without_a_version_is_not_resumed(bucket, fetch, path):
    bucket.headers = {"ETag": None, "Last-Modified": None}
    bucket.add_fault(closes_after=100_000)
    fetch()
    check_file(path, SOURCE)
    assert bucket.requested_ranges() == [None, None]


@pytest.mark.parametrize(
    ("new_source", "fault"),
    [
        (OTHER, {}),
        (OTHER, {"ignores_if_range": True}),
        (OTHER[: 1000 * SIZE], {"ignores_if_range": True}),  # beyond the end: 416
    ],
)
def test_versions_are_not_mixed_if_the_source_changes(
    bucket, fetch, path, new_source, fault
):
    bucket.add_fault(closes_after=100_000)
    with pytest.raises(OSError, match=r"connection closed .* \(attempts: 1\)"):
        fetch(retries=0)
    assert not path.exists()
    bucket.files["/cat"], bucket.version = new_source, 2
    bucket.add_fault(**fault)
    fetch()
    check_file(path, new_source)


def test_a_server_without_ranges_sends_the_whole_file_again(bucket, fetch, path):
    bucket.add_fault(closes_after=100_000)
    bucket.add_fault(ignores_range=True)
    fetch()
    check_file(path, SOURCE)
    assert bucket.requested_ranges() == [None, "bytes=99999-"]
    assert bucket.bytes_sent == 100_000 + len(SOURCE)


def test_retries_without_progress_are_limited(bucket, fetch, path, capsys):
    bucket.add_fault(closes_after=100_000)
    for size in (90_000, 100_000, 50_000):
        bucket.add_fault(closes_after=size, ignores_range=True)
    with pytest.raises(OSError, match="connection closed after 50,000") as caught:
        fetch(retries=3)
    assert str(caught.value).endswith(" (attempts: 4)")
    waits = [line.rpartition("retrying in ")[2] for line in read_warnings(capsys)]
    assert waits == ["0.01 s", "0.02 s", "0.04 s"]


def test_a_complete_partial_file_needs_one_more_byte(bucket, fetch, path):
    fetch()
    part = f"{path}.%22v%2F1%22.part"
    path.rename(part)
    fetch()
    check_file(path, SOURCE)
    assert bucket.bytes_sent == len(SOURCE) + 1


def test_outdated_and_empty_partial_files_are_removed(fetch, path):
    for name in ("%22old%22", "", "%22v%2F1%22"):
        path.with_name(f"cat.ndjson.{name}.part").touch()
    path.with_name("cat.ndjson.%22old%22.part").write_bytes(OTHER[:99])
    fetch()
    check_file(path, SOURCE)


def test_a_partial_file_beyond_the_limit_is_cut(bucket, fetch, path):
    bucket.add_fault(closes_after=300_000)
    with pytest.raises(OSError, match="connection closed"):
        fetch(retries=0)
    bytes_sent = bucket.bytes_sent
    bucket.add_fault(stalls_after=1)
    assert fetch(100).count == 100
    check_file(path, SOURCE[: 100 * SIZE])
    assert len(bucket.requests) == 2
    assert bytes_sent == 300_000


def test_a_file_of_the_first_lines_is_extended(bucket, fetch, path):
    fetch(1000)
    bucket.bytes_sent = 0
    fetch(2000)
    check_file(path, SOURCE[: 2000 * SIZE])
    fetch()
    check_file(path, SOURCE)
    assert bucket.requested_ranges()[1:] == [
        f"bytes={1000 * SIZE - 1}-",
        f"bytes={2000 * SIZE - 1}-",
    ]
    before = path.stat()
    assert fetch() is None
    assert path.stat() == before


def test_a_file_of_another_version_is_replaced_and_not_extended(bucket, fetch, path):
    fetch(1000)
    bucket.files["/cat"], bucket.version = OTHER, 2
    bucket.add_fault(ignores_if_range=True)
    bucket.add_fault(closes_after=70_000)
    with pytest.raises(OSError, match="connection closed"):
        fetch(2000, retries=0)
    assert path.read_bytes() == SOURCE[: 1000 * SIZE]
    fetch(2000)
    check_file(path, OTHER[: 2000 * SIZE])


def test_a_stalled_transfer_is_retried(bucket, fetch, path, capsys):
    bucket.add_fault(stalls_after=100_000)
    started = time.monotonic()
    fetch(timeout=0.2)
    assert 0.2 <= time.monotonic() - started < 5
    check_file(path, SOURCE)
    assert read_warnings(capsys) == ["timed out; retrying in 0.01 s"]
    assert bucket.requested_ranges() == [None, "bytes=99999-"]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_transient_errors_of_the_server_are_retried(
    bucket, fetch, path, capsys, status
):
    for _ in range(2):
        bucket.add_fault(status=status)
    fetch()
    check_file(path, SOURCE)
    first, second = read_warnings(capsys)
    assert re.fullmatch(rf"HTTP {status} .*; retrying in 0.01 s", first)
    assert second.endswith("; retrying in 0.02 s")


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_honored(bucket, fetch, path, as_date):
    # A date has whole seconds, so that up to one second is lost.
    date = email.utils.formatdate(time.time() + 2, usegmt=True)
    bucket.add_fault(status=503, headers={"Retry-After": date if as_date else "1"})
    started = time.monotonic()
    fetch()
    assert 0.9 <= time.monotonic() - started < 5
    check_file(path, SOURCE)


def test_a_long_retry_after_ends_the_transfer(bucket, fetch):
    bucket.add_fault(status=429, headers={"Retry-After": "86400"})
    with pytest.raises(OSError, match=r"HTTP 429 .*; the server asks to wait 86400 s"):
        fetch()
    assert len(bucket.requests) == 1


def test_an_invalid_retry_after_is_ignored(bucket, fetch, path):
    bucket.add_fault(status=503, headers={"Retry-After": "soon"})
    fetch()
    check_file(path, SOURCE)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, http_transfer.RemoteFileNotFoundError),
        (404, http_transfer.RemoteFileNotFoundError),
        (410, http_transfer.RemoteFileNotFoundError),
        (400, ValueError),
        (416, ValueError),
    ],
)
def test_permanent_errors_are_not_retried(bucket, fetch, tmp_path, status, error):
    bucket.add_fault(status=status)
    with pytest.raises(error, match=rf"^{bucket.url}/cat: ") as caught:
        fetch()
    assert type(caught.value) is error
    assert len(bucket.requests) == 1
    assert not os.listdir(tmp_path)


def test_a_refused_connection(bucket, path):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # without listening
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/cat"
        with pytest.raises(OSError, match=r"Connection refused \(attempts: 3\)"):
            http_transfer.fetch(url, str(path), DrawingCounter, retries=2, timeout=5.0)


@pytest.mark.parametrize("response", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200"])
def test_an_invalid_response(path, response):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/cat"

        def respond():
            client, _ = server.accept()
            client.recv(1 << 16)
            client.sendall(response)
            client.close()

        thread = threading.Thread(target=respond)
        thread.start()
        with pytest.raises(OSError, match=r"\(attempts: 1\)"):
            http_transfer.fetch(url, str(path), DrawingCounter, retries=0, timeout=5.0)
        thread.join()


def test_a_file_of_unknown_size_is_rejected(bucket, fetch, tmp_path):
    bucket.headers = {"Content-Length": "unknown"}
    with pytest.raises(OSError, match="does not state the size of the file"):
        fetch()
    assert not os.listdir(tmp_path)


def test_local_write_errors_are_not_retried(bucket, fetch, path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            fetch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(bucket.requests) == 1
    fetch()
    check_file(path, SOURCE)
    assert bucket.requested_ranges()[1] == "bytes=199999-"
