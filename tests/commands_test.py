"""Every command answers `--help` at once and runs as `python -m`."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("tensorflow", "keras", "apache_beam", "matplotlib", "optuna")
MAX_CPU_SECONDS = 0.5

HELP = f"""
import runpy, sys
run = runpy.run_path if sys.argv[1].endswith(".py") else runpy.run_module
sys.argv = [sys.argv[1], "--help"]
try:
    run(sys.argv[0], run_name="__main__")
finally:
    print("imported:", *(name for name in {HEAVY} if name in sys.modules))
"""


def find_commands():
    """Returns the modules that call `cli.run`, and the scripts."""
    packages = ("pipeline", "rnn_model", "serve_export")
    paths = [path for name in packages for path in (ROOT / name).rglob("*.py")]
    paths += [ROOT / "benchmarks" / "plan.py", ROOT / "evaluate.py", ROOT / "train.py"]
    commands = []
    for path in paths:
        relative = path.relative_to(ROOT)
        if len(relative.parts) == 1:
            commands.append(relative.name)
        elif "cli.run(" in path.read_text(encoding="utf-8") and path.stem != "cli":
            package = path.with_name("__main__.py").exists()
            commands.append(
                ".".join(
                    (relative.parent if package else relative).with_suffix("").parts
                )
            )
    return sorted(commands)


def test_commands_are_found():
    assert {"pipeline.create_dataset", "rnn_model.launch", "train.py"} <= set(
        find_commands()
    )


@pytest.mark.parametrize("command", find_commands())
def test_help_answers_at_once(command):
    before = cpu_seconds_of_children()
    done = subprocess.run(
        [sys.executable, "-c", HELP, command], cwd=ROOT, capture_output=True, text=True
    )
    cpu_seconds = cpu_seconds_of_children() - before
    assert (done.returncode, done.stderr) == (0, "")
    assert "Flags:" in done.stdout, f"python -m {command} does nothing"
    assert done.stdout.splitlines()[-1] == "imported:"
    assert cpu_seconds < MAX_CPU_SECONDS


def cpu_seconds_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
