"""docs/formats.md lists every format, and its samples are read."""

import io
import re
from pathlib import Path

import pytest

from pipeline.formats import INPUT_FORMATS, registry
from pipeline.formats.drawing import Drawing

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
SAMPLES = [
    sample.replace("`<br>`", "\n")
    for sample in re.findall(r"\| `([\[{<].*?|countrycode.*?)`(?: \(.*?\))? \| `", PAGE)
    if "…" not in sample and not sample.startswith("<uint8>")
]


def test_every_format_is_listed():
    for name in set(INPUT_FORMATS) - {"auto"}:
        assert re.search(rf"\| [^|]*`{name}`[^|]* \|", PAGE), name


@pytest.mark.parametrize("sample", SAMPLES)
def test_samples_are_read(sample):
    stream = io.BytesIO(sample.encode())
    detected = registry.detect(stream, "cat.txt")
    stream.seek(0)
    (block,) = registry.cut(stream, "cat.txt", detected)
    (drawing,) = registry.parse(block)
    assert isinstance(drawing, Drawing)
    assert drawing.word == "cat"


def test_there_are_samples():
    assert len(SAMPLES) >= 7


def test_the_python_example_runs(tmp_path, monkeypatch, capsys, doodles):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drawings").symlink_to(doodles)
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
    exec(code, {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 160
    assert all(re.fullmatch(r"[\w ]+ \(\d+, 3\)", line) for line in lines)
