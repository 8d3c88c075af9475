"""Sketch-RNN's arrays become drawings of their split; pickles run no code."""

import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st

from pipeline import strokes
from pipeline.formats.blocks import UnreadableFileError
from pipeline.formats.numpy_files import sketchrnn
from tests.conftest import reason

GOLDEN = Path(__file__).parents[1] / "golden"
SPLITS = ("train", "validation", "test")


def objects(*drawings):
    out = np.empty(len(drawings), object)
    for index, drawing in enumerate(drawings):
        out[index] = drawing
    return out


def npz(**arrays):
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out


def npz_of_pickle(data, count=1, name="train"):
    """Returns an archive whose only array is this pickle."""
    out, array = io.BytesIO(), io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(array, header)
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(f"{name}.npy", array.getvalue() + data)
    return out


def cut(stream, **settings):
    return list(sketchrnn.cut(stream, "cat.npz", "sketchrnn", **settings))


def drawings_of(blocks):
    return [
        (block.split, strokes.to_drawing(sketchrnn.parse(item, "cat").points))
        for block in blocks
        for item in block.items()
    ]


@pytest.mark.parametrize("name", ["cat.npz", "dog.full.npz"])
@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_golden_files_of_python_3_and_2(name, block_bytes):
    with (GOLDEN / name).open("rb") as file:
        blocks = cut(file, block_bytes=block_bytes)
    assert drawings_of(blocks) == [
        ("train", [[[0, 243, 243], [121, 121, 0]], [[255], [12]]]),
        ("train", [[[0, 255, 255], [0, 0, 100]]]),
        ("validation", [[[0], [0]]]),
        ("test", [[[0, 255], [42, 0]]]),
    ]
    firsts = [block.first for block in blocks]
    assert firsts == ([1, 2, 3, 4] if block_bytes == 1 else [1, 3, 4])


drawings = np_st.arrays(
    np.int16,
    st.tuples(st.integers(1, 30), st.just(3)),
    elements=st.integers(-1000, 1000),
).map(lambda rows: np.concatenate([rows[:, :2], rows[:, 2:] % 2], axis=1))


@settings(deadline=None)
@given(st.lists(drawings, min_size=1, max_size=4), st.sampled_from("<>"), st.booleans())
def test_any_drawing_keeps_its_points_and_strokes(drawings, order, fortran):
    layout = np.asfortranarray if fortran else np.ascontiguousarray
    stored = [layout(rows.astype(f"{order}i2")) for rows in drawings]
    (block,) = cut(npz(valid=objects(*stored)))
    for item, rows in zip(block.items(), drawings, strict=True):
        points = sketchrnn.parse(item, "cat").points
        positions = rows[:, :2].astype(int).cumsum(axis=0)
        positions -= positions.min(axis=0)
        scale = 255 / max(positions.max(), 1e-9)
        expected = positions * scale if positions.any() else positions
        assert np.abs(points[:, :2] - expected).max() <= 0.5 + 1e-9
        assert points[:-1, 2].tolist() == rows[:-1, 2].tolist()
        assert points[-1, 2] == 1


def test_a_drawing_in_the_box_round_trips():
    for drawing in ([[[0, 255, 3], [9, 0, 77]], [[4, 4], [5, 6]]], [[[0], [0]]]):
        rows = strokes.to_points(drawing).astype(np.int16)
        rows[1:, :2] -= rows[:-1, :2].copy()
        (block,) = cut(npz(test=objects(rows)))
        assert drawings_of([block]) == [("test", drawing)]


ROWS = np.int16([[3, 4, 0], [100, 0, 1], [0, 100, 0], [-9, 9, 1]])


def to_stroke_5(rows):
    """Converts stroke-3 to stroke-5, with two rows of padding."""
    lifts = rows[:, 2:]
    real = np.hstack([rows[:, :2], 1 - lifts, lifts, 0 * lifts])
    return np.vstack([real, [[0, 0, 0, 0, 1]] * 2])


@pytest.mark.parametrize(
    "stored",
    [
        objects(ROWS.astype(np.int32), ROWS.astype(np.int64)),
        objects(ROWS.astype(np.float32), ROWS.astype(np.float64)),
        objects(ROWS.astype(np.int8), ROWS.astype(">f4")),
        objects(ROWS.tolist(), ROWS.tolist()),
        objects(to_stroke_5(ROWS), to_stroke_5(ROWS).astype(np.float32)),
        np.stack([ROWS, ROWS]),
        np.stack([ROWS, ROWS]).astype(np.float32),
        np.stack([to_stroke_5(ROWS)] * 2),
    ],
)
def test_other_types_and_shapes_are_the_same_drawings(stored):
    (expected,) = drawings_of(cut(npz(train=objects(ROWS))))
    assert drawings_of(cut(npz(train=stored))) == [expected] * 2


def test_an_array_of_equal_lengths_that_is_cut_off_is_named():
    header, array = io.BytesIO(), np.stack([ROWS, ROWS])
    np.save(header, array)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("train.npy", header.getvalue()[:-1])
    whole, lost = cut(out)
    assert len(whole.items()) == 1
    assert lost.damage == "truncated array: from drawing 2 of train on"


