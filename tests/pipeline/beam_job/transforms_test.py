"""The job turns lines into records and rejects, and counts each line once."""

import collections
import functools
import gzip
import io
import itertools
import json
import random

import numpy as np
import pytest
import tensorflow as tf

from pipeline import strokes
from pipeline.beam_job import transforms
from pipeline.beam_job.local_runner import LOCAL_ARGS
from pipeline.beam_job.shard_shuffle import RunWriter
from pipeline.formats import blocks, reader
from pipeline.formats.text import containers
from pipeline.formats.text.ndjson_lines import parse_simplified
from tfrecords import read
from tfrecords.dataset_info import DatasetInfo

SPLITS = ("train", "validation", "test")
GOOD = b'{"word":"cat","key_id":"k","drawing":[[[0,255],[0,10]]]}'


def line(number, word="cat", **fields):
    drawing = [[[0, 255, number % 256], [0, number // 256 % 256, 9]]]
    record = {"word": word, "key_id": str(number), "drawing": drawing} | fields
    return json.dumps(record).encode() + b"\n"


def info_of(folder):
    return DatasetInfo.from_json((folder / "dataset_info.json").read_text(), "here")


def records_of(folder, split):
    info = info_of(folder)
    unpack = gzip.decompress if info.compression == "gzip" else bytes
    for shard in info.split(split).shards:
        data = (folder / shard.name).read_bytes()
        assert len(data) == shard.bytes
        records = list(read.read_records(io.BytesIO(unpack(data))))
        assert len(records) == shard.examples
        yield records


def drawings_of(folder):
    """Key to (split, word, strokes, recognized) of each record."""
    classes = info_of(folder).classes
    drawings = {}
    for split in info_of(folder).splits:
        for record in itertools.chain(*records_of(folder, split)):
            feature = tf.train.Example.FromString(record).features.feature
            ink = np.float32(feature["ink"].float_list.value).reshape(-1, 3)
            key = feature["key_id"].bytes_list.value[0].decode()
            assert key not in drawings
            drawings[key] = (
                split,
                classes[feature["class_index"].int64_list.value[0]],
                strokes.to_drawing(strokes.from_ink(ink)),
                feature["recognized"].int64_list.value[0],
            )
    return drawings


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_every_line_counted(counts):
    assert counts["read"] == (
        counts["blank"]
        + sum(counts["rejected"].values())
        + sum(counts["filtered"].values())
        + counts["duplicates"]
        + counts["written"]
    )


@pytest.fixture
def lines(doodles):
    files = [path.read_bytes() for path in sorted(doodles.glob("*.ndjson"))]
    return [text for file in files for text in file.splitlines(keepends=True)]


def test_records_hold_the_drawings(data_dir, lines):
    drawings = drawings_of(data_dir)
    assert len(drawings) == len(lines)
    for text in lines:
        drawing = parse_simplified(text)
        _, word, shown, recognized = drawings[drawing.key_id]
        assert word == drawing.word
        assert shown == strokes.to_drawing(drawing.points)
        assert recognized == drawing.recognized


def test_info_describes_the_shards(data_dir, lines):
    info = info_of(data_dir)
    words = [json.loads(text)["word"] for text in lines]
    assert info.classes == tuple(sorted(set(words)))
    assert tuple(info.splits) == SPLITS
    counts = collections.Counter(value[:2] for value in drawings_of(data_dir).values())
    for name, split in info.splits.items():
        per_class = tuple(counts[name, word] for word in info.classes)
        assert split.class_counts == per_class
        assert split.examples == sum(shard.examples for shard in split.shards)
    assert info.counts["written"] == len(lines)
    assert_every_line_counted(info.counts)
    assert info.made_by["seed"] == 0
    shards = {shard.name for split in info.splits.values() for shard in split.shards}
    assert set(files_of(data_dir)) == shards | {"dataset_info.json"}


def test_bytes_do_not_depend_on_runner_files_order_or_blocks(
    data_dir, build, lines, tmp_path, monkeypatch
):
    random.Random(0).shuffle(lines)
    (tmp_path / "b.ndjson").write_bytes(b"".join(lines[:100]))
    (tmp_path / "a.ndjson.gz").write_bytes(gzip.compress(b"".join(lines[100:])))
    small = functools.partial(blocks.cut_lines, block_bytes=777)
    monkeypatch.setattr(containers, "cut_lines", small)
    build([tmp_path / "*.ndjson*"], tmp_path / "small")
    monkeypatch.undo()
    build([tmp_path / "*.ndjson*"], tmp_path / "processes", beam_args=None)
    three = [*LOCAL_ARGS[:2], "--direct_num_workers=3"]
    build([tmp_path / "*.ndjson*"], tmp_path / "three", beam_args=three)
    for name in ("small", "processes", "three"):
        assert files_of(tmp_path / name) == files_of(data_dir), name


def test_files_do_not_depend_on_the_ranges_that_are_read(
    build, lines, tmp_path, monkeypatch
):
    """Nor do the numbers of the rejected lines."""
    for number in range(0, len(lines), 20):
        lines[number] = b"bad\n"
    (tmp_path / "in.ndjson").write_bytes(b"".join(lines))
    config = {"max_rejected": 0.5}
    build([tmp_path / "in.ndjson"], tmp_path / "whole", **config)
    assert len(list((tmp_path / "whole").glob("rejected-*.ndjson"))) == 1
    monkeypatch.setattr(reader, "BLOCK_BYTES", 1000)
    five = ["--runner=FnApiRunner", "--direct_num_workers=5"]
    build([tmp_path / "in.ndjson"], tmp_path / "ranges", beam_args=five, **config)
    assert files_of(tmp_path / "ranges") == files_of(tmp_path / "whole")


def test_packed_runs_give_the_same_bytes_as_locations(
    data_dir, build, doodles, tmp_path, monkeypatch
):
    # As for a runner that is not local.
    monkeypatch.setattr(
        transforms.shard_shuffle, "RunWriter", lambda _: RunWriter(None)
    )
    build([doodles / "*"], tmp_path / "out")
    assert files_of(tmp_path / "out") == files_of(data_dir)


def test_gzip_shards_contain_the_same_records(data_dir, build, doodles, tmp_path):
    build([doodles / "*"], tmp_path / "one", compression="gzip")
    build([doodles / "*"], tmp_path / "two", compression="gzip")
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    for path in (tmp_path / "one").glob("*.gz"):
        assert path.read_bytes()[4:8] == bytes(4), "the header holds the time"
    for split in SPLITS:
        records = list(records_of(tmp_path / "one", split))
        assert records == list(records_of(data_dir, split))
        names = [shard.name for shard in info_of(tmp_path / "one").split(split).shards]
        assert all(name.endswith(".tfrecord.gz") for name in names)
        paths = [str(tmp_path / "one" / name) for name in names]
        read = tf.data.TFRecordDataset(paths, compression_type="GZIP")
        assert list(read.as_numpy_iterator()) == list(itertools.chain(*records))


def test_adding_data_moves_nothing(build, tmp_path):
    texts = [line(number) for number in range(120)]
    (tmp_path / "some").write_bytes(b"".join(texts[40:80]))
    (tmp_path / "more").write_bytes(b"".join(texts))
    build([tmp_path / "some"], tmp_path / "a")
    build([tmp_path / "more"], tmp_path / "b")
    some, more = drawings_of(tmp_path / "a"), drawings_of(tmp_path / "b")
    assert len(some) == 40
    assert len(more) == 120
    assert some.items() <= more.items()


def test_a_cap_limits_every_class_and_a_larger_one_only_adds(build, doodles, tmp_path):
    kept = {}
    for cap in (5, 12, 1000):
        folder = tmp_path / str(cap)
        build([doodles / "*"], folder, max_per_class=cap)
        kept[cap] = drawings_of(folder)
        per_class = collections.Counter(value[1] for value in kept[cap].values())
        assert set(per_class.values()) == {min(cap, 40)}
        counts = info_of(folder).counts
        over = {} if cap == 1000 else {"over max_per_class": 4 * (40 - cap)}
        assert counts["filtered"] == over
        assert_every_line_counted(counts)
    assert kept[5].items() < kept[12].items() < kept[1000].items()


def test_other_keys_may_repeat_in_other_files_and_for_other_words(build, tmp_path):
    for name, word in (("a", "cat"), ("b", "dog"), ("c", "cat")):
        texts = [
            line(number, word, key_id=key, drawing=[[[0, 255], [number, ord(name)]]])
            for number, key in enumerate(["0", "1", "1000000000000000"])
        ]
        (tmp_path / f"{name}.ndjson").write_bytes(b"".join(texts))
    build([tmp_path / "?.ndjson"], tmp_path / "out")
    counts = info_of(tmp_path / "out").counts
    assert (counts["written"], counts["duplicates"]) == (9, 0)
    (tmp_path / "copy.ndjson").write_bytes((tmp_path / "a.ndjson").read_bytes())
    build([tmp_path / "*.ndjson"], tmp_path / "again")
    counts = info_of(tmp_path / "again").counts
    assert (counts["written"], counts["duplicates"]) == (9, 3)


def test_a_cap_counts_a_duplicate_once(build, tmp_path):
    texts = [line(number) for number in range(30)]
    (tmp_path / "in").write_bytes(b"".join(texts * 3))
    build([tmp_path / "in"], tmp_path / "out", max_per_class=10)
    counts = info_of(tmp_path / "out").counts
    assert counts["written"] == 10
    assert counts["duplicates"] == 20
    assert counts["filtered"] == {"over max_per_class": 60}
    assert_every_line_counted(counts)


def test_kept_duplicates_have_a_fixed_order(build, tmp_path):
    texts = [line(n % 7, recognized=(n % 3 == 0)) for n in range(40)]
    built = []
    for name, order in (("a", texts), ("b", texts[::-1])):
        (tmp_path / f"{name}.ndjson").write_bytes(b"".join(order))
        build([tmp_path / f"{name}.ndjson"], tmp_path / name, keep_duplicates=True)
        built.append(files_of(tmp_path / name))
        counts = info_of(tmp_path / name).counts
        assert (counts["written"], counts["duplicates"]) == (40, 0)
    assert built[0] == built[1]


def test_a_cap_on_kept_duplicates_is_never_exceeded(build, tmp_path):
    texts = [line(number) for number in range(10)] * 3
    (tmp_path / "in").write_bytes(b"".join(texts))
    written = []
    for cap in (2, 3, 7, 29, 30):
        folder = tmp_path / str(cap)
        if cap == 2:
            with pytest.raises(ValueError, match="no drawing to write"):
                build([tmp_path / "in"], folder, max_per_class=2, keep_duplicates=True)
            continue
        build([tmp_path / "in"], folder, max_per_class=cap, keep_duplicates=True)
        counts = info_of(folder).counts
        written.append(counts["written"])
        assert_every_line_counted(counts)
    assert written == [3, 6, 27, 30]


def test_one_drawing_of_each_google_key_is_kept_in_any_order(build, tmp_path):
    key = {"key_id": "5891796615823360"}
    texts = [
        line(1, **key),
        line(1, **key, recognized=True),
        line(1, word="ant", **key),
        line(1, **key),
        line(2),
    ]
    built = []
    for name, order in (("a", texts), ("b", texts[1:] + texts[:1])):
        (tmp_path / f"{name}.ndjson").write_bytes(b"".join(order))
        build([tmp_path / f"{name}.ndjson"], tmp_path / name)
        built.append(files_of(tmp_path / name))
        counts = info_of(tmp_path / name).counts
        assert (counts["written"], counts["duplicates"]) == (2, 3)
        assert_every_line_counted(counts)
    assert built[0] == built[1]


def test_equal_drawings_without_a_key_are_duplicates(build, tmp_path):
    keyless = [line(n, key_id=None) for n in (1, 1, 2)]
    (tmp_path / "in").write_bytes(b"".join(keyless))
    build([tmp_path / "in"], tmp_path / "out")
    counts = info_of(tmp_path / "out").counts
    assert (counts["written"], counts["duplicates"]) == (2, 1)


def test_recognized_only_drops_false_and_keeps_unknown(build, tmp_path):
    texts = [line(1, recognized=True), line(2, recognized=False), line(3)]
    (tmp_path / "in").write_bytes(b"".join(texts))
    build([tmp_path / "in"], tmp_path / "out", recognized_only=True)
    assert set(drawings_of(tmp_path / "out")) == {"1", "3"}
    counts = info_of(tmp_path / "out").counts
    assert counts["filtered"] == {"not recognized": 1}
    assert_every_line_counted(counts)


def test_other_words_are_filtered_and_counted(build, tmp_path):
    texts = [line(1, "cat"), line(2, "dog"), line(3, "ant"), line(4, "bee")]
    (tmp_path / "in").write_bytes(b"".join(texts))
    build([tmp_path / "in"], tmp_path / "out", classes=("dog", "ant"))
    info = info_of(tmp_path / "out")
    assert info.classes == ("ant", "dog")
    assert info.counts["filtered"] == {"other class": 2}
    assert info.counts["rejected"] == {}
    assert {key: v[1] for key, v in drawings_of(tmp_path / "out").items()} == {
        "2": "dog",
        "3": "ant",
    }


def test_drawings_are_shuffled_across_and_inside_shards(build, tmp_path):
    words = ("ant", "bee", "cat", "dog")
    texts = [line(n, words[n // 1000]) for n in range(4000)]
    (tmp_path / "in").write_bytes(b"".join(texts))
    build([tmp_path / "in"], tmp_path / "out", splits={"train": 1.0}, num_shards=4)
    shards = []
    for records in records_of(tmp_path / "out", "train"):
        features = [tf.train.Example.FromString(r).features.feature for r in records]
        labels = [feature["class_index"].int64_list.value[0] for feature in features]
        longest = max(len(list(run)) for _, run in itertools.groupby(labels))
        assert longest < 12  # of 1,000 by chance more once in 4,000 times
        assert_even(window_counts(labels, 50))
        keys = [int(feature["key_id"].bytes_list.value[0]) for feature in features]
        # The order of the input is gone as well.
        assert abs(np.corrcoef(keys, range(len(keys)))[0, 1]) < 0.15
        shards.append(np.bincount(labels, minlength=4))
    assert_even(np.array(shards))


def window_counts(labels, size):
    """Labels per class in each window of so many records, `<int>[windows, 4]`."""
    windows = [labels[n : n + size] for n in range(0, len(labels) - size + 1, size)]
    return np.array([np.bincount(window, minlength=4) for window in windows])


def assert_even(counts):
    """Chi-square: rows differ no more than by chance (once in 10,000 times)."""
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    chi_square = ((counts - expected) ** 2 / expected).sum()
    freedom = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    # Wilson and Hilferty: the cube root of chi-square is about normal.
    spread = 2 / (9 * freedom)
    z = ((chi_square / freedom) ** (1 / 3) - (1 - spread)) / spread**0.5
    assert -3.7 < z < 3.7


def test_assert_even_can_fail():
    with pytest.raises(AssertionError):
        assert_even(window_counts(sorted([0, 1, 2, 3] * 100), 50))
    with pytest.raises(AssertionError):
        assert_even(window_counts(np.arange(1000) % 4, 50))


def test_another_seed_gives_another_order(build, doodles, data_dir, tmp_path):
    build([doodles / "*"], tmp_path / "out", seed=1)
    assert {k: v[1:] for k, v in drawings_of(tmp_path / "out").items()} == {
        k: v[1:] for k, v in drawings_of(data_dir).items()
    }
    assert drawings_of(tmp_path / "out") != drawings_of(data_dir)


def test_empty_shards_are_written(build, tmp_path):
    (tmp_path / "in").write_bytes(line(1))
    build([tmp_path / "in"], tmp_path / "out", num_shards=3)
    info = info_of(tmp_path / "out")
    shards = [shard for split in info.splits.values() for shard in split.shards]
    assert len(shards) == 9
    assert sorted(shard.examples for shard in shards) == [0] * 8 + [1]
    for shard in shards:
        assert (tmp_path / "out" / shard.name).stat().st_size == shard.bytes


def test_rejects_are_kept_with_file_line_reason_and_text(build, tmp_path):
    texts = [
        line(1),
        b"\n",
        b"{broken\n",
        line(2),
        b'{"word":"c\xffat"}\r\n',
        line(3, drawing=[[[1, 2], [1]]]),
        b"  \r\n",
        line(4),
        line(5, drawing=[]).rstrip(b"\n"),
    ]
    (tmp_path / "a.ndjson").write_bytes(line(6))
    (tmp_path / "b.ndjson").write_bytes(b"".join(texts))
    build([tmp_path / "*.ndjson"], tmp_path / "out", max_rejected=0.5)
    (rejected,) = (tmp_path / "out").glob("rejected-*.ndjson")
    rows = [json.loads(text) for text in rejected.read_text().splitlines()]
    assert [set(row) for row in rows] == [{"file", "line", "reason", "text"}] * 4
    assert {row["file"] for row in rows} == {str(tmp_path / "b.ndjson")}
    assert [row["line"] for row in rows] == [3, 5, 6, 9]
    kinds = [row["reason"].partition(":")[0] for row in rows]
    assert kinds == [
        "malformed JSON",
        "malformed JSON",
        "unequal x and y",
        "no strokes",
    ]
    assert rows[0]["text"] == "{broken"
    assert rows[1]["text"] == '{"word":"c\ufffdat"}\r'
    assert json.loads(rows[2]["text"])["key_id"] == "3"
    info = info_of(tmp_path / "out")
    assert info.counts["read"] == 10
    assert info.counts["blank"] == 2
    assert info.counts["written"] == 4
    assert info.counts["rejected"] == dict(collections.Counter(kinds))
    assert_every_line_counted(info.counts)


def test_each_file_has_its_rejects(build, tmp_path):
    for name in ("a", "b", "c"):
        bad = b"" if name == "b" else b"bad " + name.encode()
        (tmp_path / f"{name}.ndjson").write_bytes(line(1) + bad)
    build([tmp_path / "*.ndjson"], tmp_path / "out", max_rejected=0.5)
    rows = [
        json.loads(path.read_text())
        for path in sorted((tmp_path / "out").glob("rejected-*.ndjson"))
    ]
    assert [row["text"] for row in rows] == ["bad a", "bad c"]


def test_a_line_over_the_limit_is_rejected_and_truncated(build, tmp_path):
    long = GOOD + b" " * (3 * blocks.MAX_LINE_BYTES)
    (tmp_path / "in").write_bytes(line(1) + long + b"\n" + line(2) + b"bad\n")
    build([tmp_path / "in"], tmp_path / "out", max_rejected=0.5)
    assert info_of(tmp_path / "out").counts["rejected"]["line too long"] == 1
    (rejected,) = (tmp_path / "out").glob("rejected-*.ndjson")
    rows = [json.loads(text) for text in rejected.read_text().splitlines()]
    assert [row["line"] for row in rows] == [2, 4]
    assert len(rows[0]["text"]) == blocks.MAX_REJECTED_TEXT


@pytest.mark.parametrize("before", [0, 1 << 20, 3 << 20])
def test_the_line_limit_does_not_depend_on_block_boundaries(build, tmp_path, before):
    text = GOOD + b" " * (blocks.MAX_LINE_BYTES + 1 - len(GOOD))
    (tmp_path / "in").write_bytes(b" " * before + b"\n" + text + b"\n" + line(1))
    build([tmp_path / "in"], tmp_path / "out", max_rejected=0.5)
    assert info_of(tmp_path / "out").counts["rejected"] == {"line too long": 1}
