"""The command `create_dataset`: its flags, its messages and its data set."""

import gzip
import json
import subprocess
import sys

import numpy as np
import pytest

from pipeline import class_names, create_dataset
from pipeline.beam_job import config
from tests.pipeline.conftest import LINES


def test_one_line_of_python_makes_a_data_set(source, tmp_path):
    create_dataset.create_dataset(
        inputs=[str(source)], output_dir=str(tmp_path / "out")
    )
    assert (tmp_path / "out" / "dataset_info.json").exists()


def test_only_some_runners_take_unknown_flags():
    for beam_args, unknown in (
        (["--runner=FlinkRunner", "--unheard_of=1"], []),
        (["--runner=DataflowRunner", "--region=here"], []),
        (["--runner=DirectRunner", "--unheard_of"], ["--unheard_of"]),
        (["--unheard_of=1", "a"], ["--unheard_of=1", "a"]),
    ):
        assert config.find_unknown_beam_args(beam_args) == unknown


def test_an_invalid_value_of_a_beam_flag_is_an_error():
    with pytest.raises(ValueError, match="invalid int value: 'many'"):
        config.find_unknown_beam_args(["--direct_num_workers=many"])


def start(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "pipeline.create_dataset", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
    )


def test_help_lists_every_flag_with_its_default():
    done = start("--help")
    assert (done.returncode, done.stderr) == (0, "")
    entries = done.stdout.partition("Flags:\n")[2].split("\n  --")
    defaults = {}
    for entry in entries:
        name, *text = entry.removeprefix("  --").split()
        default = " ".join(text).partition("(default: ")[2]
        defaults[name] = default.removesuffix(")") or None
    assert defaults == {
        "classes": None,
        "classes_file": None,
        "compression": "none",
        "input": None,
        "input_format": "auto",
        "label_names": None,
        "keep_duplicates": "false",
        "max_per_class": None,
        "max_rejected": "0.01",
        "num_shards": "10",
        "output_dir": None,
        "overwrite": "false",
        "recognized_only": "false",
        "seed": "0",
        "splits": "train:0.8,validation:0.1,test:0.1",
    }


def test_wrong_flags_are_one_line(source, tmp_path):
    out = f"--output_dir={tmp_path / 'out'}"
    cases = [
        ([out], 1, "--input is missing"),
        ([f"--input={source}"], 1, "--output_dir is missing"),
        ([f"--input={tmp_path / 'no*'}", out], 1, "there is no such file"),
        ([f"--input={source}", out, "--unheard_of=1"], 2, "unknown flag --unheard_of"),
        ([f"--input={source}", "--output-dir=x"], 2, "did you mean --output_dir?"),
    ]
    for arguments, status, message in cases:
        done = start(*arguments)
        assert (done.returncode, done.stdout) == (status, "")
        assert done.stderr.startswith("error: ")
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_command_writes_a_data_set(source, tmp_path):
    wave = [[x % 256 for x in range(5000)], [x // 20 for x in range(5000)]]
    long = {"word": "dog", "key_id": "long", "drawing": [wave]}
    source.write_text(LINES + json.dumps(long) + "\nbroken\n")
    (tmp_path / "classes.txt").write_text("dog\r\n\n cat \n")
    done = start(
        f"--input={source},{source}",
        "--num_shards",
        "1",
        f"--classes_file={tmp_path / 'classes.txt'}",
        f"--output_dir={tmp_path / 'out'}",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1
    rows = dict(line.rsplit(maxsplit=1) for line in done.stdout.splitlines()[:-1])
    assert rows["read"] == "202"
    assert rows["rejected: malformed JSON"] == "1"
    assert sum(int(n) for row, n in rows.items() if row.startswith("written")) == 201
    info = json.loads((tmp_path / "out" / "dataset_info.json").read_text())
    assert info["classes"] == ["cat", "dog"]
    longest = max(path.stat().st_size for path in (tmp_path / "out").glob("*.tfrecord"))
    assert longest > 5000 * 12


def test_label_names_are_words_or_a_file(build, tmp_path):
    np.savez(tmp_path / "in.npz", np.eye(2, 784, dtype=np.uint8), [1, 0])
    (tmp_path / "names.txt").write_text("zebra\r\nant bear\n")
    for number, flag in enumerate((["zebra", " ant bear"], [tmp_path / "names.txt"])):
        names = class_names.read_label_names(list(map(str, flag)))
        out = tmp_path / str(number)
        build([tmp_path / "in.npz"], out, num_shards=1, label_names=names)
        info = json.loads((out / "dataset_info.json").read_text())
        assert (info["kind"], info["classes"]) == ("bitmap", ["ant bear", "zebra"])
        assert info["made_by"]["label_names"] == ["zebra", "ant bear"]
    assert class_names.read_label_names(None) is None


def test_a_missing_file_of_label_names_is_one_line(tmp_path):
    done = start("--input=in", f"--output_dir={tmp_path}", "--label_names=no.txt")
    assert done.returncode == 1
    assert done.stderr.startswith("error: --label_names=no.txt: ")
    assert done.stderr.count("\n") == 1


def test_a_damaged_gzip_file_is_one_line(tmp_path):
    (tmp_path / "cat.gz").write_bytes(gzip.compress(LINES.encode())[:-20])
    done = start(f"--input={tmp_path / 'cat.gz'}", f"--output_dir={tmp_path / 'out'}")
    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [
        f"error: cannot read {tmp_path}/cat.gz: Compressed file ended before the "
        "end-of-stream marker was reached"
    ]
