"""The describe command: its statistics, its sources and its errors."""

import gzip
import html
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import tensorflow as tf

from pipeline import describe
from pipeline.report.dataset_page import build_page
from pipeline.report.dataset_stats import DatasetStats
from tfrecords import encode, schema
from tfrecords.dataset_info import (
    FILE_NAME,
    DatasetInfo,
    Shard,
    Split,
    load_dataset_info,
)


def build(describe_source, source, sample_size=5, seed=0):
    """Describes a source with one of the functions of the module."""
    stats = DatasetStats(sample_size, seed)
    described = describe_source(source, stats)
    return build_page(described, stats, describe.rasterize_sample(stats))


def extract_text(page):
    """Returns the text of a page without markup, in one line."""
    body = page.partition("</style>")[2]
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", body)).split())


def extract_rows(page):
    """Returns the cells of each table row by its first cell."""
    rows = re.findall("<tr><td>(.*?)</tr>", page)
    cells = [[html.unescape(c) for c in re.split("<[^>]*>+", row) if c] for row in rows]
    return {first: rest for first, *rest in cells}


def write_lines(path, words):
    lines = (
        json.dumps({"word": word, "drawing": [[[0, 9, number % 9], [0, 0, 5]]]})
        for number, word in enumerate(words)
    )
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_a_data_set_is_described(data_dir):
    page = build(describe.describe_dataset, str(data_dir))
    text = extract_text(page)
    assert f"160 drawings of 4 classes, from {data_dir}" in text
    assert "From a random sample of 20 drawings, at most 5 per class." in text
    info = load_dataset_info(str(data_dir))
    rows = extract_rows(page)
    for index, word in enumerate(info.classes):
        counts = [str(split.class_counts[index]) for split in info.splits.values()]
        assert rows[word][:4] == [*counts, "40"]
    assert rows["written"] == ["160"]
    assert rows["--seed"] == ["0"]
    titles = re.findall("<h2[^>]*>(.*?)</h2>", page)
    expected = ["Samples", "Mean images", "Classes"]
    expected += ["Distributions", "Countries", "Origin"]
    assert titles == expected
    assert len(re.findall("<h3>", page)) == 6


def test_the_statistics_equal_those_of_the_lines(doodles):
    drawings = [
        json.loads(line)
        for path in doodles.glob("*.ndjson")
        for line in path.read_text().splitlines()
    ]
    page = build(describe.describe_files, [f"{doodles}/*.ndjson"])
    text = extract_text(page)
    points = [sum(len(xs) for xs, _ in each["drawing"]) for each in drawings]
    strokes = [len(each["drawing"]) for each in drawings]
    for numbers, name in ((points, "points"), (strokes, "strokes")):
        median, p99 = np.quantile(numbers, [0.5, 0.99], method="inverted_cdf")
        assert f"{name} per drawing (median) {median} 99th percentile: {p99}" in text
    share = np.mean([each["recognized"] for each in drawings])
    assert f"recognized by the game {share:.1%} of 160 drawings with this field" in text
    assert f"countries {len({each['countrycode'] for each in drawings})}" in text
    circles = [each["recognized"] for each in drawings if each["word"] == "circle"]
    assert extract_rows(page)["circle"][:2] == ["40", f"{np.mean(circles):.1%}"]


