"""The command: what it fetches from where, what it says, and how it ends."""

import contextlib
import fcntl
import io
import os
import struct
import subprocess
import sys
import termios
import time

import numpy as np
import pytest

from pipeline import download, http_transfer, sample

SIMPLIFIED = "/full/simplified/{}.ndjson"
LINE = b'{"word": "cat", "key_id": "%d", "drawing": [[[%d, 0], [2, 3]]]}\n'
CATS = b"".join(LINE % (number, number % 256) for number in range(20_000))
DOGS = CATS.replace(b"cat", b"dog")


def first(lines, source=CATS):
    return b"".join(source.splitlines(keepends=True)[:lines])


@pytest.fixture
def animals(bucket):
    """The bucket with two classes."""
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


def arguments(bucket, out, *more):
    return [
        sys.executable,
        "-m",
        "pipeline.download",
        f"--base_url={bucket.url}/",
        f"--output_dir={out}",
        *more,
    ]


def start(bucket, out, *more):
    return subprocess.run(arguments(bucket, out, *more), capture_output=True, text=True)


def test_the_command_fetches_what_it_is_told(animals, tmp_path):
    out = tmp_path / "out"
    done = start(animals, out, "--classes=dog,cat,dog", "--max_per_class=1000")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"{out}/dog.ndjson: 1,000 drawings, 0.1 MB\n"
        f"{out}/cat.ndjson: 1,000 drawings, 0.1 MB\n"
    )
    assert contents(out) == {
        "cat.ndjson": first(1000),
        "dog.ndjson": first(1000, DOGS),
    }
    assert [path for path, _ in animals.requests] == [
        SIMPLIFIED.format("dog"),
        SIMPLIFIED.format("cat"),
    ]


def test_one_class_that_fails_keeps_no_other_back(animals, tmp_path):
    (tmp_path / "names.txt").write_text("kat\ndog\n\ncow\n")
    animals.files[SIMPLIFIED.format("cow")] = CATS
    animals.trouble(status=404)
    animals.trouble()
    animals.trouble(status=503)
    done = start(
        animals,
        tmp_path / "out",
        f"--classes_file={tmp_path / 'names.txt'}",
        "--retries=0",
    )
    assert done.returncode == 1
    assert contents(tmp_path / "out") == {"dog.ndjson": DOGS}
    assert done.stderr == (
        "error: could not fetch 2 of 3 classes: 'kat': no such class? The names are in "
        "https://github.com/googlecreativelab/quickdraw-dataset/blob/master/"
        f"categories.txt ({animals.url}/full/simplified/kat.ndjson: HTTP 404 Not Found)"
        f"; 'cow': {animals.url}/full/simplified/cow.ndjson: HTTP 503 Service "
        "Unavailable (tried 1 times)\n"
    )


def wait_for_part(out, size):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for part in out.glob("*.part"):
            if part.stat().st_size >= size:
                return
        time.sleep(0.01)
    raise AssertionError(f"no part of {size} bytes in {out}")


def test_a_killed_process_goes_on(animals, tmp_path):
    out = tmp_path / "out"
    animals.trouble(stalls_after=300_000)
    process = subprocess.Popen(arguments(animals, out, "--classes=cat"))
    # What Python has not yet handed over is lost with the process.
    wait_for_part(out, 300_000 - (1 << 16))
    process.kill()
    process.wait()
    assert not (out / "cat.ndjson").exists()
    done = start(animals, out, "--classes=cat", "--max_per_class=15000")
    assert (done.returncode, done.stderr) == (0, "")
    assert contents(out) == {"cat.ndjson": first(15_000)}
    asked = animals.requests[1][1]["Range"]
    assert int(asked.removeprefix("bytes=").removesuffix("-")) > 230_000


