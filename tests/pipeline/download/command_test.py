"""The download command: its files, its messages and its errors."""

import contextlib
import io
import os
import struct
import subprocess
import sys
import termios
import time

import numpy as np
import pytest

from pipeline import download, file_lock, sample
from pipeline.download import http_transfer

SIMPLIFIED = "/full/simplified/{}.ndjson"
LINE = b'{"word": "cat", "key_id": "%d", "drawing": [[[%d, 0], [2, 3]]]}\n'
CATS = b"".join(LINE % (number, number % 256) for number in range(20_000))
DOGS = CATS.replace(b"cat", b"dog")


def first_lines(count, source=CATS):
    return b"".join(source.splitlines(keepends=True)[:count])


@pytest.fixture
def two_classes(bucket):
    """Bucket with two classes."""
    bucket.files[SIMPLIFIED.format("cat")] = CATS
    bucket.files[SIMPLIFIED.format("dog")] = DOGS
    return bucket


@pytest.fixture
def fetch(bucket, tmp_path, monkeypatch):
    """Fetches into `tmp_path / "out"` from the bucket."""
    monkeypatch.setattr(http_transfer, "FIRST_WAIT", 0.01)

    def fetch(*words, **settings):
        out = str(tmp_path / "out")
        download.download(words, out, base_url=bucket.url, **settings)

    return fetch


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def command_line(bucket, out, *more):
    return [
        sys.executable,
        "-m",
        "pipeline.download",
        f"--base_url={bucket.url}/",
        f"--output_dir={out}",
        *more,
    ]


def run_download(bucket, out, *more):
    return subprocess.run(
        command_line(bucket, out, *more), capture_output=True, text=True
    )


def test_the_command_downloads_the_first_drawings_of_each_class(two_classes, tmp_path):
    out = tmp_path / "out"
    done = run_download(
        two_classes, out, "--classes=dog,cat,dog", "--max_per_class=1000"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"{out}/dog.ndjson: 1,000 drawings, 0.1 MB\n"
        f"{out}/cat.ndjson: 1,000 drawings, 0.1 MB\n"
    )
    assert contents(out) == {
        "cat.ndjson": first_lines(1000),
        "dog.ndjson": first_lines(1000, DOGS),
    }
    assert [path for path, _ in two_classes.requests] == [
        SIMPLIFIED.format("dog"),
        SIMPLIFIED.format("cat"),
    ]


def test_all_other_classes_are_downloaded_if_some_fail(two_classes, tmp_path):
    (tmp_path / "names.txt").write_text("kat\ndog\n\ncow\n")
    two_classes.files[SIMPLIFIED.format("cow")] = CATS
    two_classes.add_fault(status=404)
    two_classes.add_fault()
    two_classes.add_fault(status=503)
    done = run_download(
        two_classes,
        tmp_path / "out",
        f"--classes_file={tmp_path / 'names.txt'}",
        "--retries=0",
    )
    assert done.returncode == 1
    assert contents(tmp_path / "out") == {"dog.ndjson": DOGS}
    url = f"{two_classes.url}/full/simplified"
    assert done.stderr == (
        "error: 2 of 3 classes could not be downloaded: "
        f"'kat': unknown class; see {download.CLASS_LIST} "
        f"({url}/kat.ndjson: HTTP 404 Not Found); "
        f"'cow': {url}/cow.ndjson: HTTP 503 Service Unavailable (attempts: 1)\n"
    )


def wait_for_partial_file(out, size):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for part in out.glob("*.part"):
            if part.stat().st_size >= size:
                return
        time.sleep(0.01)
    raise AssertionError(f"no partial file of {size} bytes in {out}")


def test_the_download_of_a_killed_process_resumes(two_classes, tmp_path):
    out = tmp_path / "out"
    two_classes.add_fault(stalls_after=300_000)
    process = subprocess.Popen(command_line(two_classes, out, "--classes=cat"))
    # The write buffer is lost with the process.
    wait_for_partial_file(out, 300_000 - (1 << 16))
    process.kill()
    process.wait()
    assert not (out / "cat.ndjson").exists()
    done = run_download(two_classes, out, "--classes=cat", "--max_per_class=15000")
    assert (done.returncode, done.stderr) == (0, "")
    assert contents(out) == {"cat.ndjson": first_lines(15_000)}
    requested = two_classes.requests[1][1]["Range"]
    assert int(requested.removeprefix("bytes=").removesuffix("-")) > 230_000


