"""LiteRT.js comes once, as it was tried, or not at all."""

import base64
import functools
import gzip
import hashlib
import http.server
import io
import shutil
import tarfile
import threading

import pytest

from pipeline.download import http_transfer
from serve_export.formats import litert_js

MODULE = (
    b'import { createWasmLib } from "@litertjs/wasm-utils";\n'
    b"export {};\n//# sourceMappingURL=index.js.map"
)
FILES = {
    "package/dist/index.js": MODULE,
    f"package/wasm/{litert_js.SCRIPT}": b"script",
    f"package/wasm/{litert_js.WASM}": b"wasm",
}


def pack(files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A registry with small packages: its address and its folder."""
    folder = tmp_path / "registry"
    packages = []
    for package in litert_js.PACKAGES:
        data = pack({path: FILES[path] for path in package.files})
        digest = base64.b64encode(hashlib.sha512(data).digest()).decode()
        packages.append(package._replace(integrity=digest))
        (folder / package.name / "-").mkdir(parents=True)
        (folder / package.name / "-" / package.archive).write_bytes(data)
    monkeypatch.setattr(litert_js, "PACKAGES", packages)
    monkeypatch.setattr(http_transfer, "FIRST_WAIT", 0.01)
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=[0.05]).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def get(registry, cache):
    return lambda: litert_js.files(str(cache), registry[0])


def test_files_are_made_for_a_page(get):
    files = get()
    assert set(files) == {
        litert_js.MODULE,
        litert_js.UTILS,
        litert_js.SCRIPT,
        f"{litert_js.WASM}.gz",
        litert_js.NOTICE,
    }
    assert files[litert_js.SCRIPT] == b"script"
    assert gzip.decompress(files[f"{litert_js.WASM}.gz"]) == b"wasm"
    assert files[litert_js.MODULE] == (
        b'import { createWasmLib } from "./wasm_utils.js";\nexport {};\n'
    )
    assert litert_js.VERSION in files[litert_js.NOTICE].decode()


def test_a_second_time_needs_no_network(get, registry):
    first = get()
    shutil.rmtree(registry[1])
    assert get() == first


def test_what_is_damaged_in_the_cache_is_fetched_again(get, cache):
    first = get()
    damaged = cache / litert_js.PACKAGES[0].archive
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert get() == first


def test_another_archive_of_that_name_is_refused(get, registry, cache):
    path = next(registry[1].rglob("core-*.tgz"))
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(ValueError, match=r"core-.*\.tgz is not what it was .* SHA-512"):
        get()
    assert list(cache.iterdir()) == []


def test_no_registry_is_told(get, registry):
    shutil.rmtree(registry[1])
    with pytest.raises(OSError, match=r"needs LiteRT\.js, which could not be fetched"):
        get()