def test_what_is_there_is_not_fetched_again(animals, fetch, tmp_path, capsys):
    fetch("cat", max_per_class=200)
    asked = len(animals.requests)
    fetch("cat", max_per_class=200)
    fetch("cat", max_per_class=150)
    assert len(animals.requests) == asked
    assert contents(tmp_path / "out") == {"cat.ndjson": first(200)}
    fetch("cat")
    sent = animals.sent
    fetch("cat")
    fetch("cat", max_per_class=30_000)
    assert animals.sent <= sent + 2
    assert contents(tmp_path / "out") == {"cat.ndjson": CATS}
    said = [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()]
    assert said == [
        "200 drawings, 0.0 MB",
        "is there already, with 200 drawings or more",
        "is there already, with 150 drawings or more",
        "all drawings, 1.3 MB",
        "is there already, with all drawings of its class",
        "is there already, with all drawings of its class",
    ]


def test_names_with_blanks_and_other_signs(bucket, fetch, tmp_path):
    bucket.files[SIMPLIFIED.format("hot%20air%20balloon")] = CATS
    bucket.files[SIMPLIFIED.format("%C3%A9t%C3%A9%3F")] = DOGS
    fetch("hot air balloon", "été?")
    assert contents(tmp_path / "out") == {
        "hot air balloon.ndjson": CATS,
        "été?.ndjson": DOGS,
    }


def test_raw_and_simplified_lie_side_by_side(animals, fetch, tmp_path):
    animals.files["/full/raw/cat.ndjson"] = DOGS
    fetch("cat", max_per_class=10)
    fetch("cat", max_per_class=10, format="raw")
    assert contents(tmp_path / "out") == {
        "cat.ndjson": first(10),
        "cat.raw.ndjson": first(10, DOGS),
    }


def records(number):
    """Drawings in the binary format, of one to four strokes."""
    packed = []
    for key in range(number):
        strokes = [bytes(range(2 + (key + i) % 50)) for i in range(1 + key % 4)]
        record = struct.pack("<Q2sbIH", key, b"DE", 1, 1_490_000_000, len(strokes))
        for stroke in strokes:
            record += struct.pack("<H", len(stroke)) + stroke + stroke
        packed.append(record)
    return packed


def test_binary(bucket, fetch, tmp_path):
    source = records(3000)
    bucket.files["/full/binary/cat.bin"] = b"".join(source)
    bucket.trouble(breaks_after=70_000)
    for wanted in (1, 1999, 2000, 3000):
        fetch("cat", max_per_class=wanted, format="binary")
        assert contents(tmp_path / "out") == {"cat.bin": b"".join(source[:wanted])}


