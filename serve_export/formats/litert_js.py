"""Downloads LiteRT.js, which runs a `.tflite` file in a browser.

It is published on the npm registry, https://www.npmjs.com/package/@litertjs/core, under
the Apache license 2.0. The version is pinned. Each archive is verified with its SHA-512
(https://www.w3.org/TR/SRI/) and stored in the user's cache, so that the next export
needs no network.

Of its four builds the single-threaded one with SIMD is used: it needs no special HTTP
headers, and the others were not faster.
"""

import base64
import gzip
import hashlib
import io
import os
import tarfile
from typing import NamedTuple

from pipeline.download import http_transfer
from pipeline.download.drawing_counters import DrawingCounter

VERSION = "2.5.3"
REGISTRY = "https://registry.npmjs.org"


class Package(NamedTuple):
    """An npm package.

    Attributes:
      name: with its scope.
      integrity: SHA-512 of the archive, in base64.
      files: the file name in the export by path in the archive.
    """

    name: str
    integrity: str
    files: dict[str, str]

    @property
    def archive_name(self) -> str:
        """File name of the archive in the registry."""
        return f"{self.name.rpartition('/')[2]}-{VERSION}.tgz"


MODULE_FILE = "core.js"
SCRIPT_FILE = "litert_wasm_compat_internal.js"
WASM_FILE = "litert_wasm_compat_internal.wasm"
UTILS_FILE = "wasm_utils.js"
NOTICE_FILE = "NOTICE.txt"

PACKAGES = (
    Package(
        "@litertjs/core",
        "PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN"
        "4nzWoyJQ==",
        {
            "package/dist/index.js": MODULE_FILE,
            f"package/wasm/{SCRIPT_FILE}": SCRIPT_FILE,
            f"package/wasm/{WASM_FILE}": WASM_FILE,
        },
    ),
    Package(
        "@litertjs/wasm-utils",
        "4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawt"
        "eZ/sI1kQ==",
        {"package/dist/index.js": UTILS_FILE},
    ),
)

_NOTICE = f"""\
LiteRT.js {VERSION}: @litertjs/core and @litertjs/wasm-utils of {REGISTRY}
Copyright Google LLC. https://github.com/google-ai-edge/LiteRT

Licensed under the Apache License, Version 2.0; you may obtain a copy of it at
http://www.apache.org/licenses/LICENSE-2.0. Distributed on an "AS IS" basis, without
warranties or conditions of any kind.

Changes: {MODULE_FILE} imports ./{UTILS_FILE} by path and does not name its source map;
{WASM_FILE} is compressed with gzip.
"""


def load_files(
    cache_dir: str | None = None, base_url: str = REGISTRY
) -> dict[str, bytes]:
    """Returns the files of LiteRT.js that a page needs, by name.

    Args:
      cache_dir: directory of the downloaded archives; the user's cache if None.
      base_url: the npm registry, or a mirror of it.

    Raises:
      OSError: an archive is neither in the cache nor can it be downloaded.
      ValueError: a downloaded archive has another checksum.
    """
    files = {}
    for package in PACKAGES:
        data = _load_archive(package, cache_dir or _default_cache_dir(), base_url)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for path, name in package.files.items():
                member = archive.extractfile(path)
                assert member is not None, "the checksum guarantees a regular file"
                files[name] = member.read()
    files[MODULE_FILE] = _adapt_module(files[MODULE_FILE])
    files[f"{WASM_FILE}.gz"] = gzip.compress(files.pop(WASM_FILE), mtime=0)
    files[NOTICE_FILE] = _NOTICE.encode()
    return files


def _adapt_module(module: bytes) -> bytes:
    """Replaces the package name, which browsers cannot resolve, by a path."""
    code, _, _ = module.decode().partition("\n//# sourceMappingURL=")
    package_name = '"@litertjs/wasm-utils"'
    assert code.count(package_name) == 1, "the checksum guarantees one import"
    return (code.replace(package_name, f'"./{UTILS_FILE}"') + "\n").encode()


def _load_archive(package: Package, cache_dir: str, base_url: str) -> bytes:
    path = os.path.join(cache_dir, package.archive_name)
    if os.path.exists(path):
        with open(path, "rb") as file:
            if _has_checksum(data := file.read(), package.integrity):
                return data
        os.remove(path)
    os.makedirs(cache_dir, exist_ok=True)
    url = f"{base_url}/{package.name}/-/{package.archive_name}"
    try:
        http_transfer.fetch(url, path, DrawingCounter, retries=2, timeout=30.0)
    except (OSError, ValueError) as error:
        raise OSError(
            f"the format web needs LiteRT.js, which could not be downloaded: {error}. "
            f"The other formats of --formats need no network"
        ) from None
    with open(path, "rb") as file:
        data = file.read()
    if not _has_checksum(data, package.integrity):
        os.remove(path)
        raise ValueError(f"{url} has another SHA-512 than the pinned version")
    return data


def _has_checksum(data: bytes, integrity: str) -> bool:
    return base64.b64encode(hashlib.sha512(data).digest()).decode() == integrity


def _default_cache_dir() -> str:
    """Follows the XDG base directory specification."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "quickdraw-rnn")
