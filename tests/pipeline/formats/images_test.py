"""Pictures become Google's bitmaps: white on black, 28×28, whatever they were."""

import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.formats import numpy_bitmap, png
from pipeline.formats.blocks import Unreadable
from tests.conftest import reason

GOLDEN = Path(__file__).parent / "golden"
GOOD = (GOLDEN / "png" / "cat" / "white on black.png").read_bytes()


def picture(array, mode=None, **settings):
    out = io.BytesIO()
    image = Image.fromarray(np.asarray(array))
    (image.convert(mode) if mode else image).save(out, "png", **settings)
    return out.getvalue()


def bitmap_of(data):
    return png.parse(data, "cat").bitmap


@pytest.fixture(scope="module")
def bitmap():
    rows = numpy_bitmap.read_images((GOLDEN / "cat.npy").open("rb"))
    return numpy_bitmap.parse(next(rows), "cat").bitmap


def test_golden_pictures_are_the_golden_bitmaps():
    rows = numpy_bitmap.read_images((GOLDEN / "cat.npy").open("rb"))
    for row, name in zip(rows, ("white on black", "black on white")):
        path = GOLDEN / "png" / "cat" / f"{name}.png"
        with path.open("rb") as file:
            (data,) = png.read_pictures(file)
        drawing = png.parse(data, png.word_of(str(path)))
        assert drawing == numpy_bitmap.parse(row, "cat")


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P"])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("times", [1, 2, 10])
def test_a_bitmap_comes_back_from_any_mode_and_larger_size(
    bitmap, mode, inverted, times
):
    shown = 255 - bitmap if inverted else bitmap
    shown = np.kron(shown, np.ones((times, times), np.uint8))
    np.testing.assert_array_equal(bitmap_of(picture(shown, mode)), bitmap)


def test_sixteen_bits_a_pixel(bitmap):
    data = picture(bitmap.astype(np.uint16) * 257)
    np.testing.assert_array_equal(bitmap_of(data), bitmap)


def test_one_bit_a_pixel(bitmap):
    data = picture(bitmap > 99)
    np.testing.assert_array_equal(bitmap_of(data), 255 * (bitmap > 99))


@pytest.mark.parametrize("ink", [0, 255])
def test_transparent_paper(bitmap, ink):
    layers = np.dstack([np.full_like(bitmap, ink)] * 3 + [bitmap])
    np.testing.assert_array_equal(bitmap_of(picture(layers)), bitmap)


def test_a_picture_that_is_not_square_is_centred():
    wide = np.zeros((14, 56), np.uint8)
    wide[6:8, 4:-4] = 255
    shown = bitmap_of(picture(wide))
    assert (shown == shown[::-1]).all()
    assert (shown == shown[:, ::-1]).all()
    assert np.flatnonzero(shown.any(axis=1)).tolist() == [13, 14]
    np.testing.assert_array_equal(bitmap_of(picture(wide.T)), shown.T)


def test_a_small_picture_fills_the_bitmap():
    dot = np.zeros((7, 7), np.uint8)
    dot[3, 3] = 200
    shown = bitmap_of(picture(dot))
    assert shown[12:16, 12:16].tolist() == [[200] * 4] * 4
    assert np.count_nonzero(shown) == 16


@pytest.mark.parametrize("grey", [0, 255])
def test_paper_without_ink_is_refused(grey):
    blank = np.full((28, 28), grey, np.uint8)
    assert reason(bitmap_of, picture(blank)) == "no ink"


def chunk(kind, data):
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


HUGE = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b""))
    + chunk(b"IEND", b"")
)
LARGE = HUGE.replace(
    chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)),
    chunk(b"IHDR", struct.pack(">IIBBBBB", 5000, 5000, 8, 0, 0, 0, 0)),
)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not a PNG: "),
        (b"GIF89a", "not a PNG: cannot identify image file"),
        (GOOD[:-30], "not a PNG: "),
        (GOOD[:40], "not a PNG: "),
        (HUGE, "not a PNG: Image size (3600000000 pixels) exceeds limit"),
        (LARGE, "picture too large: 5000 × 5000 pixels"),
        (GOOD + bytes(png.MAX_FILE_BYTES), "picture too large"),
    ],
)
def test_what_is_no_picture_is_refused(data, why):
    told = reason(bitmap_of, data)
    assert told.startswith(why)
    assert "0x" not in told, "the same file must give the same reason"


@settings(deadline=None)
@given(st.integers(0, len(GOOD)), st.integers(0, 3), st.binary(max_size=4))
def test_any_damage_gives_a_drawing_or_a_value_error(begin, length, junk):
    told = reason(bitmap_of, GOOD[:begin] + junk + GOOD[begin + length :])
    assert told.partition(":")[0] in ("", "no ink", "not a PNG", "picture too large")


def test_of_a_large_file_only_the_beginning_is_read():
    (data,) = png.read_pictures(io.BytesIO(bytes(2 * png.MAX_FILE_BYTES)))
    assert len(data) == png.MAX_FILE_BYTES + 1


def test_without_pillow_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "PIL.Image", raising=False)
    with pytest.raises(Unreadable, match=r"^PIL.* is not .* 'quickdraw-rnn\[png\]'$"):
        next(png.read_pictures(io.BytesIO()))
