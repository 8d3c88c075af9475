"""What comes over HTTP is whole and of one version, whatever goes wrong."""

import email.utils
import functools
import os
import re
import resource
import socket
import threading
import time

import pytest

from pipeline import http_transfer
from pipeline.drawing_counters import Counter, Lines

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
    """Fetches the first lines of the only file in the bucket, or all."""
    bucket.files["/cat"] = SOURCE

    def fetch(lines=None, retries=2, timeout=10.0):
        counter = functools.partial(Lines, lines)
        url = f"{bucket.url}/cat"
        return http_transfer.fetch(
            url, str(path), counter, retries=retries, timeout=timeout
        )

    return fetch


def check_whole(path, content):
    """The file has that content, and nothing is beside it."""
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]


def notes(capsys):
    """What was said of failed tries, without the address."""
    return re.findall(r"http://\S+/cat: (.*)\n", capsys.readouterr().err)


def test_all_of_a_file(bucket, fetch, path, capsys):
    assert fetch().count == 20_000
    check_whole(path, SOURCE)
    assert bucket.ranges() == [None]
    assert bucket.sent == len(SOURCE)
    assert capsys.readouterr().err == ""


def test_a_file_is_dated_as_at_the_source(bucket, fetch, path):
    fetch(1)
    date = email.utils.parsedate_to_datetime(bucket.version_headers()["Last-Modified"])
    assert path.stat().st_mtime == date.timestamp()


@pytest.mark.parametrize("lines", [1, 1310, 5000])
def test_the_first_lines_cost_little_more_than_their_bytes(bucket, fetch, path, lines):
    bucket.files["/cat"] = SOURCE * 30
    counter = fetch(lines)
    assert (counter.done, counter.count) == (True, lines)
    check_whole(path, SOURCE[: lines * SIZE])
    assert bucket.sent < lines * SIZE + (8 << 20) < len(SOURCE) * 30 / 2


def test_more_lines_than_there_are(fetch, path):
    counter = fetch(20_001)
    assert (counter.done, counter.count) == (False, 20_000)
    check_whole(path, SOURCE)
    assert fetch(20_001) is None


def test_a_last_line_without_an_end(bucket, fetch, path):
    bucket.files["/cat"] = SOURCE[:-1]
    fetch(20_000)
    check_whole(path, SOURCE[:-1])


def test_an_empty_file(bucket, fetch, path):
    bucket.files["/cat"] = b""
    fetch(3)
    check_whole(path, b"")


@pytest.mark.parametrize("headers", [{}, {"ETag": None}, {"ETag": 'W/"1"'}])
@pytest.mark.parametrize("lines", [None, 15_000])
def test_a_broken_transfer_goes_on(bucket, fetch, path, capsys, headers, lines):
    bucket.headers = headers
    for _ in range(5):  # more often than it is retried, but each time further
        bucket.trouble(breaks_after=100_000)
    fetch(lines)
    check_whole(path, SOURCE[: lines * SIZE] if lines else SOURCE)
    firsts = [int(asked[6:-1]) for asked in bucket.ranges()[1:]]
    assert firsts == [100_000 * n - n for n in range(1, 6)]
    # RFC 9110 forbids a weak one here.
    assert not any(
        asked["If-Range"].startswith("W/") for _, asked in bucket.requests[1:]
    )
    assert bucket.sent <= len(SOURCE) + 5
    assert notes(capsys)[0] == (
        f"broke off after 100,000 of {len(SOURCE):,} bytes; again in 0.01 s"
    )


def test_what_tells_no_versions_apart_is_not_continued(bucket, fetch, path):
    bucket.headers = {"ETag": None, "Last-Modified": None}
    bucket.trouble(breaks_after=100_000)
    fetch()
    check_whole(path, SOURCE)
    assert bucket.ranges() == [None, None]


@pytest.mark.parametrize("trouble", [{}, {"believes_range": True}])
def test_a_file_that_changes_in_between_is_not_spliced(bucket, fetch, path, trouble):
    bucket.trouble(breaks_after=100_000)
    with pytest.raises(OSError, match=r"broke off .* \(tried 1 times\)"):
        fetch(retries=0)
    assert not path.exists()
    bucket.files["/cat"], bucket.version = OTHER, 2
    bucket.trouble(**trouble)
    fetch()
    check_whole(path, OTHER)


def test_a_file_that_shrinks_in_between_is_not_spliced(bucket, fetch, path):
    bucket.trouble(breaks_after=100_000)
    with pytest.raises(OSError, match="broke off"):
        fetch(retries=0)
    bucket.files["/cat"], bucket.version = OTHER[: 1000 * SIZE], 2
    bucket.trouble(believes_range=True)  # which is now beyond the end: 416
    fetch()
    check_whole(path, OTHER[: 1000 * SIZE])


def test_a_server_without_ranges_starts_over(bucket, fetch, path):
    bucket.trouble(breaks_after=100_000)
    bucket.trouble(ignores_range=True)
    fetch()
    check_whole(path, SOURCE)
    assert bucket.ranges() == [None, "bytes=99999-"]
    assert bucket.sent == 100_000 + len(SOURCE)


def test_a_server_that_never_gets_further_is_given_up(bucket, fetch, path, capsys):
    bucket.trouble(breaks_after=100_000)
    for size in (90_000, 100_000, 50_000):
        bucket.trouble(breaks_after=size, ignores_range=True)
    with pytest.raises(OSError, match="broke off after 50,000") as caught:
        fetch(retries=3)
    assert str(caught.value).endswith(" (tried 4 times)")
    waits = [note.rpartition("again in ")[2] for note in notes(capsys)]
    assert waits == ["0.01 s", "0.02 s", "0.04 s"]


