"""Downloads a file, or its first N drawings, over HTTP.

    cat.ndjson.<ETag>.part   the bytes so far, with the version they belong to
    cat.ndjson               the complete file, or its first N drawings

An interrupted transfer resumes from the partial file, in this run or the next. A file
of the first N drawings is extended when more are requested. Both happen only if the
ETag or the date shows that the source has not changed (RFC 9110, sections 13 and 14).

Built on the standard library because HTTP itself is a small part of this module.
requests and urllib3 retry requests, but do not resume a response body. fsspec reads
ranges, but does not send `If-Range`, keeps no partial file and would fetch at least one
block of 5 MiB per class, where 1,000 drawings are 0.4 MB.
"""

import email.utils
import http.client
import os
import shutil
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPResponse

from tqdm import tqdm

from pipeline.download.drawing_counters import DrawingCounter

CHUNK_BYTES = 64 << 10
FIRST_WAIT = 1.0
"""Seconds before the first retry, doubled before each further one."""

MAX_WAIT = 300.0
"""Seconds. A server that requests a longer wait ends the transfer."""

_PART_SUFFIX = ".part"


class RemoteFileNotFoundError(ValueError):
    """The server does not have the file or does not permit access to it."""


class _TransientError(Exception):
    """An attempt failed in a way that permits another attempt."""

    def __init__(self, reason: object, retry_after: str | None = None):
        super().__init__(str(reason) or type(reason).__name__)
        self.retry_after = retry_after


@dataclass(frozen=True)
class _LocalCopy:
    """Beginning of the file on the local disk.

    Attributes:
      path: The partial file or the final file.
      size: Size in bytes, at least 1.
      version: ETag or date of the source that the bytes belong to.
    """

    path: str
    size: int
    version: str


def fetch(
    url: str,
    path: str,
    make_counter: Callable[[], DrawingCounter],
    *,
    retries: int,
    timeout: float,
) -> DrawingCounter | None:
    """Downloads a file up to the end of the last drawing of the counter.

    Args:
      url: Source.
      path: Destination. A file with this name is always complete.
      make_counter: Creates a counter for each attempt.
      retries: Number of retries in a row without progress.
      timeout: Seconds without data after which an attempt fails.

    Returns:
      The counter after the transfer, or None if the file was already complete.

    Raises:
      RemoteFileNotFoundError: The server does not have the file.
      ValueError: The content of the file is invalid.
      OSError: All retries failed, or the file cannot be written.
    """
    failures, most_bytes = 0, _partial_size(path)
    while True:
        try:
            counter = make_counter()
            return counter if _attempt(url, path, counter, timeout) else None
        except ValueError as error:
            raise type(error)(f"{url}: {error}")
        except _TransientError as error:
            # Only more bytes than ever before are progress: a server without ranges
            # could otherwise be retried forever.
            failures = 0 if _partial_size(path) > most_bytes else failures
            most_bytes = max(most_bytes, _partial_size(path))
            if failures >= retries:
                raise OSError(f"{url}: {error} (attempts: {failures + 1})")
            wait = max(FIRST_WAIT * 2**failures, _parse_retry_after(error.retry_after))
            if wait > MAX_WAIT:
                raise OSError(f"{url}: {error}; the server asks to wait {wait:.0f} s")
            failures += 1
            tqdm.write(f"{url}: {error}; retrying in {wait:g} s", file=sys.stderr)
            time.sleep(wait)


def _attempt(url: str, path: str, counter: DrawingCounter, timeout: float) -> bool:
    """Attempts a transfer once; returns False if the file was already complete."""
    copy = _find_local_copy(path)
    with _open(url, copy, timeout) as response:
        is_partial = response.status == http.client.PARTIAL_CONTENT
        total = _parse_total_size(response)
        if copy and copy.path == path and copy.size == total:
            return False
        part = _prepare_part(path, copy if is_partial else None, response.headers)
        with open(part, "r+b") as file:
            while data := file.read(CHUNK_BYTES):
                counter.feed(data)
            if is_partial:
                next(_read_chunks(response, 1), None)  # the overlap of one byte
            with _progress_bar(path, counter, file.tell(), total) as bar:
                chunks = _read_chunks(response, CHUNK_BYTES)
                while not counter.is_complete and (data := next(chunks, b"")):
                    file.write(data)
                    counter.feed(data)
                    done = counter.count if counter.limit else file.tell()
                    bar.update(done - bar.n)
            if not counter.is_complete and file.tell() < total:
                raise _TransientError(
                    f"connection closed after {file.tell():,} of {total:,} bytes"
                )
            file.truncate(counter.end_offset if counter.is_complete else total)
            counter.finalize(file)
    _copy_date(part, response.headers)
    os.replace(part, path)
    return True


# Local files.


