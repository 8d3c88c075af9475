"""Fetches a file, or as much of its beginning as is wanted, over HTTP.

    cat.ndjson.<ETag>.part   what has come so far; the name says of which version
    cat.ndjson               whole, or the wanted beginning; dated as at the source

A transfer that breaks goes on from the part, in this run or the next. A beginning that
no longer suffices is extended. Either happens only where the server shows by ETag or
date that its file is still the same, else it starts over (RFC 9110, sections 13, 14).
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

from pipeline.drawing_counters import Counter

CHUNK_BYTES = 64 << 10
FIRST_WAIT = 1.0
"""Seconds before the first retry; before each further one twice as many."""

LONGEST_WAIT = 300.0
"""Seconds; a server that asks to be left alone for longer is left alone."""

_PART = ".part"


class NoSuchFile(ValueError):
    """The server has no such file, or shows it to nobody."""


class _Broken(Exception):
    """A try failed; the next may not."""

    def __init__(self, reason: object, retry_after: str | None = None):
        super().__init__(str(reason) or type(reason).__name__)
        self.retry_after = retry_after


@dataclass(frozen=True)
class _Held:
    """What is there already of a file.

    Attributes:
      path: the part, or the file under its final name.
      size: bytes, at least 1.
      version: ETag or date of the file at the source that it is the beginning of.
    """

    path: str
    size: int
    version: str


def fetch(
    url: str,
    path: str,
    make_counter: Callable[[], Counter],
    *,
    retries: int,
    timeout: float,
) -> Counter | None:
    """Fetches a file up to the end of the last drawing that the counter wants.

    Args:
      url: where from.
      path: where to. What is under this name, before and after, is whole.
      make_counter: finds that end; a fresh one for each try.
      retries: how often in a row a try may fail that brings nothing new.
      timeout: seconds without a byte after which a try has failed.

    Returns:
      The counter as it was at the end, or None if all of the source was there already.

    Raises:
      NoSuchFile: the server has no such file.
      ValueError: what it has instead is of no use.
      OSError: nothing comes any more, however often it is tried, or the file cannot
        be written.
    """
    failures, furthest = 0, _part_size(path)
    while True:
        try:
            counter = make_counter()
            return counter if _try(url, path, counter, timeout) else None
        except ValueError as error:
            raise type(error)(f"{url}: {error}")
        except _Broken as error:
            # Only what is more than ever before counts as progress: a server that
            # cannot go on where it stopped shall not keep us for good.
            failures = 0 if _part_size(path) > furthest else failures
            furthest = max(furthest, _part_size(path))
            if failures >= retries:
                raise OSError(f"{url}: {error} (tried {failures + 1} times)")
            wait = max(FIRST_WAIT * 2**failures, _asked_wait(error.retry_after))
            if wait > LONGEST_WAIT:
                raise OSError(f"{url}: {error}, not to be tried for {wait:.0f} s")
            failures += 1
            tqdm.write(f"{url}: {error}; again in {wait:g} s", file=sys.stderr)
            time.sleep(wait)


def _try(url: str, path: str, counter: Counter, timeout: float) -> bool:
    """Tries once; False if all was there already."""
    held = _find_held(path)
    with _open(url, held, timeout) as response:
        goes_on = response.status == http.client.PARTIAL_CONTENT
        total = _total_size(response)
        if held and held.path == path and held.size == total:
            return False
        part = _prepare_part(path, held if goes_on else None, response.headers)
        with open(part, "r+b") as file:
            while data := file.read(CHUNK_BYTES):
                counter.feed(data)
            if goes_on:
                next(_chunks(response, 1), None)  # the byte that is held
            with _bar(path, counter, file.tell(), total) as bar:
                for data in [] if counter.done else _chunks(response, CHUNK_BYTES):
                    file.write(data)
                    counter.feed(data)
                    bar.update(
                        (counter.count if counter.wanted else file.tell()) - bar.n
                    )
                    if counter.done:
                        break
            if not counter.done and file.tell() < total:
                raise _Broken(f"broke off after {file.tell():,} of {total:,} bytes")
            file.truncate(counter.end if counter.done else total)
            counter.seal(file)
    _date(part, response.headers)
    os.replace(part, path)
    return True


# What is there.


def _find_held(path: str) -> _Held | None:
    """The part, else the file, else None."""
    for part in _parts(path):
        name = part.removeprefix(f"{path}.").removesuffix(_PART)
        if name and os.path.getsize(part):
            return _Held(part, os.path.getsize(part), urllib.parse.unquote(name))
    if os.path.exists(path) and os.path.getsize(path):
        date = email.utils.formatdate(int(os.path.getmtime(path)), usegmt=True)
        return _Held(path, os.path.getsize(path), date)
    return None


def _parts(path: str) -> list[str]:
    folder, name = os.path.split(path)
    return [
        os.path.join(folder, other)
        for other in sorted(os.listdir(folder or "."))
        if other.startswith(f"{name}.") and other.endswith(_PART)
    ]


def _part_size(path: str) -> int:
    return max(map(os.path.getsize, _parts(path)), default=0)


def _prepare_part(path: str, held: _Held | None, headers: Message) -> str:
    """The part to go on with: the one that is held, a copy of the file, or empty."""
    if held and held.path != path:
        return held.path
    part = f"{path}.{urllib.parse.quote(_version(headers), safe='')}{_PART}"
    for old in _parts(path):
        os.remove(old)
    with open(part, "wb") as file:
        if held:
            with open(held.path, "rb") as beginning:
                shutil.copyfileobj(beginning, file)
    return part


def _version(headers: Message) -> str:
    """What tells this version from others; empty if nothing does."""
    tag = headers["ETag"]
    # A weak one may be that of other bytes.
    if tag and not tag.startswith("W/"):
        return tag
    return headers["Last-Modified"] or ""


def _date(path: str, headers: Message) -> None:
    """Dates a file as its source is."""
    if date := email.utils.parsedate_tz(headers["Last-Modified"]):
        os.utime(path, (time.time(), email.utils.mktime_tz(date)))


# What the server says.


def _open(url: str, held: _Held | None, timeout: float) -> HTTPResponse:
    """Asks for what is missing; the answer is 206 only if it fits to what is held."""
    if held:
        # From the last byte that is held, so that there always is one to send.
        first = held.size - 1
        headers = {"Range": f"bytes={first}-", "If-Range": held.version}
        response = _request(url, headers, timeout)
        if response and response.status != http.client.PARTIAL_CONTENT:
            return response
        if response:
            same = held.version in (
                response.headers["ETag"],
                response.headers["Last-Modified"],
            )
            content_range = response.headers["Content-Range"] or ""
            if same and content_range.startswith(f"bytes {first}-"):
                return response
            response.close()
    response = _request(url, {}, timeout)
    if response is None:
        raise ValueError("the server finds fault with a range that nobody asked for")
    return response


def _request(url: str, headers: dict[str, str], timeout: float) -> HTTPResponse | None:
    """The answer, or None where the server has nothing in the range asked for."""
    request = urllib.request.Request(url, headers=headers)
    try:
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        reason = f"HTTP {error.code} {error.reason}"
        if error.code == 416:
            return None
        # A bucket that may not be listed says 403 of a name that it does not have.
        if error.code in (403, 404, 410):
            raise NoSuchFile(reason)
        if error.code in (408, 429) or error.code >= 500:
            raise _Broken(reason, error.headers["Retry-After"])
        raise ValueError(reason)
    except urllib.error.URLError as error:
        raise _Broken(error.reason)
    except (OSError, http.client.HTTPException) as error:
        raise _Broken(error)


def _total_size(response: HTTPResponse) -> int:
    """Bytes of the whole file at the source."""
    if response.status == http.client.PARTIAL_CONTENT:
        size = response.headers["Content-Range"].rpartition("/")[2]
    else:
        size = response.headers["Content-Length"] or ""
    if not size.isdigit():
        raise _Broken("the server does not say how long the file is")
    return int(size)


def _chunks(response: HTTPResponse, size: int) -> Iterator[bytes]:
    """Yields what comes as it comes; ends where the connection does."""
    while True:
        try:
            data = response.read1(size)
        except (OSError, http.client.HTTPException) as error:
            raise _Broken(error)
        if not data:
            return
        yield data


def _asked_wait(retry_after: str | None) -> float:
    """Seconds that a `Retry-After` asks for: a number of them, or a date."""
    if retry_after is None:
        return 0.0
    if retry_after.strip().isdigit():
        return float(retry_after)
    date = email.utils.parsedate_tz(retry_after)
    return email.utils.mktime_tz(date) - time.time() if date else 0.0


def _bar(path: str, counter: Counter, held: int, total: int) -> tqdm:
    in_drawings = counter.wanted is not None
    return tqdm(
        total=counter.wanted if in_drawings else total,
        initial=counter.count if in_drawings else held,
        desc=os.path.basename(path),
        unit=" drawings" if in_drawings else "B",
        unit_scale=True,
        disable=None,  # where nobody watches
        leave=False,
        dynamic_ncols=True,
    )
