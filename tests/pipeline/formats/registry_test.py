"""Each file is told once what it is, and read as that whatever stands in it."""

import contextlib
import gzip
import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.formats import reader, registry
from pipeline.formats.blocks import Unreadable
from pipeline.formats.drawing import Drawing
from pipeline.formats.ndjson_lines import RAW_WITH_TIMES

GOLDEN = Path(__file__).parent / "golden"

FILES = {
    "simplified.ndjson": "simplified",
    "raw.ndjson": RAW_WITH_TIMES,
    "cat.bin": "binary",
    "cat.npz": "sketchrnn",
    "dog.full.npz": "sketchrnn",
    "cat.npy": "bitmap",
    "labelled.npz": "bitmap",
    "png/cat/white on black.png": "png",
}
ASKS_FOR = {"labelled.npz": {"label_names": ("ant", "bee")}}


def read(path, **settings):
    """Every drawing of a file, and the formats of its blocks."""
    blocks = blocks_of(path, **settings)
    drawings = [drawing for block in blocks for drawing in registry.parse(block)]
    return drawings, {block.format for block in blocks}


def blocks_of(path, **settings):
    return list(reader.read_file(str(path), 0, **settings))


@pytest.mark.parametrize("name", FILES)
def test_each_golden_file_is_told_by_itself_plain_and_gzipped(name, tmp_path):
    asked = ASKS_FOR.get(name, {})
    plain, found = read(GOLDEN / name, **asked)
    assert found == {FILES[name]}
    assert len(plain) == {"sketchrnn": 4, "png": 1}.get(FILES[name], 2)
    assert {d.is_bitmap for d in plain} == {FILES[name] in ("bitmap", "png")}
    packed = tmp_path / "cat" / f"{Path(name).name}.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress((GOLDEN / name).read_bytes()))
    assert read(packed, **asked)[0] == plain


@pytest.mark.parametrize("name", FILES)
def test_a_golden_file_is_read_as_what_it_is_said_to_be(name):
    asked = ASKS_FOR.get(name, {})
    forced = FILES[name].partition(" ")[0]
    drawings, found = read(GOLDEN / name, input_format=forced, **asked)
    assert found == {forced}
    assert drawings == read(GOLDEN / name, **asked)[0]


@pytest.mark.parametrize("name", ["cat.npz", "cat.npy", "png/cat/white on black.png"])
def test_the_first_bytes_tell_a_file_without_suffix(name, tmp_path):
    shutil.copy(GOLDEN / name, tmp_path / "cat")
    assert read(tmp_path / "cat")[1] == {FILES[name]}


def test_remote_files_are_read_through_beam(monkeypatch):
    """Every byte comes by `FileSystems.open`, as those of gs:// do."""
    opened = []

    def remote(path, **settings):
        opened.append((path, settings))
        return (GOLDEN / path.removeprefix("gs://bucket/")).open("rb")

    monkeypatch.setattr(reader.FileSystems, "open", remote)
    for name in FILES:
        here = read(GOLDEN / name, **ASKS_FOR.get(name, {}))
        assert read(f"gs://bucket/{name}", **ASKS_FOR.get(name, {})) == here
    assert {path for path, _ in opened} >= {f"gs://bucket/{name}" for name in FILES}


def test_a_line_unlike_its_file_is_rejected(tmp_path):
    def line(*stroke):
        return json.dumps({"word": "cat", "drawing": [stroke]}) + "\n"

    plain, timed = line([1, 2], [3, 4]), line([1, 2], [3, 4], [0, 9])
    (tmp_path / "plain").write_text(plain * 100 + timed)
    (tmp_path / "timed").write_text(timed + plain)
    for name, reason in (("plain", "not simplified"), ("timed", "simplified")):
        *good, bad = read(tmp_path / name)[0]
        assert all(isinstance(drawing, Drawing) for drawing in good)
        assert str(bad).startswith(f"{reason}, ")
    forced, _ = read(tmp_path / "timed", input_format="raw")
    assert forced[0] == forced[1]


def test_an_archive_of_another_form_is_unreadable(tmp_path):
    np.savez(tmp_path / "a.npz", x=[1], y=[2])
    with pytest.raises(Unreadable, match="holds x, y: neither train, valid, test nor"):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize("name", FILES)
def test_mutated_files_give_drawings_or_reasons(name, tmp_path):
    """Bytes flipped, cut and repeated; whatever comes of it is counted or told."""
    rng = random.Random(name)
    whole = (GOLDEN / name).read_bytes()
    path = tmp_path / "cat" / Path(name).name
    path.parent.mkdir()
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(data))
            if rng.random() < 0.3:
                del data[place : place + rng.randint(1, 9)]
            elif rng.random() < 0.2:
                data[place:place] = data[: rng.randint(1, 99)]
            else:
                data[place] ^= 1 << rng.randrange(8)
            data = data or bytearray(b"x")
        path.write_bytes(data)
        with contextlib.suppress(ValueError):
            for block in blocks_of(path, **ASKS_FOR.get(name, {})):
                parsed = registry.parse(block)
                assert len(parsed) == len(block.items())
