"""The benchmark measures the data job and training at several sizes."""

import io
import os
import re
import sys

import pytest
from PIL import Image

from benchmarks import processes, scale
from benchmarks.data_job import Measurement
from tests.conftest import reason

MIB = 2**20


def make_run(drawings, seconds):
    return Measurement(drawings, seconds, 2 * seconds, 300 * MIB, 500 * drawings)


LINEAR = [make_run(size, 2 + 1e-5 * size) for size in (100_000, 1_000_000, 4_000_000)]
TRAINING = [
    scale.TrainingRun(1, 1000.0, 600 * MIB),
    scale.TrainingRun(2, 1700.0, 1100 * MIB),
]


def test_the_data_job_is_measured_at_each_size(run_benchmark, doodles, tmp_path):
    (tmp_path / "work").mkdir()
    done = run_benchmark(
        "scale",
        *("--drawings=900,300", f"--input={doodles}/*.ndjson"),
        *(f"--work_dir={tmp_path}/work", f"--output={tmp_path}/scale.png"),
    )
    assert done.returncode == 0, done.stderr
    _, _, *rows, last = done.stdout.splitlines()
    assert [row.split()[0] for row in rows] == ["300", "900"]
    for row in rows:
        drawings, seconds, rate, peak, *_ = (
            cell.replace(",", "") for cell in row.split()
        )
        assert float(rate) == pytest.approx(float(drawings) / float(seconds), rel=0.1)
        assert float(peak) > 50
    assert "at least three sizes" in last
    assert not list((tmp_path / "work").iterdir())
    assert Image.open(tmp_path / "scale.png").width == 2 * scale.FULL_WIDTH


def test_linear_cost_fits_a_line():
    line = scale.fit_line(LINEAR)
    assert line.startup == pytest.approx(2)
    assert line.slope == pytest.approx(1e-5)
    _, _, *rows, last = scale.format_data_runs(LINEAR).splitlines()
    *cells, deviation = rows[0].split()
    assert cells == ["100,000", "3.0", "33,333", "300", "10.00"]
    assert deviation in ("+0.0%", "-0.0%")
    assert "2.0 s + 10.00 µs per drawing" in last
    assert "maximum deviation 0.0%" in last


def test_other_cost_deviates_from_the_line():
    runs = [make_run(10**6 * n, float(n * n)) for n in (1, 2, 3, 4)]
    last = scale.format_data_runs(runs).splitlines()[-1]
    assert float(re.search(r"deviation ([\d.]+)%", last)[1]) > 10


def test_efficiency_is_relative_to_the_fewest_processes():
    _, _, one, two = scale.format_training_runs(TRAINING).splitlines()
    assert one.split() == ["1", "1,000", "1,000", "100.0%", "600"]
    assert two.split() == ["2", "1,700", "850", "85.0%", "1,100"]


@pytest.mark.parametrize("runs", [(LINEAR, TRAINING), (LINEAR[:1], []), ([], TRAINING)])
def test_the_plot_has_panels_for_all_runs(runs):
    picture = Image.open(io.BytesIO(scale.draw_plot(*runs)))
    assert picture.size == (2 * scale.FULL_WIDTH, 2 * scale.PLOT_HEIGHT)
    assert len(picture.convert("RGB").getcolors(1 << 20)) > 10


def test_a_program_uses_only_its_processors(capfd):
    code = "import os; print(os.sched_getaffinity(0))"
    usage = processes.run_measured([sys.executable, "-c", code], cores=[0])
    assert capfd.readouterr().err == "{0}\n"
    assert usage.cpu_seconds > 0
    with pytest.raises(ValueError, match="exited with 3"):
        processes.run_measured([sys.executable, "-c", "raise SystemExit(3)"])


def test_numbers_are_sorted_and_validated():
    assert scale.parse_numbers("workers", ["2", "1", "2"]) == [1, 2]
    for value in ("0", "-1", "none", "1.5", ""):
        expected = f"--workers must be integers > 0. Received: 3,{value}"
        assert reason(scale.parse_numbers, "workers", ["3", value]) == expected


def test_each_worker_has_the_same_number_of_processors():
    cores = len(os.sched_getaffinity(0))
    assert (
        scale.compute_cores_per_worker([1])
        == scale.compute_cores_per_worker([])
        == cores
    )
    assert scale.compute_cores_per_worker([1, cores]) == 1
    expected = f"--workers must be ≤ {cores}, the number of processors. "
    expected += f"Received: {cores + 1}"
    assert reason(scale.compute_cores_per_worker, [1, cores + 1]) == expected


def test_a_missing_output_folder_is_reported_before_the_measurement(
    run_benchmark, tmp_path
):
    done = run_benchmark("scale", f"--output={tmp_path}/none/scale.png")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.endswith(f"the folder {tmp_path}/none does not exist\n")
    assert done.stderr.count("\n") == 1