def test_a_break_right_before_the_name_costs_a_byte(bucket, fetch, path):
    fetch()
    part = f"{path}.%22v%2F1%22.part"
    path.rename(part)
    fetch()
    check_whole(path, SOURCE)
    assert bucket.sent == len(SOURCE) + 1


def test_parts_of_another_version_and_empty_ones_go(fetch, path):
    for name in ("%22old%22", "", "%22v%2F1%22"):
        path.with_name(f"cat.ndjson.{name}.part").touch()
    path.with_name("cat.ndjson.%22old%22.part").write_bytes(OTHER[:99])
    fetch()
    check_whole(path, SOURCE)


def test_a_part_that_holds_more_than_is_wanted_is_cut(bucket, fetch, path):
    bucket.trouble(breaks_after=300_000)
    with pytest.raises(OSError, match="broke off"):
        fetch(retries=0)
    sent = bucket.sent
    bucket.trouble(stalls_after=1)
    assert fetch(100).count == 100
    check_whole(path, SOURCE[: 100 * SIZE])
    assert len(bucket.requests) == 2
    assert sent == 300_000


def test_a_beginning_is_extended(bucket, fetch, path):
    fetch(1000)
    bucket.sent = 0
    fetch(2000)
    check_whole(path, SOURCE[: 2000 * SIZE])
    fetch()
    check_whole(path, SOURCE)
    assert bucket.ranges()[1:] == [
        f"bytes={1000 * SIZE - 1}-",
        f"bytes={2000 * SIZE - 1}-",
    ]
    before = path.stat()
    assert fetch() is None
    assert path.stat() == before


def test_a_beginning_of_another_version_is_replaced_and_not_extended(
    bucket, fetch, path
):
    fetch(1000)
    bucket.files["/cat"], bucket.version = OTHER, 2
    bucket.trouble(believes_range=True)
    bucket.trouble(breaks_after=70_000)
    with pytest.raises(OSError, match="broke off"):
        fetch(2000, retries=0)
    assert path.read_bytes() == SOURCE[: 1000 * SIZE]
    fetch(2000)
    check_whole(path, OTHER[: 2000 * SIZE])


def test_a_stall_is_a_failed_try(bucket, fetch, path, capsys):
    bucket.trouble(stalls_after=100_000)
    started = time.monotonic()
    fetch(timeout=0.2)
    assert 0.2 <= time.monotonic() - started < 5
    check_whole(path, SOURCE)
    assert notes(capsys) == ["timed out; again in 0.01 s"]
    assert bucket.ranges() == [None, "bytes=99999-"]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_server_in_need_of_time_gets_it(bucket, fetch, path, capsys, status):
    for _ in range(2):
        bucket.trouble(status=status)
    fetch()
    check_whole(path, SOURCE)
    first, second = notes(capsys)
    assert re.fullmatch(rf"HTTP {status} .*; again in 0.01 s", first)
    assert second.endswith("; again in 0.02 s")


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_honoured(bucket, fetch, path, as_date):
    # A date has whole seconds, so up to one of them is lost.
    date = email.utils.formatdate(time.time() + 2, usegmt=True)
    bucket.trouble(status=503, headers={"Retry-After": date if as_date else "1"})
    started = time.monotonic()
    fetch()
    assert 0.9 <= time.monotonic() - started < 5
    check_whole(path, SOURCE)


def test_retry_after_that_nobody_waits_for_ends_it(bucket, fetch):
    bucket.trouble(status=429, headers={"Retry-After": "86400"})
    with pytest.raises(OSError, match=r"HTTP 429 .*, not to be tried for 86400 s"):
        fetch()
    assert len(bucket.requests) == 1


def test_retry_after_that_says_nothing_is_ignored(bucket, fetch, path):
    bucket.trouble(status=503, headers={"Retry-After": "soon"})
    fetch()
    check_whole(path, SOURCE)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, http_transfer.NoSuchFile),
        (404, http_transfer.NoSuchFile),
        (410, http_transfer.NoSuchFile),
        (400, ValueError),
        (416, ValueError),
    ],
)
def test_a_refusal_is_not_tried_again(bucket, fetch, tmp_path, status, error):
    bucket.trouble(status=status)
    with pytest.raises(error, match=rf"^{bucket.url}/cat: ") as caught:
        fetch()
    assert type(caught.value) is error
    assert len(bucket.requests) == 1
    assert not os.listdir(tmp_path)


def test_nobody_answers(bucket, path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/cat"
        with pytest.raises(OSError, match=r"Connection refused \(tried 3 times\)"):
            http_transfer.fetch(
                url, str(path), lambda: Counter(None), retries=2, timeout=5.0
            )


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200"])
def test_an_answer_that_is_no_http(path, answer):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/cat"

        def hang_up():
            client, _ = server.accept()
            client.recv(1 << 16)
            client.sendall(answer)
            client.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(OSError, match=r"\(tried 1 times\)"):
            http_transfer.fetch(
                url, str(path), lambda: Counter(None), retries=0, timeout=5.0
            )
        thread.join()


def test_a_file_of_unknown_length_is_refused(bucket, fetch, tmp_path):
    bucket.headers = {"Content-Length": "unknown"}
    with pytest.raises(OSError, match="does not say how long the file is"):
        fetch()
    assert not os.listdir(tmp_path)


def test_a_file_that_cannot_grow_is_no_reason_to_try_again(bucket, fetch, path):
    limit, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, most))
    try:
        with pytest.raises(OSError, match="File too large"):
            fetch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    assert len(bucket.requests) == 1
    fetch()
    check_whole(path, SOURCE)
    assert bucket.ranges()[1] == "bytes=199999-"