def old_npy(pixels):
    """A `.npy` as NumPy wrote it in 2017: a header of 80 bytes."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {pixels.shape}, }}"
    head = text.ljust(69).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 70) + head + pixels.tobytes()


def test_numpy_bitmap(bucket, fetch, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (1200, 784), np.uint8)
    source = old_npy(pixels)
    np.testing.assert_array_equal(np.load(io.BytesIO(source)), pixels)
    bucket.files["/full/numpy_bitmap/cat.npy"] = source
    path = tmp_path / "out" / "cat.npy"
    for wanted in (1, 99, 1100):
        bucket.trouble(breaks_after=30_000)
        fetch("cat", max_per_class=wanted, format="numpy_bitmap")
        np.testing.assert_array_equal(np.load(path), pixels[:wanted])
        assert path.stat().st_size == 80 + wanted * 784
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
def test_sketchrnn_comes_whole(bucket, fetch, tmp_path, format, name):
    bucket.files[f"/sketchrnn/{name}"] = b"PK" + bytes(100_000)
    bucket.trouble(breaks_after=70_000)
    fetch("cat", format=format)
    assert contents(tmp_path / "out") == {name: b"PK" + bytes(100_000)}


def test_what_is_no_npy_is_an_error_that_names_it(bucket, fetch, tmp_path):
    bucket.files["/full/numpy_bitmap/cat.npy"] = b"<html>" * 99
    with pytest.raises(ValueError, match=r"'cat': http\S+/cat.npy: not a .npy file"):
        fetch("cat", max_per_class=3, format="numpy_bitmap")
    (tmp_path / "out" / "cat.npy").write_text("mine")
    with pytest.raises(ValueError, match=r"'cat': \S+/out/cat.npy: not a .npy file"):
        fetch("cat", max_per_class=3, format="numpy_bitmap")
    assert (tmp_path / "out" / "cat.npy").read_text() == "mine"


def test_what_was_fetched_is_read_by_the_job(bucket, fetch, build, tmp_path):
    sample.write_sample(str(tmp_path), 30, 0, ["smiley face", "star"])
    for word in ("smiley face", "star"):
        name = SIMPLIFIED.format(word.replace(" ", "%20"))
        bucket.files[name] = (tmp_path / f"{word}.ndjson").read_bytes()
    fetch("smiley face", "star", max_per_class=20)
    build([tmp_path / "out" / "*.ndjson"], tmp_path / "data")
    assert (tmp_path / "data" / "dataset_info.json").exists()


def test_a_folder_that_another_download_has_is_refused(animals, fetch, tmp_path):
    (tmp_path / "out").mkdir()
    folder = os.open(tmp_path / "out", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with pytest.raises(ValueError, match="out is in use by another download"):
        fetch("cat")
    os.close(folder)
    fetch("cat")
    assert contents(tmp_path / "out") == {"cat.ndjson": CATS}


@pytest.mark.parametrize("word", ["../cat", "/cat", "a\\b", ".", "..", "c\nat", ".cat"])
def test_a_path_is_no_class(bucket, fetch, tmp_path, word):
    with pytest.raises(ValueError, match="is no class; the names are in https"):
        fetch("cat", word)
    assert not bucket.requests
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"max_per_class": 0}, "max_per_class must be ≥ 1. Received: 0"),
        (
            {"max_per_class": 9, "format": "sketchrnn"},
            "--max_per_class: sketchrnn files are archives and come whole or not at",
        ),
        ({"base_url": "file:///etc"}, "--base_url=file:///etc is not a https:// addr"),
        ({"base_url": "localhost"}, "--base_url=localhost is not a https:// address"),
        ({"words": []}, "no classes are wanted; name at least one"),
    ],
)
def test_what_cannot_be_had_is_refused_at_once(tmp_path, settings, reason):
    arguments = {"words": ["cat"], "output_dir": str(tmp_path / "out")} | settings
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        download.download(**arguments)
    assert str(caught.value).startswith(reason)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("more", "status", "message"),
    [
        ([], 1, "--classes is missing (or --classes_file)"),
        (["--classes=cat", "--max_per_class=0"], 2, "--max_per_class=0"),
        (["--classes=cat", "--format=gif"], 2, "value should be one of <simplified|"),
    ],
)
def test_mistakes_on_the_command_line_are_one_line(
    bucket, tmp_path, more, status, message
):
    done = start(bucket, tmp_path / "out", *more)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_terminal_shows_how_far_it_is(animals, tmp_path):
    ours, its = os.openpty()
    termios.tcsetwinsize(its, (24, 120))
    animals.trouble(stalls_after=300_000)
    process = subprocess.Popen(
        arguments(animals, tmp_path / "out", "--classes=cat", "--max_per_class=15000")
        + ["--timeout=0.5"],
        stderr=its,
    )
    os.close(its)
    shown = b""
    with contextlib.suppress(OSError):  # so it ends when nobody writes any more
        while data := os.read(ours, 1 << 16):
            shown += data
    os.close(ours)
    assert process.wait() == 0
    assert b"cat.ndjson:   0%|" in shown
    assert b"/15.0k [00:00<" in shown
    assert b" drawings/s]" in shown
    assert b"/cat.ndjson: timed out; again in 1 s\r\n" in shown
