"""Each file is recognized once and read in that format."""

import contextlib
import gzip
import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.formats import reader, registry
from pipeline.formats.blocks import UnreadableFileError
from pipeline.formats.drawing import Drawing
from pipeline.formats.text.stroke_form import RAW_WITH_TIMES
from tests.object_store import ObjectStore

GOLDEN = Path(__file__).parent / "golden"

FILES = {
    "simplified.ndjson": "simplified",
    "raw.ndjson": RAW_WITH_TIMES,
    "cat.bin": "binary",
    "cat.npz": "sketchrnn",
    "dog.full.npz": "sketchrnn",
    "cat.npy": "bitmap",
    "labeled.npz": "bitmap",
    "png/cat/white on black.png": "png",
}
SETTINGS = {"labeled.npz": {"label_names": ("ant", "bee")}}


def read(path, **settings):
    """Returns every drawing of a file, and the formats of its blocks."""
    blocks = blocks_of(path, **settings)
    drawings = [drawing for block in blocks for drawing in registry.parse(block)]
    return drawings, {block.format for block in blocks}


def blocks_of(path, **settings):
    return list(reader.read_file(reader.Share(str(path), 0), **settings))


@pytest.mark.parametrize("name", FILES)
def test_golden_files_are_recognized_plain_and_gzipped(name, tmp_path):
    settings = SETTINGS.get(name, {})
    plain, found = read(GOLDEN / name, **settings)
    assert found == {FILES[name]}
    assert len(plain) == {"sketchrnn": 4, "png": 1}.get(FILES[name], 2)
    assert {d.is_bitmap for d in plain} == {FILES[name] in ("bitmap", "png")}
    packed = tmp_path / "cat" / f"{Path(name).name}.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress((GOLDEN / name).read_bytes()))
    assert read(packed, **settings)[0] == plain


@pytest.mark.parametrize("name", FILES)
def test_golden_files_are_read_in_the_named_format(name):
    settings = SETTINGS.get(name, {})
    forced = FILES[name].partition(" ")[0]
    drawings, found = read(GOLDEN / name, input_format=forced, **settings)
    assert found == {forced}
    assert drawings == read(GOLDEN / name, **settings)[0]


@pytest.mark.parametrize("name", ["cat.npz", "cat.npy", "png/cat/white on black.png"])
def test_files_without_suffix_are_recognized_by_their_first_bytes(name, tmp_path):
    shutil.copy(GOLDEN / name, tmp_path / "cat")
    assert read(tmp_path / "cat")[1] == {FILES[name]}


def test_remote_files_are_read_through_beam(monkeypatch):
    monkeypatch.setattr(ObjectStore, "objects", {})
    for name in FILES:
        ObjectStore.objects[f"shelf://in/{name}"] = (GOLDEN / name).read_bytes()
        here = read(GOLDEN / name, **SETTINGS.get(name, {}))
        assert read(f"shelf://in/{name}", **SETTINGS.get(name, {})) == here


def test_a_line_unlike_the_rest_of_its_file_is_rejected(tmp_path):
    def line(*stroke):
        return json.dumps({"word": "cat", "drawing": [stroke]}) + "\n"

    plain, timed = line([0, 255], [3, 4]), line([1, 2], [3, 4], [0, 9])
    (tmp_path / "plain").write_text(plain * 100 + timed)
    (tmp_path / "timed").write_text(timed * 9 + plain)
    for name, reason in (("plain", "not simplified"), ("timed", "simplified")):
        *good, bad = read(tmp_path / name)[0]
        assert all(isinstance(drawing, Drawing) for drawing in good)
        assert str(bad).startswith(f"{reason}: ")
    forced, _ = read(tmp_path / "timed", input_format="raw")
    assert all(isinstance(drawing, Drawing) for drawing in forced)


def test_other_archives_are_unreadable(tmp_path):
    np.savez(tmp_path / "a.npz", x=[1], y=[2])
    with pytest.raises(
        UnreadableFileError, match="holds x, y: neither train, valid, test nor"
    ):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize("name", FILES)
def test_mutated_files_give_drawings_or_named_rejects(name, tmp_path):
    """Bytes are flipped, removed and repeated."""
    rng = random.Random(name)
    whole = (GOLDEN / name).read_bytes()
    path = tmp_path / "cat" / Path(name).name
    path.parent.mkdir()
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            position = rng.randrange(len(data))
            if rng.random() < 0.3:
                del data[position : position + rng.randint(1, 9)]
            elif rng.random() < 0.2:
                data[position:position] = data[: rng.randint(1, 99)]
            else:
                data[position] ^= 1 << rng.randrange(8)
            data = data or bytearray(b"x")
        path.write_bytes(data)
        with contextlib.suppress(ValueError):
            for block in blocks_of(path, **SETTINGS.get(name, {})):
                parsed = registry.parse(block)
                assert len(parsed) == len(block.items())
