"""The benchmark of the server measures a real one."""

import re

from benchmarks import serve


def test_results_are_printed(run_benchmark, exported_rnn):
    flags = ["--seconds=0.5", f"--export_dir={exported_rnn}", "--connections=2"]
    attacks = ["--hostile", "--attacks=a long scribble,endless head"]
    done = run_benchmark("serve", *flags, *attacks)
    assert done.returncode == 0, done.stderr
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    lines = {}
    for name, text in rows:
        lines.setdefault(name, text)
    assert {"start", "steady", "load", "memory", "alone", "a", "endless"} <= set(lines)
    assert "25 requests at 50/s" in lines["steady"]
    first = {name: float(lines[name].split()[0].replace(",", ""))
             for name in ("start", "steady", "load", "memory")}  # fmt: skip
    assert 0 < first["start"] < 60
    assert first["steady"] > 0
    assert first["load"] > 1
    assert 50 < first["memory"] < 200
    assert re.search(r"200 block +[\d.]+ ms, cpu +\d+ ms", lines["a"])
    # A client that still writes can lose the response when the server closes.
    found = re.findall(r"(\d+) × (\d+)", lines["endless"])
    counts = {int(status): int(count) for count, status in found}
    assert set(counts) <= {0, 431}
    assert counts[431] > 0
    assert sum(counts.values()) == 100


def test_drawings_are_raw_and_always_the_same(monkeypatch):
    monkeypatch.delenv("QUICKDRAW_DIR", raising=False)
    drawings = serve.load_raw_drawings()
    assert drawings == serve.load_raw_drawings()
    assert any(v != int(v) for xs, *_ in drawings[0] for v in xs)
