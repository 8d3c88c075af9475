"""The benchmark runs all ways on the same drawings and prints what it measured."""

import pytest

from benchmarks import data_job
from pipeline.formats.ndjson_lines import parse_simplified


def test_input_has_as_many_drawings_as_asked_for_each_with_its_key(doodles, tmp_path):
    files = sorted(map(str, doodles.glob("*.ndjson")))
    size = data_job.write_input(files, tmp_path / "in", 1000)
    lines = []
    for path in (tmp_path / "in").iterdir():
        size -= path.stat().st_size
        lines += path.read_bytes().splitlines()
    assert size == 0
    drawings = list(map(parse_simplified, lines))
    assert len({drawing.key_id for drawing in drawings}) == 1000
    assert len({drawing.packed for drawing in drawings}) <= 160


@pytest.mark.slow
def test_all_ways_write_as_many_drawings(measure, doodles, tmp_path):
    flags = ["--drawings=2000", f"--input={doodles}/*.ndjson", f"--work_dir={tmp_path}"]
    done = measure("create_dataset", *flags)
    assert done.returncode == 0, done.stderr
    rows = {
        line[:12].strip(): line[12:].split() for line in done.stdout.splitlines()[-4:]
    }
    assert list(rows) == ["ours", "ours, gzip", "ancestor", "elements"]
    for name, (drawings, seconds, speed, *_, peak, each, larger) in rows.items():
        assert drawings == "2,000"
        assert float(speed.replace(",", "")) == pytest.approx(
            2000 / float(seconds), rel=0.1
        )
        assert float(peak.replace(",", "")) > 50, name
        assert float(each.replace(",", "")) > 100
        assert float(larger) > 0
    assert rows["ours"][-2] > rows["ours, gzip"][-2]
    assert not list(tmp_path.iterdir())