def test_complete_files_are_not_downloaded_again(two_classes, fetch, tmp_path, capsys):
    fetch("cat", max_per_class=200)
    num_requests = len(two_classes.requests)
    fetch("cat", max_per_class=200)
    fetch("cat", max_per_class=150)
    assert len(two_classes.requests) == num_requests
    assert contents(tmp_path / "out") == {"cat.ndjson": first_lines(200)}
    fetch("cat")
    bytes_sent = two_classes.bytes_sent
    fetch("cat")
    fetch("cat", max_per_class=30_000)
    assert two_classes.bytes_sent <= bytes_sent + 2
    assert contents(tmp_path / "out") == {"cat.ndjson": CATS}
    messages = [
        line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()
    ]
    assert messages == [
        "200 drawings, 0.0 MB",
        "already complete, with 200 drawings or more",
        "already complete, with 150 drawings or more",
        "all drawings, 1.3 MB",
        "already complete, with all drawings of the class",
        "already complete, with all drawings of the class",
    ]


def test_names_with_spaces_and_special_characters(bucket, fetch, tmp_path):
    bucket.files[SIMPLIFIED.format("hot%20air%20balloon")] = CATS
    bucket.files[SIMPLIFIED.format("%C3%A9t%C3%A9%3F")] = DOGS
    fetch("hot air balloon", "été?")
    assert contents(tmp_path / "out") == {
        "hot air balloon.ndjson": CATS,
        "été?.ndjson": DOGS,
    }


def test_raw_and_simplified_files_have_different_names(two_classes, fetch, tmp_path):
    two_classes.files["/full/raw/cat.ndjson"] = DOGS
    fetch("cat", max_per_class=10)
    fetch("cat", max_per_class=10, format="raw")
    assert contents(tmp_path / "out") == {
        "cat.ndjson": first_lines(10),
        "cat.raw.ndjson": first_lines(10, DOGS),
    }


def make_records(number):
    """Returns drawings in the binary format, with one to four strokes each."""
    packed = []
    for key in range(number):
        strokes = [bytes(range(2 + (key + i) % 50)) for i in range(1 + key % 4)]
        record = struct.pack("<Q2sbIH", key, b"DE", 1, 1_490_000_000, len(strokes))
        for stroke in strokes:
            record += struct.pack("<H", len(stroke)) + stroke + stroke
        packed.append(record)
    return packed


def test_binary(bucket, fetch, tmp_path):
    source = make_records(3000)
    bucket.files["/full/binary/cat.bin"] = b"".join(source)
    bucket.add_fault(closes_after=70_000)
    for limit in (1, 1999, 2000, 3000):
        fetch("cat", max_per_class=limit, format="binary")
        assert contents(tmp_path / "out") == {"cat.bin": b"".join(source[:limit])}


