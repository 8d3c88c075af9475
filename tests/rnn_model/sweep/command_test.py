"""`python -m rnn_model.sweep` as a process: killed, started twice, and misused."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnn_model.sweep import trial
from rnn_model.training import loop
from rnn_model.workdir import Workdir
from tests.rnn_model.training.loop_test import assert_equal_states, load_state

ROOT = Path(__file__).parents[3]


def start(*flags):
    return subprocess.Popen(
        [sys.executable, "-m", "rnn_model.sweep", *map(str, flags)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_killed_sweep_is_resumed_by_two_launchers_and_runs_each_trial_once(
    data_dir, tmp_path
):
    sweep = tmp_path / "sweep"
    flags = [f"--data_dir={data_dir}", f"--workdir={sweep}", "--model=mlp"]
    flags += ["--epochs=4", "--patience=4", "--batch_size=16", "--optimizer=sgd"]
    flags += ["--grid=learning_rate:1e-2,1e30,2e-2"]
    killed = start(*flags)
    history = sweep / "trials" / "0" / "history.json"
    deadline = time.monotonic() + 300
    while not history.exists():
        assert killed.poll() is None, killed.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    killed.kill()
    killed.communicate()
    while trial.is_running(str(sweep / "trials" / "0")):
        assert time.monotonic() < deadline  # a trial ends with its launcher
        time.sleep(0.01)
    assert len(json.loads(history.read_text())) < 4

    launchers = [start(*flags), start(*flags)]
    outputs = [process.communicate(timeout=600) for process in launchers]
    assert [process.returncode for process in launchers] == [0, 0], outputs
    stdout = outputs[0][0] + outputs[1][0]
    ended = re.findall(r"(?m)^trial (\d)  .*?  (completed|failed)", stdout)
    assert sorted(ended) == [("0", "completed"), ("1", "failed"), ("2", "completed")]
    assert stdout.count("trial 0 resumes") == 1
    tables = [out.partition("\ntrial  learning_rate")[2] for out, _ in outputs]
    assert tables[0] == tables[1] != ""

    for number in (0, 2):
        log = (sweep / "trials" / str(number) / trial.LOG_FILE).read_text()
        epochs = re.findall(r"epoch (\d)/4  loss", log)
        assert len(set(epochs)) == len(epochs)  # no epoch is trained twice
        rows = Workdir(str(sweep / "trials" / str(number))).read_history()
        assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    config = Workdir(str(sweep / "trials" / "0")).read_config()
    loop.train_and_evaluate(config, str(data_dir), str(tmp_path / "never_killed"))
    assert_equal_states(
        load_state(tmp_path / "never_killed"), load_state(sweep / "trials" / "0")
    )

    written = json.loads((sweep / "sweep.json").read_text())
    best, second, failed = written["trials"]
    assert best["validation_top1"] >= second["validation_top1"]
    assert (failed["number"], failed["state"]) == (1, "failed")
    assert failed["reason"].startswith("diverged, the loss is ")
    assert f"--learning_rate={best['params']['learning_rate']}" in tables[0]
    for name in ("sweep.html", "trials.png", "curves.png", "by_learning_rate.png"):
        assert (sweep / name).stat().st_size > 5000


def test_help_explains_every_flag():
    process = start("--help")
    stdout, stderr = process.communicate()
    assert (process.returncode, stderr) == (0, "")
    flags = re.findall(r"^  --(\w+)\n      \S", stdout, re.MULTILINE)
    assert {"data_dir", "grid", "range", "search", "learning_rate"} <= set(flags)


# Forks one process per command line, because importing TensorFlow takes seconds.
RUN_COMMANDS = """
import json, os, sys
from rnn_model.sweep import command
import rnn_model.training.loop
for flags in json.loads(sys.argv[1]):
    sys.stdout.flush()
    if not os.fork():
        if flags[0] == "without optuna":
            sys.modules["optuna"] = None
            del flags[0]
        os.dup2(1, 2)
        sys.argv = ["sweep", *flags]
        command.run()
        os._exit(0)
    _, status = os.wait()
    print("status", os.waitstatus_to_exitcode(status), flush=True)
"""


def test_misuse_is_an_error_of_one_line(data_dir, tmp_path):
    valid = [f"--data_dir={data_dir}", f"--workdir={tmp_path}/sweep"]
    cases = {
        "--data_dir": valid[1:],
        "Nothing to try. Pass --grid=name:value,value, or --search=N": valid,
        "--grid=optimizer:: no values": [*valid, "--grid=optimizer:"],
        "unknown setting 'rate'; settings are model,": [*valid, "--grid=rate:1"],
        "Invalid combination epochs=-1: --epochs must be": [
            *valid,
            "--grid=epochs:1,-1",
        ],
        "Invalid combination model=cnn, precision=bfloat16: ": [
            *(*valid, "--grid=model:rnn,cnn", "--grid=precision:auto,bfloat16")
        ],
        "--range needs --search=N": [
            *(*valid, "--grid=seed:1", "--range=dropout:0..0.5")
        ],
        "--search=3 needs a --range or --grid": [*valid, "--search=3"],
        "Pass either --dropout or a --grid or --range of it": [
            *(*valid, "--dropout=0.1", "--grid=dropout:0.1,0.2")
        ],
        f"{tmp_path}/none": [
            *(f"--data_dir={tmp_path}/none", valid[1], "--grid=seed:1")
        ],
        "--workdir must be a local path": [
            *(valid[0], "--workdir=gs://a/b", "--grid=seed:1")
        ],
        "optuna is not installed": [*("without optuna", *valid, "--grid=seed:1")],
    }
    process = subprocess.run(
        [sys.executable, "-c", RUN_COMMANDS, json.dumps(list(cases.values()))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = process.stdout.splitlines()
    assert len(lines) == 2 * len(cases), process.stdout
    for message, line, status in zip(cases, lines[::2], lines[1::2]):
        assert line.startswith("error: ")
        assert message in line
        assert status in ("status 1", "status 2")
    assert not (tmp_path / "sweep").exists()
