"""A job fails with one line that says what is wrong with the input."""

import gzip
import os
import sys
from pathlib import Path

import pytest

from pipeline.beam_job import launcher
from pipeline.beam_job.config import JobConfig
from tests.pipeline.conftest import LINE, LINES


@pytest.fixture
def error_of(build):
    """Runs a job that fails: `error_of(source, folder, **settings)`."""

    def error_of(source, folder, **settings):
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            build([source], folder, **settings)
        message = str(caught.value)
        assert len(message.splitlines()) == 1
        return message

    return error_of


def test_too_many_rejects_are_described_and_kept(build, source, error_of, tmp_path):
    source.write_text(LINES + "broken\n" * 4)
    (tmp_path / "dog.ndjson").write_text('{"word": "dog", "drawing": []}\n')
    out = tmp_path / "out"
    message = error_of(tmp_path / "*.ndjson", out, max_rejected=0.024)
    assert message.startswith(
        "5 of 205 lines were rejected (4 malformed JSON, 1 no strokes), more than "
        f"--max_rejected=0.024 allows; the first is {source}, line 201: malformed"
    )
    assert f"4 in {source}, 1 in {tmp_path}/dog.ndjson; all are in reject" in message
    assert set(os.listdir(out)) == {"rejected-00000.ndjson", "rejected-00001.ndjson"}
    assert len((out / "rejected-00000.ndjson").read_text().splitlines()) == 4
    build([tmp_path / "*.ndjson"], out, max_rejected=0.025)
    assert "dataset_info.json" in os.listdir(out)


@pytest.mark.parametrize("num_classes", [20, 21])
def test_only_the_extremes_of_many_classes_are_printed(
    build, tmp_path, capsys, num_classes
):
    words = [f"class {number:02}" for number in range(1, num_classes + 1)]
    for number, word in enumerate(words, 1):
        text = "".join(LINE % (f"{word}-{n}", n) for n in range(number))
        (tmp_path / f"{word}.ndjson").write_text(text.replace("cat", word))
    build([tmp_path / "*.ndjson"], tmp_path / "out", num_shards=1)
    output = " ".join(capsys.readouterr().out.split())
    if num_classes == 20:
        every = ", ".join(f"{word} {n}" for n, word in enumerate(words, 1))
        assert f"classes: {every} 20 classes" in output
    else:
        assert "classes: largest class 21 21, class 20 20, class 19 19" in output
        assert "; smallest class 01 1, class 02 2, " in output
        assert "class 05 5; 11 more are in dataset_info.json" in output


def test_only_a_few_files_are_named(error_of, tmp_path):
    for number in range(9):
        (tmp_path / f"{number}.ndjson").write_text("broken\n")
    message = error_of(tmp_path / "*.ndjson", tmp_path / "out")
    assert message.count("1 in ") == 3
    assert "and more in 6 other files" in message


def test_a_requested_class_without_drawings_is_an_error(source, error_of, tmp_path):
    message = error_of(source, tmp_path / "out", classes=("dog", "cat", "ant"))
    assert message == "no drawing of 'ant', 'dog' in the input"
    assert not os.listdir(tmp_path / "out")


def test_similar_words_are_suggested_for_a_missing_class(source, error_of, tmp_path):
    message = error_of(source, tmp_path / "out", classes=("Cat", "cats", "x"))
    assert (
        message == "no drawing of 'Cat', 'cats', 'x' in the input; did you mean 'cat'?"
    )


@pytest.mark.parametrize(("text", "read"), [("", 0), ("\n\n", 2)])
def test_input_without_drawings_is_an_error(source, error_of, tmp_path, text, read):
    source.write_text(text)
    message = error_of(source, tmp_path / "out")
    assert message == f"the input has no drawing to write ({read} lines read)"
    assert not os.listdir(tmp_path / "out")


def test_some_files_may_be_empty(build, source, tmp_path):
    (tmp_path / "empty.ndjson").write_text("")
    (tmp_path / "empty.ndjson.gz").write_bytes(b"")
    build([tmp_path / "*.ndjson*"], tmp_path / "out")


PACKED = gzip.compress(LINES.encode())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (PACKED[: len(PACKED) // 2], "ended before the end-of-stream marker"),
        (PACKED[:-8] + bytes(8), "CRC check failed"),
        (PACKED[:100] + bytes(9) + PACKED[109:], ""),
        (PACKED + b"more", "Not a gzipped file"),
    ],
)
def test_a_damaged_gzip_file_is_named(source, error_of, tmp_path, content, reason):
    (tmp_path / "cat.ndjson.gz").write_bytes(content)
    message = error_of(tmp_path / "cat.ndjson*", tmp_path / "out", max_rejected=1)
    assert message.startswith(f"cannot read {tmp_path}/cat.ndjson.gz: ")
    assert reason in message
    assert not os.listdir(tmp_path / "out")


def test_all_members_of_a_gzip_file_are_read(build, tmp_path, capsys):
    (tmp_path / "cat.gz").write_bytes(PACKED + gzip.compress(b"") + PACKED)
    build([tmp_path / "cat.gz"], tmp_path / "out")
    assert "400" in capsys.readouterr().out


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="Linux only")
def test_an_error_of_the_disk_names_the_file(error_of, tmp_path):
    message = error_of("/proc/self/mem", tmp_path / "out")
    assert message.startswith("the job failed: OSError: /proc/self/mem: [Errno 5]")
    assert not os.listdir(tmp_path / "out")


def test_globs_with_and_without_folder(build, source, tmp_path, monkeypatch, capsys):
    (tmp_path / "folder.ndjson").mkdir()
    source.rename(tmp_path / "cat[1].ndjson")
    monkeypatch.chdir(tmp_path)
    for number, pattern in enumerate(("*.ndjson", "cat[1].ndjson", "cat?1?.ndjson")):
        build([pattern], tmp_path / str(number))
    assert "200" in capsys.readouterr().out


def test_pictures_without_pillow_are_one_line(error_of, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "PIL.Image", raising=False)
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    message = error_of(tmp_path / "cat.png", tmp_path / "out")
    assert message.startswith(f"cannot read {tmp_path / 'cat.png'}: PIL")
    assert "is not installed: pip install" in message


@pytest.mark.parametrize(
    ("settings", "warns"),
    [({}, True), ({"num_shards": 200}, False), ({"max_per_class": 10}, False)],
)
def test_large_shards_are_warned_of(capsys, settings, warns):
    sizes = {"a.ndjson": 10**10, "b.ndjson.gz": 10**10}
    launcher._warn_of_large_shards(sizes, JobConfig(**settings))
    message = "a shard will have about 4.0 GB; --num_shards=200 is better"
    assert (message in capsys.readouterr().err) == warns
