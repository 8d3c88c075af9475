"""The benchmark of the server measures a real one and says what it found."""

from benchmarks import serve


def test_it_prints_what_it_measured(run_benchmark, exported_rnn):
    flags = ["--seconds=0.5", f"--export_dir={exported_rnn}", "--connections=2"]
    done = run_benchmark("serve", *flags)
    assert done.returncode == 0, done.stderr
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines()[-4:])
    assert list(lines) == ["start", "steady", "load", "memory"]
    assert "25 requests, 50 a second" in lines["steady"]
    first = {name: of.split()[0] for name, of in lines.items()}
    numbers = {name: float(number.replace(",", "")) for name, number in first.items()}
    assert 0 < numbers["start"] < 60
    assert numbers["steady"] > 0
    assert numbers["load"] > 1
    assert 50 < numbers["memory"] < 200


def test_its_drawings_are_raw_and_always_the_same(monkeypatch):
    monkeypatch.delenv("QUICKDRAW_DIR", raising=False)
    drawings = serve.raw_drawings()
    assert drawings == serve.raw_drawings()
    assert any(v != int(v) for xs, *_ in drawings[0] for v in xs)
