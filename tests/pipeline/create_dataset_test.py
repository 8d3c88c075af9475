"""The job as a whole: what it refuses, what it leaves behind, and its command."""

import fcntl
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from absl import flags

from pipeline import class_names, create_dataset, file_lock

LINE = '{"word": "cat", "key_id": "%s", "drawing": [[[0, 255, %d], [0, 10, 9]]]}\n'
LINES = "".join(LINE % (number, number) for number in range(200))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "cat.ndjson"
    path.write_text(LINES)
    return path


def names_in(folder):
    return sorted(os.listdir(folder))


def refusal(build, source, folder, **settings):
    """The one line with which the job is refused."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        build([source], folder, **settings)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def test_whole_data_set_is_refused_and_replaced_when_told(build, source, tmp_path):
    out = tmp_path / "out"
    build([source], out, num_shards=3)
    before = names_in(out)
    message = refusal(build, source, out)
    assert message == f"{out} is in use: it holds a data set (--overwrite replaces it)"
    assert names_in(out) == before
    build([source], out, overwrite=True, num_shards=1)
    assert names_in(out) == [
        "dataset_info.json",
        "test-00000-of-00001.tfrecord",
        "train-00000-of-00001.tfrecord",
        "validation-00000-of-00001.tfrecord",
    ]


def test_the_data_set_that_is_there_stays_when_the_new_one_fails(
    build, source, tmp_path
):
    out = tmp_path / "out"
    build([source], out)
    before = {name: (out / name).read_bytes() for name in names_in(out)}
    source.write_text("broken\n")
    assert "1 of 1 lines" in refusal(build, source, out, overwrite=True)
    rejected = (out / "rejected-00000.ndjson").read_text()
    assert '"broken"' in rejected
    (out / "rejected-00000.ndjson").unlink()
    assert {name: (out / name).read_bytes() for name in names_in(out)} == before


@pytest.mark.parametrize("name", ["notes.txt", "train.tfrecord", ".hidden"])
@pytest.mark.parametrize("folder", ["out", "out[1]"])
def test_folder_with_foreign_files_is_refused(build, source, tmp_path, folder, name):
    out = tmp_path / folder
    out.mkdir()
    (out / name).write_text("mine")
    message = refusal(build, source, out, overwrite=True)
    assert message == f"{out} is in use: {name!r} there is no part of a data set"
    assert (out / name).read_text() == "mine"


def test_folder_with_a_foreign_folder_is_refused(build, source, tmp_path):
    (tmp_path / "out" / "photos").mkdir(parents=True)
    assert "'photos' there is no part" in refusal(build, source, tmp_path / "out")


def test_folder_that_another_job_has_is_refused(build, source, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with (out / file_lock.LOCK_FILE).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        message = refusal(build, source, out)
    assert message == f"{out} is in use by another process"


def test_output_that_is_a_file_is_refused(build, source):
    with pytest.raises(OSError, match="File exists"):
        build([source], source)


def test_leftovers_of_a_dead_job_are_cleared(build, source, tmp_path):
    out = tmp_path / "out"
    (out / ".unfinished" / "deep").mkdir(parents=True)
    (out / ".unfinished" / "train-0-abc").write_text("half")
    (out / "train-00007-of-00009.tfrecord").write_text("old")
    (out / "rejected-00003.ndjson").write_text("old")
    (out / ".lock").write_text("")
    build([source], out, num_shards=1)
    assert len(names_in(out)) == 4
    assert "train-00000-of-00001.tfrecord" in names_in(out)


def test_too_many_rejects_leave_them_and_no_data_set(build, source, tmp_path):
    source.write_text(LINES + "broken\n" * 4 + '{"word": "cat", "drawing": []}\n')
    out = tmp_path / "out"
    message = refusal(build, source, out, max_rejected=0.024)
    assert message == (
        "5 of 205 lines were rejected (4 malformed JSON, 1 no strokes), more than "
        "--max_rejected=0.024 allows"
    )
    assert names_in(out) == ["rejected-00000.ndjson"]
    assert len((out / "rejected-00000.ndjson").read_text().splitlines()) == 5
    build([source], out, max_rejected=0.025)
    assert "dataset_info.json" in names_in(out)


def test_wanted_class_without_drawing_is_an_error(build, source, tmp_path):
    message = refusal(build, source, tmp_path / "out", classes=("dog", "cat", "ant"))
    assert message == "no drawing of 'ant', 'dog' in the input"
    assert not names_in(tmp_path / "out")


@pytest.mark.parametrize(("text", "read"), [("", 0), ("\n\n", 2)])
def test_input_without_drawings_is_an_error(build, source, tmp_path, text, read):
    source.write_text(text)
    message = refusal(build, source, tmp_path / "out")
    assert message == f"the input has no drawing to write ({read} lines read)"
    assert not names_in(tmp_path / "out")


def test_an_empty_file_among_others_is_fine(build, source, tmp_path):
    (tmp_path / "empty.ndjson").write_text("")
    (tmp_path / "empty.ndjson.gz").write_bytes(b"")
    build([tmp_path / "*.ndjson*"], tmp_path / "out")


PACKED = gzip.compress(LINES.encode())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (PACKED[: len(PACKED) // 2], "ended before the end-of-stream marker"),
        (PACKED[:-1], "ended before the end-of-stream marker"),
        (PACKED[:-8] + bytes(8), "CRC check failed"),
        (PACKED[:100] + bytes(9) + PACKED[109:], ""),
        (PACKED + b"more", "Not a gzipped file"),
        (LINES.encode(), "Not a gzipped file"),
    ],
)
def test_damaged_gzip_is_an_error_that_names_the_file(
    build, source, tmp_path, content, why
):
    (tmp_path / "cat.ndjson.gz").write_bytes(content)
    message = refusal(build, tmp_path / "cat.ndjson*", tmp_path / "out", max_rejected=1)
    assert message.startswith(f"cannot read {tmp_path}/cat.ndjson.gz: ")
    assert why in message
    assert not [name for name in names_in(tmp_path / "out") if "rejected" not in name]


def test_gzip_of_several_members_is_read_to_the_end(build, tmp_path, capsys):
    (tmp_path / "cat.gz").write_bytes(
        PACKED + gzip.compress(LINE[:0].encode()) + PACKED
    )
    build([tmp_path / "cat.gz"], tmp_path / "out")
    assert "400" in capsys.readouterr().out


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="Linux only")
def test_an_error_of_the_job_is_one_line_that_names_the_file(build, tmp_path):
    message = refusal(build, "/proc/self/mem", tmp_path / "out")
    assert message.startswith("the job failed: OSError: /proc/self/mem: [Errno 5]")
    assert not names_in(tmp_path / "out")


def test_globs_with_and_without_folder(build, source, tmp_path, monkeypatch, capsys):
    (tmp_path / "folder.ndjson").mkdir()
    source.rename(tmp_path / "cat[1].ndjson")
    monkeypatch.chdir(tmp_path)
    for number, pattern in enumerate(("*.ndjson", "cat[1].ndjson", "cat?1?.ndjson")):
        build([pattern], tmp_path / str(number))
    assert "200" in capsys.readouterr().out


def test_unknown_flag_is_for_a_tolerant_runner_alone():
    create_dataset.take_beam_args(["--runner=FlinkRunner", "--unheard_of=1"])
    create_dataset.take_beam_args(["--runner=DataflowRunner", "--region=here"])
    for rest in (["--unheard_of=1"], ["--runner=DirectRunner", "--unheard_of"], ["a"]):
        with pytest.raises(flags.Error, match="neither we nor Beam know the flag"):
            create_dataset.take_beam_args(rest)


def test_beam_flag_with_a_wrong_value_is_a_flag_error():
    with pytest.raises(flags.Error, match="invalid int value: 'many'"):
        create_dataset.take_beam_args(["--direct_num_workers=many"])


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


def test_mistakes_on_the_command_line_are_one_line(source, tmp_path):
    out = f"--output_dir={tmp_path / 'out'}"
    mistakes = [
        ([out], 1, "--input is missing"),
        ([f"--input={source}"], 1, "--output_dir is missing"),
        ([f"--input={tmp_path / 'no*'}", out], 1, "there is no such file"),
        ([f"--input={tmp_path}", out], 1, "is a folder; name files, as"),
        ([f"--input={source}", out, "--unheard_of=1"], 2, "the flag '--unheard_of=1'"),
    ]
    for arguments, status, message in mistakes:
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


def test_labels_have_the_names_given_or_those_in_a_file(build, tmp_path):
    np.savez(tmp_path / "in.npz", np.eye(2, 784, dtype=np.uint8), [1, 0])
    (tmp_path / "names.txt").write_text("zebra\r\nant bear\n")
    for number, given in enumerate((["zebra", " ant bear"], [tmp_path / "names.txt"])):
        names = class_names.label_names(list(map(str, given)))
        out = tmp_path / str(number)
        build([tmp_path / "in.npz"], out, num_shards=1, label_names=names)
        info = json.loads((out / "dataset_info.json").read_text())
        assert (info["kind"], info["classes"]) == ("bitmap", ["ant bear", "zebra"])
        assert info["made_by"]["label_names"] == ["zebra", "ant bear"]
    assert class_names.label_names(None) is None


def test_a_file_of_label_names_that_is_not_there_is_one_line(tmp_path):
    done = start("--input=in", f"--output_dir={tmp_path}", "--label_names=no.txt")
    assert done.returncode == 1
    assert done.stderr.startswith("error: --label_names=no.txt: ")
    assert done.stderr.count("\n") == 1


def test_pictures_without_pillow_are_one_line(build, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "PIL.Image", raising=False)
    (tmp_path / "cat.png").write_bytes(b"")
    message = refusal(build, tmp_path / "cat.png", tmp_path / "out")
    assert message.startswith(f"cannot read {tmp_path / 'cat.png'}: PIL")
    assert message.endswith("is not installed: pip install 'quickdraw-rnn[png]'")


def test_damaged_gzip_is_one_line_from_the_command_too(tmp_path):
    (tmp_path / "cat.gz").write_bytes(PACKED[:-20])
    done = start(f"--input={tmp_path / 'cat.gz'}", f"--output_dir={tmp_path / 'out'}")
    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [
        f"error: cannot read {tmp_path}/cat.gz: Compressed file ended before the "
        "end-of-stream marker was reached"
    ]
