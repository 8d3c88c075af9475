"""The benchmark measures both halves as they grow, and says whether cost is linear."""

import io
import os
import re
import sys

import pytest
from PIL import Image

from benchmarks import processes, scale
from benchmarks.data_job import Measured
from tests.conftest import reason

MIB = 2**20


def made(drawings, seconds):
    return Measured(drawings, seconds, 2 * seconds, 300 * MIB, 500 * drawings)


LINEAR = [made(size, 2 + 1e-5 * size) for size in (100_000, 1_000_000, 4_000_000)]
TRAINED = [scale.Trained(1, 1000.0, 600 * MIB), scale.Trained(2, 1700.0, 1100 * MIB)]


def test_the_data_job_is_measured_at_each_size(measure, doodles, tmp_path):
    (tmp_path / "work").mkdir()
    done = measure(
        "scale",
        *("--drawings=900,300", f"--input={doodles}/*.ndjson"),
        *(f"--work_dir={tmp_path}/work", f"--output={tmp_path}/scale.png"),
    )
    assert done.returncode == 0, done.stderr
    _, *rows, last = done.stdout.splitlines()
    assert [row.split()[0] for row in rows] == ["300", "900"]
    for row in rows:
        drawings, seconds, rate, peak, *_ = (
            cell.replace(",", "") for cell in row.split()
        )
        assert float(rate) == pytest.approx(float(drawings) / float(seconds), rel=0.1)
        assert float(peak) > 50
    assert "three sizes" in last
    assert not list((tmp_path / "work").iterdir())
    assert Image.open(tmp_path / "scale.png").width == 2 * scale.FULL_WIDTH


def test_what_is_on_a_line_is_linear():
    line = scale.fit(LINEAR)
    assert line.start == pytest.approx(2)
    assert line.slope == pytest.approx(1e-5)
    _, *rows, last = scale.data_table(LINEAR).splitlines()
    *cells, off = rows[0].split()
    assert cells == ["100,000", "3.0", "33,333", "300", "10.00"]
    assert off in ("+0.0%", "-0.0%")
    assert "2.0 s + 10.00 µs a drawing" in last
    assert "off by 0.0%" in last


def test_what_is_not_on_a_line_is_said_to_be_off():
    runs = [made(10**6 * n, float(n * n)) for n in (1, 2, 3, 4)]
    last = scale.data_table(runs).splitlines()[-1]
    assert float(re.search(r"off by ([\d.]+)%", last)[1]) > 10


def test_processes_stand_beside_one_alone():
    _, one, two = scale.training_table(TRAINED).splitlines()
    assert one.split() == ["1", "1,000", "1,000", "100.0%", "600"]
    assert two.split() == ["2", "1,700", "850", "85.0%", "1,100"]


@pytest.mark.parametrize("halves", [(LINEAR, TRAINED), (LINEAR[:1], []), ([], TRAINED)])
def test_a_plot_shows_what_there_is(halves):
    picture = Image.open(io.BytesIO(scale.plot(*halves)))
    assert picture.size == (2 * scale.FULL_WIDTH, 2 * scale.PLOT_HEIGHT)
    assert len(picture.convert("RGB").getcolors(1 << 20)) > 10


def test_a_program_has_the_processors_that_it_is_given(capfd):
    code = "import os; print(os.sched_getaffinity(0))"
    taken = processes.watch([sys.executable, "-c", code], cores=[0])
    assert capfd.readouterr().err == "{0}\n"
    assert taken.cpu_seconds > 0
    with pytest.raises(ValueError, match="exited with 3"):
        processes.watch([sys.executable, "-c", "raise SystemExit(3)"])


def test_numbers_rise_and_are_numbers():
    assert scale.numbers("workers", ["2", "1", "2"]) == [1, 2]
    for wrong in ("0", "-1", "none", "1.5", ""):
        told = f"--workers=3,{wrong}: whole numbers > 0, please"
        assert reason(scale.numbers, "workers", ["3", wrong]) == told


def test_each_process_has_a_processor():
    cores = len(os.sched_getaffinity(0))
    assert scale.share_of_cores([1]) == scale.share_of_cores([]) == cores
    assert scale.share_of_cores([1, cores]) == 1
    told = f"--workers={cores + 1}: each is to have a processor, and there are {cores}"
    assert reason(scale.share_of_cores, [1, cores + 1]) == told


def test_where_the_plot_cannot_be_is_told_at_once(measure, tmp_path):
    done = measure("scale", f"--output={tmp_path}/none/scale.png")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.endswith(f"there is no folder {tmp_path}/none\n")
    assert done.stderr.count("\n") == 1
