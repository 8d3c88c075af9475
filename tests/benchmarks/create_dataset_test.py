"""The benchmark measures all methods on the same drawings."""

import pytest

from benchmarks import data_job
from pipeline.formats.text.ndjson_lines import parse_simplified


def test_the_input_has_the_requested_number_of_drawings_with_unique_keys(
    doodles, tmp_path
):
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
def test_all_methods_are_measured(run_benchmark, doodles, tmp_path):
    flags = ["--drawings=2000", f"--input={doodles}/*.ndjson", f"--work_dir={tmp_path}"]
    done = run_benchmark("create_dataset", *flags)
    assert done.returncode == 0, done.stderr
    rows = {
        line[:20].strip(): line[20:].split() for line in done.stdout.splitlines()[-4:]
    }
    assert list(rows) == [
        *("create_dataset", "create_dataset, gzip", "tutorial", "elementwise")
    ]
    for name, (drawings, seconds, speed, *_, peak, each, larger) in rows.items():
        assert drawings == "2,000"
        assert float(speed.replace(",", "")) == pytest.approx(
            2000 / float(seconds), rel=0.1
        )
        assert float(peak.replace(",", "")) > 50, name
        assert float(each.replace(",", "")) > 100
        assert float(larger) > 0
    assert int(rows["create_dataset"][-2]) > int(rows["create_dataset, gzip"][-2])
    assert not list(tmp_path.iterdir())