def test_the_page_is_reproducible_and_the_seed_selects_the_pictures(data_dir):
    one, again, other = (
        build(describe.describe_dataset, str(data_dir), seed=seed) for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other
    assert extract_rows(one) == extract_rows(other)


def test_rejected_lines_are_counted_by_reason(tmp_path):
    path = write_lines(tmp_path / "a.ndjson", ["cat"] * 3)
    path.write_text(path.read_text() + "broken\n\n" + '{"word":"cat","drawing":[]}\n')
    rows = extract_rows(build(describe.describe_files, [str(path)]))
    assert rows["files"] == ["1"]
    assert rows["first rejected"][0].startswith(f"{path}, line 4: malformed JSON")
    assert rows["rejected: malformed JSON"] == ["1"]
    assert rows["rejected: no strokes"] == ["1"]
    # These drawings have no field "recognized".
    assert rows["cat"][:2] == ["3", "–"]


@pytest.mark.parametrize("count", [3, 345])
def test_every_class_is_on_the_page(tmp_path, count):
    words = [f"{number} <i>&$" for number in range(count)]
    path = write_lines(tmp_path / "a.ndjson", words)
    page = build(describe.describe_files, [str(path)])
    assert "<i>" not in page
    captions = re.findall('<figcaption title="(.*?)">', page, re.DOTALL)
    assert sorted(captions) == sorted(2 * [html.escape(word) for word in words])
    assert page.count(' 272 272">') == count
    for svg in re.findall("<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(svg)


def test_bitmaps_have_no_stroke_statistics(tmp_path):
    pixels = np.full((28, 28), 200, np.uint8).tobytes()
    feature = {
        "bitmap": tf.train.Feature(bytes_list=tf.train.BytesList(value=[pixels])),
        "class_index": tf.train.Feature(int64_list=tf.train.Int64List(value=[0])),
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    record = encode.frame_records([example.SerializeToString()])
    shard = Shard(schema.shard_name("train", 0, 1), 2, 2 * len(record))
    (tmp_path / shard.name).write_bytes(2 * record)
    info = DatasetInfo(("cat",), {"train": Split((shard,), (2,))})
    (tmp_path / FILE_NAME).write_text(info.to_json())
    page = build(describe.describe_dataset, str(tmp_path))
    assert "2 drawings of 1 class," in extract_text(page)
    assert "100.0% of the pixels of the 28×28 bitmaps are 128 or more" in extract_text(
        page
    )
    assert re.findall("<h3>(.*?)</h3>", page) == ["Drawings per class", "Gray values"]
    assert extract_rows(page)["cat"] == ["2", "–", "–", "–", "–", "–"]
    assert page.count("<img ") == 3


def test_real_drawings_are_described(quickdraw_dir):
    pattern = f"{quickdraw_dir}/simplified/*k.ndjson.gz"
    page = build(describe.describe_files, [pattern])
    names = {path.name for path in quickdraw_dir.glob("simplified/*k.ndjson.gz")}
    assert {f"{word}.ndjson.gz" for word in extract_rows(page)} >= names
    assert len(page) < 1 << 20
    assert "rejected" not in page


def run_describe(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "pipeline.describe", *map(str, arguments)],
        capture_output=True,
        text=True,
    )


def test_the_command_writes_the_page(data_dir, tmp_path):
    output = tmp_path / "new" / "page.html"
    done = run_describe(f"--data_dir={data_dir}", f"--output={output}")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Described 160 drawings in {output}\n"
    assert "drawings/s" in done.stderr
    assert "Warning" not in done.stderr
    page = build(describe.describe_dataset, str(data_dir), sample_size=200)
    assert output.read_text() == page
    assert os.listdir(output.parent) == ["page.html"]


def test_errors_are_one_line(data_dir, tmp_path):
    output = f"--output={tmp_path / 'page.html'}"
    truncated = tmp_path / "truncated.ndjson.gz"
    truncated.write_bytes(gzip.compress(b"{}" * 999)[:-9])
    (tmp_path / "empty.ndjson").write_text("\n")
    cases = [
        (
            [output, f"--data_dir={data_dir}", "--input=a"],
            1,
            "either a data set or input files are required",
        ),
        (
            [output, f"--input={truncated}"],
            1,
            f"cannot read {truncated}: Compressed file ended",
        ),
        ([output, f"--input={tmp_path}/empty.ndjson"], 1, "no drawings in"),
        (
            [f"--output={tmp_path}", "--input=a"],
            1,
            "output must be a file",
        ),
        ([output, "--pictures_per_class=0"], 2, "0 is not a positive integer"),
    ]
    for arguments, status, message in cases:
        done = run_describe(*arguments)
        assert (done.returncode, done.stdout) == (status, "")
        # A progress bar may be above the last line.
        last = done.stderr.splitlines()[-1]
        assert last.startswith("error: ")
        assert message in last
        assert "Traceback" not in done.stderr
    assert sorted(os.listdir(tmp_path)) == ["empty.ndjson", "truncated.ndjson.gz"]