def _find_local_copy(path: str) -> _LocalCopy | None:
    """Returns the partial file if there is one, else the final file, else None."""
    for part in _list_parts(path):
        version = part.removeprefix(f"{path}.").removesuffix(_PART_SUFFIX)
        if version and os.path.getsize(part):
            return _LocalCopy(
                part, os.path.getsize(part), urllib.parse.unquote(version)
            )
    if os.path.exists(path) and os.path.getsize(path):
        date = email.utils.formatdate(int(os.path.getmtime(path)), usegmt=True)
        return _LocalCopy(path, os.path.getsize(path), date)
    return None


def _list_parts(path: str) -> list[str]:
    folder, name = os.path.split(path)
    return [
        os.path.join(folder, entry)
        for entry in sorted(os.listdir(folder or "."))
        if entry.startswith(f"{name}.") and entry.endswith(_PART_SUFFIX)
    ]


def _partial_size(path: str) -> int:
    return max(map(os.path.getsize, _list_parts(path)), default=0)


def _prepare_part(path: str, copy: _LocalCopy | None, headers: Message) -> str:
    """Returns a partial file with the content of the local copy, or an empty one."""
    if copy and copy.path != path:
        return copy.path
    part = f"{path}.{urllib.parse.quote(_get_version(headers), safe='')}{_PART_SUFFIX}"
    for outdated in _list_parts(path):
        os.remove(outdated)
    with open(part, "wb") as file:
        if copy:
            with open(copy.path, "rb") as beginning:
                shutil.copyfileobj(beginning, file)
    return part


def _get_version(headers: Message) -> str:
    """Returns the strong ETag or the date of a response; "" if it has neither."""
    tag = headers["ETag"]
    # Different bytes may have the same weak ETag.
    if tag and not tag.startswith("W/"):
        return tag
    return headers["Last-Modified"] or ""


def _copy_date(path: str, headers: Message) -> None:
    """Sets the modification time of a file to that of the source."""
    if date := email.utils.parsedate_tz(headers["Last-Modified"]):
        os.utime(path, (time.time(), email.utils.mktime_tz(date)))


# Responses of the server.


def _open(url: str, copy: _LocalCopy | None, timeout: float) -> HTTPResponse:
    """Requests the missing bytes; status 206 means that they match the local copy."""
    if copy:
        # An overlap of one byte: a range must not be empty.
        first = copy.size - 1
        headers = {"Range": f"bytes={first}-", "If-Range": copy.version}
        response = _request(url, headers, timeout)
        if response and response.status != http.client.PARTIAL_CONTENT:
            return response
        if response:
            is_same_version = copy.version in (
                response.headers["ETag"],
                response.headers["Last-Modified"],
            )
            content_range = response.headers["Content-Range"] or ""
            if is_same_version and content_range.startswith(f"bytes {first}-"):
                return response
            response.close()
    response = _request(url, {}, timeout)
    if response is None:
        raise ValueError("HTTP 416 for a request without a range")
    return response


def _request(url: str, headers: dict[str, str], timeout: float) -> HTTPResponse | None:
    """Sends a request; returns None if the file ends before the requested range."""
    request = urllib.request.Request(url, headers=headers)
    try:
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        reason = f"HTTP {error.code} {error.reason}"
        if error.code == 416:
            return None
        # A bucket without permission to list it returns 403 for missing files.
        if error.code in (403, 404, 410):
            raise RemoteFileNotFoundError(reason)
        if error.code in (408, 429) or error.code >= 500:
            raise _TransientError(reason, error.headers["Retry-After"])
        raise ValueError(reason)
    except urllib.error.URLError as error:
        raise _TransientError(error.reason)
    except (OSError, http.client.HTTPException) as error:
        raise _TransientError(error)


def _parse_total_size(response: HTTPResponse) -> int:
    """Returns the size in bytes of the complete file."""
    if response.status == http.client.PARTIAL_CONTENT:
        size = response.headers["Content-Range"].rpartition("/")[2]
    else:
        size = response.headers["Content-Length"] or ""
    if not size.isdigit():
        raise _TransientError("the server does not state the size of the file")
    return int(size)


def _read_chunks(response: HTTPResponse, size: int) -> Iterator[bytes]:
    """Yields the bytes of a response as they arrive, until the connection ends."""
    while True:
        try:
            data = response.read1(size)
        except (OSError, http.client.HTTPException) as error:
            raise _TransientError(error)
        if not data:
            return
        yield data


def _parse_retry_after(value: str | None) -> float:
    """Returns the seconds of a `Retry-After` header: a number or a date."""
    if value is None:
        return 0.0
    if value.strip().isdigit():
        return float(value)
    date = email.utils.parsedate_tz(value)
    return email.utils.mktime_tz(date) - time.time() if date else 0.0


def _progress_bar(path: str, counter: DrawingCounter, size: int, total: int) -> tqdm:
    has_limit = counter.limit is not None
    return tqdm(
        total=counter.limit if has_limit else total,
        initial=counter.count if has_limit else size,
        desc=os.path.basename(path),
        unit=" drawings" if has_limit else "B",
        unit_scale=True,
        disable=None,  # disabled unless stderr is a terminal
        leave=False,
        dynamic_ncols=True,
    )
