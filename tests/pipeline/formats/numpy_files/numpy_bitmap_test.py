"""Arrays of bitmaps become drawings of the file's class, or of their labels."""

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import rasterize
from pipeline.formats.blocks import UnreadableFileError
from pipeline.formats.numpy_files import numpy_bitmap
from pipeline.formats.text.ndjson_lines import parse_simplified
from tests.conftest import reason

GOLDEN = Path(__file__).parents[1] / "golden"
ROWS = np.arange(3 * 784, dtype=np.uint8).reshape(3, 784)


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def npz(*arrays, **named):
    out = io.BytesIO()
    np.savez_compressed(out, *arrays, **named)
    return out.getvalue()


def read(data, label_names=None):
    return list(numpy_bitmap.read_images(io.BytesIO(data), label_names))


def golden_bitmaps():
    texts = (GOLDEN / "simplified.ndjson").read_bytes().splitlines()
    return [rasterize.rasterize(parse_simplified(text).points) for text in texts]


def test_golden_files_show_the_simplified_drawings():
    plain = read((GOLDEN / "cat.npy").read_bytes())
    labeled = read((GOLDEN / "labeled.npz").read_bytes(), ("ant", "bee"))
    for number, bitmap in enumerate(golden_bitmaps()):
        for item, word in (
            (plain[number], "cat"),
            (labeled[number], ["bee", "ant"][number]),
        ):
            drawing = numpy_bitmap.parse(item, "cat")
            assert (drawing.word, drawing.is_bitmap, drawing.recognized) == (
                word,
                True,
                -1,
            )
            np.testing.assert_array_equal(drawing.bitmap, bitmap)


def test_keys_depend_on_word_and_content():
    keys = [
        numpy_bitmap.parse(item, word).key_id
        for word in ("cat", "dog")
        for item in read(npy(ROWS))
    ]
    assert keys[0] == "5eb8a71cb0a12dc3"
    assert len(set(keys)) == 6


@pytest.mark.parametrize("shape", [(3, 784), (3, 28, 28), (3, 28, 28, 1), (0, 784)])
def test_images_may_be_rows_or_squares(shape):
    array = ROWS[: shape[0]].reshape(shape)
    assert read(npy(array)) == [row.tobytes() for row in ROWS[: shape[0]]]


@pytest.mark.parametrize(
    "convert",
    [
        lambda rows: rows.astype(np.int64),
        lambda rows: rows.astype(np.float32),
        lambda rows: (rows / 255).astype(np.float16),
        lambda rows: rows / np.float64(255),
    ],
)
def test_numbers_of_other_types_are_the_same_images(convert):
    assert read(npy(convert(ROWS))) == [row.tobytes() for row in ROWS]


def test_booleans_are_black_and_white():
    (row,) = read(npy(ROWS[:1] > 100))
    assert row == ((ROWS[:1] > 100) * np.uint8(255)).tobytes()


@pytest.mark.parametrize("bad", [-1, 256, np.nan])
def test_values_out_of_range_are_an_error(bad):
    rows = ROWS.astype(np.float32)
    rows[1, 5] = bad
    assert reason(read, npy(rows)).startswith("damaged array: values outside 0..255")


def test_more_rows_than_are_read_at_once():
    array = np.random.default_rng(0).integers(0, 256, (2500, 784), np.uint8)
    assert read(npy(array)) == [row.tobytes() for row in array]


@pytest.mark.parametrize(
    "labels",
    [[2, 0, 1], np.uint8([[2], [0], [1]]), ["c", "a", "b"], [b"c", b"a", b"b"]],
)
def test_labels_are_words_or_named_integers(labels):
    found = read(npz(ROWS, np.array(labels)), ("a", "b", "c"))
    assert [numpy_bitmap.parse(item, "file").word for item in found] == ["c", "a", "b"]
    assert [item[:784] for item in found] == [row.tobytes() for row in ROWS]


def test_an_empty_bitmap_is_rejected():
    (item,) = read(npy(np.zeros((1, 784), np.uint8)))
    assert reason(numpy_bitmap.parse, item, "cat") == "no ink"


