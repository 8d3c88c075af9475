"""The benchmark classifies raw drawings at shares of their drawing time."""

import gzip
import json

import numpy as np
import pytest

from benchmarks import first_guess
from benchmarks.first_guess import SHARES, TimedDrawing

DRAWING = TimedDrawing(
    "clock",
    [
        [[0, 1, 2], [0, 0, 0], [500, 600, 700]],
        [[5, 6], [5, 5], [1000, 1500]],
    ],
)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.02, [[[0], [0]]]),
        (0.1, [[[0, 1], [0, 0]]]),
        (0.45, [[[0, 1, 2], [0, 0, 0]]]),
        (0.5, [[[0, 1, 2], [0, 0, 0]], [[5], [5]]]),
        (1.0, [[[0, 1, 2], [0, 0, 0]], [[5, 6], [5, 5]]]),
    ],
)
def test_points_that_are_drawn_later_are_left_out(share, expected):
    assert DRAWING.drawn_after(share) == expected


def test_shown_shares_are_among_the_measured_ones():
    for share in first_guess.SHOWN_SHARES:
        assert np.isclose(SHARES, share).any()


def test_drawings_are_summarized():
    is_correct = np.zeros([4, len(SHARES)], bool)
    is_correct[0, 49:] = True  # from 50 % on
    is_correct[1, 9:] = True  # from 10 % on
    is_correct[2, 59] = True  # at 60 % only
    *shown, ever, first = first_guess.summarize(is_correct)
    assert shown == [0.25, 0.5, 0.5, 0.5]
    assert ever == 0.75
    assert first == "55%"
    assert first_guess.summarize(is_correct[3:])[-1] == "never"


def test_an_export_is_measured(run_benchmark, exported_rnn, doodles, tmp_path):
    """The doodles are drawn at one point per 10 ms."""
    for file in doodles.glob("*.ndjson"):
        with gzip.open(tmp_path / f"{file.name}.gz", "wt") as raw:
            for key, text in enumerate(file.read_text().splitlines()):
                line = json.loads(text) | {"key_id": f"{file.name} {key}"}
                start = 0
                for stroke in line["drawing"]:
                    times = range(start, start + 10 * len(stroke[0]), 10)
                    stroke.append(list(times))
                    start += 10 * len(stroke[0])
                raw.write(json.dumps(line) + "\n")
    flags = [f"--export_dir={exported_rnn}", f"--input={tmp_path}/*.gz"]
    done = run_benchmark("first_guess", *flags)
    assert done.returncode == 0, done.stderr
    count, _, _, row = done.stdout.splitlines()
    assert 5 < int(count.split()[0]) < 40  # of 160, a tenth is in the test split
    assert row.startswith(str(exported_rnn))
    early, *_, late, ever, _ = map(float, row.replace("%", "").split()[1:])
    assert early <= late <= ever
    assert ever > 0.4


def test_drawings_without_times_are_an_error(run_benchmark, exported_rnn, doodles):
    flags = [f"--export_dir={exported_rnn}", f"--input={doodles}/*.ndjson"]
    done = run_benchmark("first_guess", *flags)
    assert done.returncode == 1
    assert "no drawings of known words with keys and times in the split" in done.stderr
