"""Progress is summed over workers and shown as a bar, or as a few lines."""

import io
import os
import pty
import subprocess
import sys
import termios

import pytest

from pipeline.beam_job import progress
from pipeline.beam_job.progress import Progress, ProgressBar, ProgressCounter
from tests.pipeline.conftest import LINE


def test_progress_is_summed_over_counters(tmp_path):
    first, second = (ProgressCounter(str(tmp_path)) for _ in range(2))
    assert progress.sum_progress(str(tmp_path)) == Progress(0, 0, 0)
    first.add(bytes=10, lines=2)
    first.add(bytes=1)
    second.add(lines=3, written=4)
    (tmp_path / "runs-0").write_bytes(b"other file")
    assert progress.sum_progress(str(tmp_path)) == Progress(11, 5, 4)


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ProgressCounter(None).add(bytes=1)
    assert not list(tmp_path.iterdir())


def test_without_a_terminal_a_line_is_printed_now_and_then(tmp_path, monkeypatch):
    counter, stream = ProgressCounter(str(tmp_path)), io.StringIO()
    bar = ProgressBar(str(tmp_path), 200, stream)
    counter.add(bytes=50, lines=10)
    bar.update()
    assert stream.getvalue() == ""
    monkeypatch.setattr(bar, "_next_line", 0)
    bar.update()
    bar.update()
    counter.add(bytes=150, lines=30, written=30)
    monkeypatch.setattr(bar, "_next_line", 0)
    bar.update()
    bar.close()
    reading, writing = stream.getvalue().splitlines()
    assert reading.startswith("reading  25%: 10 drawings, ")
    assert reading.endswith(" left")
    assert writing.startswith("writing  75%: 30 drawings, ")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals")
def test_a_terminal_shows_a_bar(tmp_path):
    source = tmp_path / "cat.ndjson"
    source.write_text("".join(LINE % (n, n % 256) for n in range(60_000)))
    reader, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 100))
    command = [sys.executable, "-m", "pipeline.create_dataset", f"--input={source}"]
    process = subprocess.Popen(
        [*command, f"--output_dir={tmp_path / 'out'}"],
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    try:
        while data := os.read(reader, 4096):
            shown += data
    except OSError:
        pass  # the other end is closed
    os.close(reader)
    assert process.wait() == 0
    text = shown.decode()
    assert "runner FnApiRunner (multi_processing, " in text
    assert "reading" in text
    assert "100%" in text
    assert "drawings, " in text
    assert "/s" in text
