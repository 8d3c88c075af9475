"""LiteRT.js, which runs a `.tflite` file in a browser: fetched once, then kept.

It is on the npm registry, https://www.npmjs.com/package/@litertjs/core, under the
Apache licence 2.0. Here is the one version that was tried. Each archive is checked by
the SHA-512 that npm knows it by (https://www.w3.org/TR/SRI/), and stays in the user's
cache, so that the next export needs no network.

Of its four builds the one that all browsers with SIMD run is taken: on one thread, so
the server needs no special headers; the others were not faster.
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
    """An archive of the registry.

    Attributes:
      name: with its scope.
      integrity: SHA-512 in base64.
      files: path in it to the name that the file gets here.
    """

    name: str
    integrity: str
    files: dict[str, str]

    @property
    def archive(self) -> str:
        return f"{self.name.rpartition('/')[2]}-{VERSION}.tgz"


MODULE = "core.js"
SCRIPT = "litert_wasm_compat_internal.js"
WASM = "litert_wasm_compat_internal.wasm"
UTILS = "wasm_utils.js"
NOTICE = "NOTICE.txt"

PACKAGES = (
    Package(
        "@litertjs/core",
        "PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN"
        "4nzWoyJQ==",
        {
            "package/dist/index.js": MODULE,
            f"package/wasm/{SCRIPT}": SCRIPT,
            f"package/wasm/{WASM}": WASM,
        },
    ),
    Package(
        "@litertjs/wasm-utils",
        "4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawt"
        "eZ/sI1kQ==",
        {"package/dist/index.js": UTILS},
    ),
)

_NOTICE = f"""\
LiteRT.js {VERSION}: @litertjs/core and @litertjs/wasm-utils of {REGISTRY}
Copyright Google LLC. https://github.com/google-ai-edge/LiteRT

Licensed under the Apache License, Version 2.0; you may obtain a copy of it at
http://www.apache.org/licenses/LICENSE-2.0. Distributed on an "AS IS" basis, without
warranties or conditions of any kind.

Changed: {MODULE} imports ./{UTILS} by its path, its source map is not named, and
{WASM} is packed with gzip. The rest is as published.
"""


def files(cache_dir: str | None = None, base_url: str = REGISTRY) -> dict[str, bytes]:
    """Gives what a page needs of LiteRT.js, by name.

    Args:
      cache_dir: where the archives are kept; the user's cache if not given.
      base_url: the registry, or a copy of it.

    Raises:
      OSError: it is not in the cache, and cannot be fetched.
      ValueError: what was fetched is not what was tried.
    """
    found = {}
    for package in PACKAGES:
        data = _archive(package, cache_dir or _default_cache(), base_url)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for path, name in package.files.items():
                found[name] = archive.extractfile(path).read()
    found[MODULE] = _for_a_page(found[MODULE])
    found[f"{WASM}.gz"] = gzip.compress(found.pop(WASM), mtime=0)
    found[NOTICE] = _NOTICE.encode()
    return found


def _for_a_page(module: bytes) -> bytes:
    """A browser knows no package names, and the source map stays behind."""
    code, _, _ = module.decode().partition("\n//# sourceMappingURL=")
    name = '"@litertjs/wasm-utils"'
    assert code.count(name) == 1, "the checksum says that it is there"
    return (code.replace(name, f'"./{UTILS}"') + "\n").encode()


def _archive(package: Package, cache_dir: str, base_url: str) -> bytes:
    path = os.path.join(cache_dir, package.archive)
    if os.path.exists(path):
        with open(path, "rb") as file:
            if _is(package, data := file.read()):
                return data
        os.remove(path)
    os.makedirs(cache_dir, exist_ok=True)
    url = f"{base_url}/{package.name}/-/{package.archive}"
    try:
        http_transfer.fetch(url, path, DrawingCounter, retries=2, timeout=30.0)
    except (OSError, ValueError) as error:
        raise OSError(
            f"the web format needs LiteRT.js, which could not be fetched: {error}; "
            f"without web in --formats no network is needed"
        ) from None
    with open(path, "rb") as file:
        data = file.read()
    if not _is(package, data):
        os.remove(path)
        raise ValueError(f"{url} is not what it was when it was tried: wrong SHA-512")
    return data


def _is(package: Package, data: bytes) -> bool:
    digest = base64.b64encode(hashlib.sha512(data).digest()).decode()
    return digest == package.integrity


def _default_cache() -> str:
    """By the XDG base directory specification."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "quickdraw-rnn")
