"""`python -m rnn_model.sweep` as a process: killed, doubled, and misused."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.rnn_model.training.loop_test import assert_same_weights, weights_of

from rnn_model.sweep import trial
from rnn_model.training import loop
from rnn_model.workdir import Workdir

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
def test_killed_in_the_middle_and_gone_on_with_by_two_every_trial_is_done_once(
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
    while trial.is_at_work(str(sweep / "trials" / "0")):
        assert time.monotonic() < deadline  # its trial does not outlive it
        time.sleep(0.01)
    assert len(json.loads(history.read_text())) < 4

    both = [start(*flags), start(*flags)]
    told = [process.communicate(timeout=600) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    lines = told[0][0] + told[1][0]
    ended = re.findall(r"(?m)^trial (\d)  .*?  (completed|failed)", lines)
    assert sorted(ended) == [("0", "completed"), ("1", "failed"), ("2", "completed")]
    assert lines.count("trial 0 goes on") == 1
    tables = [out.partition("\ntrial  learning_rate")[2] for out, _ in told]
    assert tables[0] == tables[1] != ""

    for number in (0, 2):
        log = (sweep / "trials" / str(number) / trial.LOG).read_text()
        assert log.count("best: ") == 1
        told_of = re.findall(r"epoch (\d)/4  loss", log)
        assert len(set(told_of)) == len(told_of)  # none was trained twice
        epochs = Workdir(str(sweep / "trials" / str(number))).history()
        assert [row["epoch"] for row in epochs] == [1, 2, 3, 4]
    config = Workdir(str(sweep / "trials" / "0")).config()
    loop.train(config, str(data_dir), str(tmp_path / "never_killed"))
    assert_same_weights(
        weights_of(tmp_path / "never_killed"), weights_of(sweep / "trials" / "0")
    )

    written = json.loads((sweep / "sweep.json").read_text())
    best, second, failed = written["trials"]
    assert best["validation_top1"] >= second["validation_top1"]
    assert (failed["number"], failed["state"]) == (1, "failed")
    assert failed["reason"].startswith("diverged, the loss is ")
    assert f"--learning_rate={best['params']['learning_rate']}" in tables[0]
    assert "trial 1" not in tables[0]
    for name in ("sweep.html", "trials.png", "curves.png", "by_learning_rate.png"):
        assert (sweep / name).stat().st_size > 5000


MISUSED = """
import json, os, sys
from rnn_model.sweep import command
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


def test_misuse_is_one_line(data_dir, tmp_path):
    given = [f"--data_dir={data_dir}", f"--workdir={tmp_path}/sweep"]
    cases = {
        "--data_dir is missing": given[1:],
        "nothing to try: give --grid=name:value,value, or --search=N": given,
        "--grid=optimizer:: nothing to try; it is": [*given, "--grid=optimizer:"],
        "there is no setting 'rate'; there are model,": [*given, "--grid=rate:1"],
        "epochs=-1 cannot be: epochs must be ≥ 0. Received: -1": [
            *(*given, "--grid=epochs:1,-1")
        ],
        "model=cnn, precision=bfloat16 cannot be: precision bfloat16 is for the rnn": [
            *(*given, "--grid=model:rnn,cnn", "--grid=precision:auto,bfloat16")
        ],
        "--range needs --search=N": [
            *(*given, "--grid=seed:1", "--range=dropout:0..0.5")
        ],
        "--search=3 needs a --range or --grid": [*given, "--search=3"],
        "--dropout is one value, and a --grid or --range others": [
            *(*given, "--dropout=0.1", "--grid=dropout:0.1,0.2")
        ],
        "/none is not a data set": [
            *(f"--data_dir={tmp_path}/none", given[1], "--grid=seed:1")
        ],
        "--workdir=gs://a/b is not on this machine": [
            *(given[0], "--workdir=gs://a/b", "--grid=seed:1")
        ],
        "optuna is not installed: pip install 'quickdraw-rnn[sweep]'": [
            *("without optuna", *given, "--grid=seed:1")
        ],
    }
    done = subprocess.run(
        [sys.executable, "-c", MISUSED, json.dumps(list(cases.values()))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 2 * len(cases), done.stdout
    for words, line, status in zip(cases, lines[::2], lines[1::2]):
        assert line.startswith("error: ")
        assert words in line
        assert status in ("status 1", "status 2")
    assert not (tmp_path / "sweep").exists()