def test_empty_splits_are_accepted():
    stream = npz(
        train=objects(), valid=np.array([]), test=objects(np.int16([[1, 1, 1]]))
    )
    assert [split for split, _ in drawings_of(cut(stream))] == ["test"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (np.empty((0, 3)), "no strokes"),
        ([[0, 0, 0], [1, 1, 2]], "lift is not 0 or 1: 0 to 2"),
        ([[0, 0, -1]], "lift is not 0 or 1: -1 to -1"),
    ],
)
def test_rows_that_are_not_a_drawing_are_rejected(rows, reason):
    (block,) = cut(npz(train=objects(np.array(rows, np.int16))))
    with pytest.raises(ValueError, match=f"^{reason}$"):
        sketchrnn.parse(block.items()[0], "cat")


GOOD = np.int16([[3, 4, 1]])


@pytest.mark.parametrize("bad", [np.complex64(GOOD), np.int16([[1, 2]]), GOOD[0]])
def test_other_arrays_are_named(bad):
    stream = npz(train=objects(GOOD, bad, GOOD), test=objects(GOOD))
    one, lost, rest = cut(stream)
    assert (one.split, lost.split, rest.split) == ("train", "train", "test")
    assert (one.first, lost.first, rest.first) == (1, 2, 3)
    assert lost.damage.startswith("not numbers [T, 3]: drawing 2 of train and all aft")


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (io.BytesIO(b""), "not a .npz archive: "),
        (io.BytesIO(b"PK" + bytes(100)), "not a .npz archive: "),
        (npz(other=GOOD), "holds other, not train, valid, test"),
        (npz(train=objects(GOOD), val=objects(GOOD)), "holds train, val, not train, "),
        (npz(train=GOOD), r"train holds int16 \[1, 3\], not an array of drawings"),
        (npz_of_pickle(b"", count=-1), "no .npy header: shape"),
    ],
)
def test_other_files_are_unreadable(stream, why):
    with pytest.raises(UnreadableFileError, match=why):
        cut(stream)


class Evil:
    """Creates a folder when it is unpickled by `pickle.loads`."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_would_run_code_is_refused(tmp_path, protocol):
    data = pickle.dumps(objects(Evil(tmp_path / "made"), GOOD), protocol)
    (block,) = cut(npz_of_pickle(data, 2))
    assert "it names posix.mkdir" in block.damage
    assert block.damage.startswith("pickle of more than arrays: ")
    assert not (tmp_path / "made").exists()
    pickle.loads(data)
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps([GOOD]),
        pickle.dumps(1),
        pickle.dumps(GOOD),
        pickle.dumps(objects(1)),
        pickle.dumps(objects(None, objects(GOOD))),
        pickle.dumps(objects(GOOD), 5)[:-1],
        pickle.dumps(objects(GOOD)) + b"more",
        b"",
        b"cnumpy\nndarray\n(I1000000000000\ntR.",
        b"cnumpy\nndarray\n.",
        b"\x80\x04r\xff\xff\xff\xff.",
        b"cnumpy\nndarray\n}(S'args'\nI1\nubI1\nb.",
    ],
)
def test_another_pickle_is_one_lost_item(data):
    *_, block = cut(npz_of_pickle(data))
    kind = block.damage.partition(":")[0]
    assert kind in (
        "damaged pickle",
        "not numbers [T, 3]",
        "pickle of more than arrays",
    )


FILE_KINDS = ("", "damaged archive", "not a .npz archive", "no .npy header")
ITEM_KINDS = (
    *("", "no strokes", "lift is not 0 or 1"),
    *("coordinates too far apart", "coordinate is not finite"),
)


def assert_drawings_or_reasons(blocks):
    for block in blocks:
        for item in block.items():
            message = reason(sketchrnn.parse, item, "cat") if not block.damage else ""
            assert message.partition(":")[0] in ITEM_KINDS


@settings(deadline=None)
@given(
    st.sampled_from(["cat.npz", "dog.full.npz"]),
    st.integers(0, 1400),
    st.integers(0, 3),
    st.binary(max_size=4),
)
def test_any_damage_gives_drawings_or_value_errors(name, begin, length, junk):
    whole = (GOLDEN / name).read_bytes()
    damaged = io.BytesIO(whole[:begin] + junk + whole[begin + length :])
    message = reason(cut, damaged)
    assert message.partition(":")[0] in FILE_KINDS or "holds" in message
    if not message:
        assert_drawings_or_reasons(cut(damaged))


@settings(deadline=None)
@given(st.integers(0, 600), st.integers(0, 2), st.binary(max_size=3))
def test_any_damage_to_a_pickle_gives_drawings_or_one_lost_item(begin, length, junk):
    with zipfile.ZipFile(GOLDEN / "dog.full.npz") as archive:
        whole = archive.read("train.npy")[128:]
    damaged = npz_of_pickle(whole[:begin] + junk + whole[begin + length :], 2)
    assert_drawings_or_reasons(cut(damaged))
