"""Pictures of any kind become 28×28 bitmaps, white ink on black."""

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

from pipeline.formats import images, words
from pipeline.formats.blocks import UnreadableFileError
from pipeline.formats.numpy_files import numpy_bitmap
from tests.conftest import reason

GOLDEN = Path(__file__).parent / "golden"
GOOD = (GOLDEN / "png" / "cat" / "white on black.png").read_bytes()


def picture(array, mode=None, **settings):
    out = io.BytesIO()
    image = Image.fromarray(np.asarray(array))
    (image.convert(mode) if mode else image).save(out, "png", **settings)
    return out.getvalue()


def to_bitmap(data):
    return images.parse(data, "cat").bitmap


@pytest.fixture(scope="module")
def bitmap():
    rows = numpy_bitmap.read_images((GOLDEN / "cat.npy").open("rb"))
    return numpy_bitmap.parse(next(rows), "cat").bitmap


def test_golden_pictures_equal_the_golden_bitmaps():
    rows = numpy_bitmap.read_images((GOLDEN / "cat.npy").open("rb"))
    for row, name in zip(rows, ("white on black", "black on white")):
        path = GOLDEN / "png" / "cat" / f"{name}.png"
        with path.open("rb") as file:
            (data,) = images.read_pictures(file)
        drawing = images.parse(data, words.word_from_folder(str(path)))
        assert drawing == numpy_bitmap.parse(row, "cat")


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P"])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("times", [1, 2, 10])
def test_a_bitmap_is_recovered_from_any_mode_and_larger_size(
    bitmap, mode, inverted, times
):
    shown = 255 - bitmap if inverted else bitmap
    shown = np.kron(shown, np.ones((times, times), np.uint8))
    np.testing.assert_array_equal(to_bitmap(picture(shown, mode)), bitmap)


def test_sixteen_bits_per_pixel(bitmap):
    data = picture(bitmap.astype(np.uint16) * 257)
    np.testing.assert_array_equal(to_bitmap(data), bitmap)


@pytest.mark.parametrize("name", ["jpeg", "gif", "webp"])
def test_other_picture_formats(bitmap, name):
    out = io.BytesIO()
    enlarged = np.kron(255 - bitmap, np.ones((10, 10), np.uint8))
    Image.fromarray(enlarged).save(out, name, quality=95)
    difference = to_bitmap(out.getvalue()).astype(int) - bitmap
    assert np.abs(difference).max() <= 8
    assert images.is_picture(out.getvalue()[:20])


def test_one_bit_per_pixel(bitmap):
    data = picture(bitmap > 99)
    np.testing.assert_array_equal(to_bitmap(data), 255 * (bitmap > 99))


@pytest.mark.parametrize("ink", [0, 255])
def test_transparent_background(bitmap, ink):
    layers = np.dstack([np.full_like(bitmap, ink)] * 3 + [bitmap])
    np.testing.assert_array_equal(to_bitmap(picture(layers)), bitmap)


def test_a_picture_that_is_not_square_is_centered():
    wide = np.zeros((14, 56), np.uint8)
    wide[6:8, 4:-4] = 255
    shown = to_bitmap(picture(wide))
    assert (shown == shown[::-1]).all()
    assert (shown == shown[:, ::-1]).all()
    assert np.flatnonzero(shown.any(axis=1)).tolist() == [13, 14]
    np.testing.assert_array_equal(to_bitmap(picture(wide.T)), shown.T)


def test_a_small_picture_fills_the_bitmap():
    dot = np.zeros((7, 7), np.uint8)
    dot[3, 3] = 200
    shown = to_bitmap(picture(dot))
    assert shown[12:16, 12:16].tolist() == [[200] * 4] * 4
    assert np.count_nonzero(shown) == 16


@pytest.mark.parametrize("gray", [0, 255])
def test_a_blank_picture_is_rejected(gray):
    blank = np.full((28, 28), gray, np.uint8)
    assert reason(to_bitmap, picture(blank)) == "no ink"


def chunk(kind, data):
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def png_without_pixels(width, height):
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


HUGE = png_without_pixels(60_000, 60_000)
LARGE = png_without_pixels(5000, 5000)
THIN = picture(np.eye(1, 60_000, dtype=np.uint8))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not a picture: "),
        (b"BM89a", "not a picture: cannot identify image file"),
        (GOOD[:-30], "not a picture: "),
        (GOOD[:40], "not a picture: "),
        (HUGE, "not a picture: Image size (3600000000 pixels) exceeds limit"),
        (LARGE, "picture too large: 5000 × 5000 pixels"),
        (THIN, "picture too large: 60000 × 1 pixels"),
        (GOOD + bytes(images.MAX_FILE_BYTES), "picture too large"),
    ],
)
def test_other_content_is_rejected(data, why):
    message = reason(to_bitmap, data)
    assert message.startswith(why)
    assert "0x" not in message, "the same file must give the same message"


@settings(deadline=None)
@given(st.integers(0, len(GOOD)), st.integers(0, 3), st.binary(max_size=4))
def test_any_damage_gives_a_drawing_or_a_value_error(begin, length, junk):
    message = reason(to_bitmap, GOOD[:begin] + junk + GOOD[begin + length :])
    assert message.partition(":")[0] in (
        "",
        "no ink",
        "not a picture",
        "picture too large",
    )


def test_only_the_beginning_of_a_large_file_is_read():
    (data,) = images.read_pictures(io.BytesIO(bytes(2 * images.MAX_FILE_BYTES)))
    assert len(data) == images.MAX_FILE_BYTES + 1


def test_the_message_without_pillow_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "PIL.Image", raising=False)
    with pytest.raises(UnreadableFileError, match=r"^PIL.* is not .*\[png\]'$"):
        next(images.read_pictures(io.BytesIO()))