def make_npy(pixels):
    """Returns a `.npy` file as NumPy wrote it in 2017, with a header of 80 bytes."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {pixels.shape}, }}"
    head = text.ljust(69).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 70) + head + pixels.tobytes()


def test_numpy_bitmap(bucket, fetch, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (1200, 784), np.uint8)
    source = make_npy(pixels)
    np.testing.assert_array_equal(np.load(io.BytesIO(source)), pixels)
    bucket.files["/full/numpy_bitmap/cat.npy"] = source
    path = tmp_path / "out" / "cat.npy"
    for limit in (1, 99, 1100):
        bucket.add_fault(closes_after=30_000)
        fetch("cat", max_per_class=limit, format="numpy_bitmap")
        np.testing.assert_array_equal(np.load(path), pixels[:limit])
        assert path.stat().st_size == 80 + limit * 784
    fetch("cat", format="numpy_bitmap")
    assert contents(tmp_path / "out") == {"cat.npy": source}


def test_real_bitmaps(bucket, fetch, quickdraw_dir, tmp_path):
    source = quickdraw_dir / "numpy_bitmap" / "book.npy"
    bucket.files["/full/numpy_bitmap/book.npy"] = source.read_bytes()
    fetch("book", max_per_class=7, format="numpy_bitmap")
    cut = np.load(tmp_path / "out" / "book.npy")
    np.testing.assert_array_equal(cut, np.load(source)[:7])


@pytest.mark.parametrize(
    ("format", "name"), [("sketchrnn", "cat.npz"), ("sketchrnn_full", "cat.full.npz")]
)
def test_sketchrnn_archives_are_downloaded_completely(
    bucket, fetch, tmp_path, format, name
):
    bucket.files[f"/sketchrnn/{name}"] = b"PK" + bytes(100_000)
    bucket.add_fault(closes_after=70_000)
    fetch("cat", format=format)
    assert contents(tmp_path / "out") == {name: b"PK" + bytes(100_000)}


def test_an_invalid_npy_file_is_named(bucket, fetch, tmp_path):
    bucket.files["/full/numpy_bitmap/cat.npy"] = b"<html>" * 99
    with pytest.raises(ValueError, match=r"'cat': http\S+/cat.npy: not a .npy file"):
        fetch("cat", max_per_class=3, format="numpy_bitmap")
    (tmp_path / "out" / "cat.npy").write_text("mine")
    with pytest.raises(ValueError, match=r"'cat': \S+/out/cat.npy: not a .npy file"):
        fetch("cat", max_per_class=3, format="numpy_bitmap")
    assert (tmp_path / "out" / "cat.npy").read_text() == "mine"


def test_create_dataset_reads_downloaded_files(bucket, fetch, build, tmp_path):
    sample.write_sample(str(tmp_path), 30, 0, ["smiley face", "star"])
    for word in ("smiley face", "star"):
        name = SIMPLIFIED.format(word.replace(" ", "%20"))
        bucket.files[name] = (tmp_path / f"{word}.ndjson").read_bytes()
    fetch("smiley face", "star", max_per_class=20)
    build([tmp_path / "out" / "*.ndjson"], tmp_path / "data")
    assert (tmp_path / "data" / "dataset_info.json").exists()


def test_a_folder_is_used_by_one_download_at_a_time(two_classes, fetch, tmp_path):
    with (
        file_lock.hold_lock(str(tmp_path / "out")),
        pytest.raises(file_lock.FolderInUseError),
    ):
        fetch("cat")
    fetch("cat")
    assert contents(tmp_path / "out") == {"cat.ndjson": CATS}


@pytest.mark.parametrize("word", ["../cat", "/cat", "a\\b", ".", "..", "c\nat", ".cat"])
def test_a_path_is_not_a_class(bucket, fetch, tmp_path, word):
    with pytest.raises(ValueError, match="is not a class; see https"):
        fetch("cat", word)
    assert not bucket.requests
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"max_per_class": 0}, "max_per_class must be ≥ 1. Received: 0"),
        (
            {"max_per_class": 9, "format": "sketchrnn"},
            "max_per_class is not supported for sketchrnn files, which are archives",
        ),
        (
            {"base_url": "file:///etc"},
            "base_url must be an http(s) URL. Received: file",
        ),
        ({"base_url": "localhost"}, "base_url must be an http(s) URL. Received: local"),
        ({"words": []}, "no classes to download"),
    ],
)
def test_invalid_arguments_are_rejected_before_the_download(tmp_path, settings, reason):
    arguments = {"words": ["cat"], "output_dir": str(tmp_path / "out")} | settings
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        download.download(**arguments)
    assert str(caught.value).startswith(reason)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("more", "status", "message"),
    [
        ([], 1, "--classes or --classes_file is required"),
        (["--classes=cat", "--max_per_class=0"], 2, "--max_per_class=0"),
        (["--classes=cat", "--format=gif"], 2, "value should be one of <simplified|"),
    ],
)
def test_errors_of_the_command_line_are_one_line(
    bucket, tmp_path, more, status, message
):
    done = run_download(bucket, tmp_path / "out", *more)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_terminal_shows_a_progress_bar(two_classes, tmp_path):
    parent, child = os.openpty()
    termios.tcsetwinsize(child, (24, 120))
    two_classes.add_fault(stalls_after=300_000)
    process = subprocess.Popen(
        command_line(
            two_classes, tmp_path / "out", "--classes=cat", "--max_per_class=15000"
        )
        + ["--timeout=0.5"],
        stderr=child,
    )
    os.close(child)
    shown = b""
    with contextlib.suppress(OSError):  # EIO when the process has ended
        while data := os.read(parent, 1 << 16):
            shown += data
    os.close(parent)
    assert process.wait() == 0
    assert b"cat.ndjson:   0%|" in shown
    assert b"/15.0k [00:00<" in shown
    assert b" drawings/s]" in shown
    assert b"/cat.ndjson: timed out; retrying in 1 s\r\n" in shown
