"""The download of LiteRT.js: verified, cached, adapted for a page."""

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
    f"package/wasm/{litert_js.SCRIPT_FILE}": b"script",
    f"package/wasm/{litert_js.WASM_FILE}": b"wasm",
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
        (folder / package.name / "-" / package.archive_name).write_bytes(data)
    monkeypatch.setattr(litert_js, "PACKAGES", packages)
    monkeypatch.setattr(http_transfer, "FIRST_WAIT", 0.01)
    handler = functools.partial(QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=[0.05]).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def load(registry, cache):
    return lambda: litert_js.load_files(str(cache), registry[0])


def test_files_are_adapted_for_a_page(load):
    files = load()
    assert set(files) == {
        litert_js.MODULE_FILE,
        litert_js.UTILS_FILE,
        litert_js.SCRIPT_FILE,
        f"{litert_js.WASM_FILE}.gz",
        litert_js.NOTICE_FILE,
    }
    assert files[litert_js.SCRIPT_FILE] == b"script"
    assert gzip.decompress(files[f"{litert_js.WASM_FILE}.gz"]) == b"wasm"
    assert files[litert_js.MODULE_FILE] == (
        b'import { createWasmLib } from "./wasm_utils.js";\nexport {};\n'
    )
    assert litert_js.VERSION in files[litert_js.NOTICE_FILE].decode()


def test_cached_files_need_no_network(load, registry):
    first = load()
    shutil.rmtree(registry[1])
    assert load() == first


def test_damaged_file_in_the_cache_is_downloaded_again(load, cache):
    first = load()
    damaged = cache / litert_js.PACKAGES[0].archive_name
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert load() == first


def test_archive_with_another_checksum_is_refused(load, registry, cache):
    path = next(registry[1].rglob("core-*.tgz"))
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(ValueError, match=r"core-.*\.tgz has another SHA-512"):
        load()
    assert list(cache.iterdir()) == []


def test_unreachable_registry_is_an_error(load, registry):
    shutil.rmtree(registry[1])
    with pytest.raises(
        OSError, match=r"needs LiteRT\.js, which could not be downloaded"
    ):
        load()