@pytest.mark.parametrize(
    ("data", "names", "why"),
    [
        (b"", None, "no .npy header: "),
        (b"text", None, "no .npy header: "),
        (b"PK and no more", None, "not a .npz archive: "),
        (npy(ROWS.astype(complex)), None, "holds complex128 [3, 784], not numbers ["),
        (npy(ROWS[0]), None, "holds uint8 [784], not numbers ["),
        (npy(np.uint8(3)), None, "holds uint8 [], not numbers ["),
        (npy(ROWS[:, :100]), None, "holds uint8 [3, 100], not numbers [N, 784]"),
        (npy(np.asfortranarray(ROWS)), None, "stored by columns; save it with"),
        (npz(ROWS), None, "there is no array arr_1"),
        (npz(images=ROWS), None, "there is no array arr_0"),
        (npz(ROWS, np.arange(3)), None, "arr_1 holds integers; --label_names names"),
        (npz(ROWS, np.arange(3)), ("a", "b"), "labels range from 0 to 2, --label_nam"),
        (npz(ROWS, np.array([0, -1, 1])), ("a", "b"), "labels range from -1 to 1, "),
        (npz(ROWS, np.arange(2)), ("a", "b"), "arr_1 holds int64 [2], arr_0 3 images"),
        (npz(ROWS, np.eye(3)), ("a", "b"), "arr_1 holds float64 [3, 3], arr_0 3 ima"),
        (npz(ROWS, np.zeros(3)), ("a", "b"), "arr_1 holds float64 [3], not integers "),
        (npz(ROWS, np.array(list("abc"), object)), None, "arr_1 holds object [3], not"),
        (npz(ROWS, np.array([b"a", b"\xff", b"c"])), None, "arr_1 is damaged: 'utf-8'"),
    ],
)
def test_other_files_are_unreadable(data, names, why):
    with pytest.raises(UnreadableFileError) as caught:
        read(data, names)
    assert str(caught.value).startswith(why)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_truncated_array_is_named_with_its_row(kept):
    data = npy(ROWS)
    for end in (0, 1, 783):
        rows = numpy_bitmap.read_images(io.BytesIO(data[: 128 + 784 * kept + end]))
        assert [next(rows) for _ in range(kept)] == [
            row.tobytes() for row in ROWS[:kept]
        ]
        with pytest.raises(
            ValueError, match=f"^truncated array: from row {kept + 1} of 3 on$"
        ):
            next(rows)


def test_bytes_after_the_last_row_are_an_error():
    assert reason(read, npy(ROWS) + b"x").startswith(
        "damaged array: it continues after"
    )


def test_a_damaged_archive_is_noticed():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("arr_0.npy", npy(ROWS))
        archive.writestr("arr_1.npy", npy(np.arange(3)))
    data = bytearray(out.getvalue())
    data[1000] ^= 1
    assert reason(read, bytes(data), "abc").startswith("damaged archive: Bad CRC-32")


@settings(deadline=None)
@given(
    st.sampled_from(["cat.npy", "labeled.npz"]),
    st.integers(0, 600),
    st.integers(0, 3),
    st.binary(max_size=4),
)
def test_any_damage_gives_drawings_or_value_errors(name, begin, length, junk):
    whole = (GOLDEN / name).read_bytes()
    damaged = whole[:begin] + junk + whole[begin + length :]
    message = reason(read, damaged, ("ant", "bee"))
    for item in read(damaged, ("ant", "bee")) if not message else ():
        assert reason(numpy_bitmap.parse, item, "cat") in ("", "no ink")


def test_real_bitmaps_are_upright_and_in_order(quickdraw_dir):
    """Row i is Google's bitmap of the drawing on line i, except for `clock`."""
    upright, turned = [], []
    for path in sorted(quickdraw_dir.glob("bitmap_pairs/[!c]*.npy")):
        items = read(path.read_bytes())
        with gzip.open(path.with_suffix(".ndjson.gz")) as file:
            shown = [
                rasterize.rasterize(parse_simplified(text).points) for text in file
            ]
        for item, ours in zip(items, shown, strict=True):
            theirs = numpy_bitmap.parse(item, "x").bitmap
            upright.append(np.corrcoef(theirs.ravel(), ours.ravel())[0, 1])
            turned.append(np.corrcoef(theirs.ravel(), ours.T.ravel())[0, 1])
    assert len(upright) > 100
    assert np.mean(upright) > 0.995
    assert np.mean(turned) < 0.3
