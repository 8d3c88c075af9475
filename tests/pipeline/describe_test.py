"""The page about drawings: what it counts, from where, and how it fails."""

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
from pipeline.report.dataset_stats import Survey
from tfrecords import encode, schema
from tfrecords.dataset_info import (
    FILE_NAME,
    DatasetInfo,
    Shard,
    Split,
    load_dataset_info,
)


def page_of(look, where, pictures=5, seed=0):
    found = Survey(pictures, seed)
    source = look(where, found)
    return build_page(source, found, describe.look_at_pictures(found))


def text_of(page):
    """The page's text without markup, in one line."""
    body = page.partition("</style>")[2]
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", body)).split())


def rows_of(page):
    """First cell of each row of the page's tables to the others."""
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
    page = page_of(describe.describe_dataset, str(data_dir))
    text = text_of(page)
    assert f"160 drawings of 4 classes, from {data_dir}" in text
    assert "20 drawings were looked at, picked at random: at most 5 of a class." in text
    info = load_dataset_info(str(data_dir))
    rows = rows_of(page)
    for index, word in enumerate(info.classes):
        counts = [str(split.class_counts[index]) for split in info.splits.values()]
        assert rows[word][:4] == [*counts, "40"]
    assert rows["written"] == ["160"]
    assert rows["--seed"] == ["0"]
    titles = re.findall("<h2[^>]*>(.*?)</h2>", page)
    expected = ["Samples", "Mean images", "Classes", "Numbers", "Countries", "Origin"]
    assert titles == expected
    assert len(re.findall("<h3>", page)) == 6


def test_its_numbers_are_those_of_the_lines(doodles):
    drawings = [
        json.loads(line)
        for path in doodles.glob("*.ndjson")
        for line in path.read_text().splitlines()
    ]
    page = page_of(describe.describe_files, [f"{doodles}/*.ndjson"])
    text = text_of(page)
    points = [sum(len(xs) for xs, _ in each["drawing"]) for each in drawings]
    strokes = [len(each["drawing"]) for each in drawings]
    for numbers, what in ((points, "points"), (strokes, "strokes")):
        median, p99 = np.quantile(numbers, [0.5, 0.99], method="inverted_cdf")
        assert f"{what}, the median {median} at most {p99} in 99 of 100" in text
    share = np.mean([each["recognized"] for each in drawings])
    assert f"recognised by the game {share:.1%} of the 160 drawings that say" in text
    assert f"countries {len({each['countrycode'] for each in drawings})}" in text
    circles = [each["recognized"] for each in drawings if each["word"] == "circle"]
    assert rows_of(page)["circle"][:2] == ["40", f"{np.mean(circles):.1%}"]


def test_the_same_page_again_and_other_pictures_with_another_seed(data_dir):
    one, again, other = (
        page_of(describe.describe_dataset, str(data_dir), seed=seed)
        for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other
    assert rows_of(one) == rows_of(other)


def test_lines_that_are_no_drawing_are_counted(tmp_path):
    path = write_lines(tmp_path / "a.ndjson", ["cat"] * 3)
    path.write_text(path.read_text() + "broken\n\n" + '{"word":"cat","drawing":[]}\n')
    rows = rows_of(page_of(describe.describe_files, [str(path)]))
    assert rows["files"] == ["1"]
    assert rows["blank"] == ["1"]
    assert rows["rejected: malformed JSON"] == ["1"]
    assert rows["rejected: no strokes"] == ["1"]
    # Neither is known of these drawings.
    assert rows["cat"][:2] == ["3", "–"]


@pytest.mark.parametrize("count", [3, 345])
def test_few_and_many_classes_are_all_on_the_page(tmp_path, count):
    words = [f"{number} <i>&$\n" for number in range(count)]
    path = write_lines(tmp_path / "a.ndjson", words)
    page = page_of(describe.describe_files, [str(path)])
    assert "<i>" not in page
    captions = re.findall('<figcaption title="(.*?)">', page, re.DOTALL)
    assert sorted(captions) == sorted(2 * [html.escape(word) for word in words])
    assert page.count(' 272 272">') == count  # a drawing of each
    for svg in re.findall("<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(svg)


def test_bitmaps_are_described_without_what_they_do_not_have(tmp_path):
    pixels = np.full((28, 28), 200, np.uint8).tobytes()
    feature = {
        "bitmap": tf.train.Feature(bytes_list=tf.train.BytesList(value=[pixels])),
        "class_index": tf.train.Feature(int64_list=tf.train.Int64List(value=[0])),
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    record = encode.frame_record(example.SerializeToString())
    shard = Shard(schema.shard_name("train", 0, 1), 2, 2 * len(record))
    (tmp_path / shard.name).write_bytes(2 * record)
    info = DatasetInfo(("cat",), {"train": Split((shard,), (2,))})
    (tmp_path / FILE_NAME).write_text(info.to_json())
    page = page_of(describe.describe_dataset, str(tmp_path))
    assert "2 drawings of 1 class," in text_of(page)
    assert "100.0% of the pixels are 128 or more" in text_of(page)
    assert re.findall("<h3>(.*?)</h3>", page) == ["Drawings per class", "Grey values"]
    assert rows_of(page)["cat"] == ["2", "–", "–", "–", "–", "–"]
    assert page.count("<img ") == 3


def test_real_drawings_are_described(quickdraw_dir):
    pattern = f"{quickdraw_dir}/simplified/*k.ndjson.gz"
    page = page_of(describe.describe_files, [pattern])
    names = {path.name for path in quickdraw_dir.glob("simplified/*k.ndjson.gz")}
    assert {f"{word}.ndjson.gz" for word in rows_of(page)} >= names
    assert len(page) < 1 << 20
    assert "rejected" not in page


def start(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "pipeline.describe", *map(str, arguments)],
        capture_output=True,
        text=True,
    )


def test_the_command_writes_the_page(data_dir, tmp_path):
    output = tmp_path / "new" / "page.html"
    done = start(f"--data_dir={data_dir}", f"--output={output}")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"160 drawings described in {output}\n"
    assert "drawings/s" in done.stderr
    assert "Warning" not in done.stderr
    page = page_of(describe.describe_dataset, str(data_dir), pictures=200)
    assert output.read_text() == page
    assert os.listdir(output.parent) == ["page.html"]


def test_mistakes_are_one_line(data_dir, tmp_path):
    output = f"--output={tmp_path / 'page.html'}"
    torn = tmp_path / "torn.ndjson.gz"
    torn.write_bytes(gzip.compress(b"{}" * 999)[:-9])
    (tmp_path / "empty.ndjson").write_text("\n")
    mistakes = [
        ([output, f"--data_dir={data_dir}", "--input=a"], 1, "give one of them"),
        ([output, f"--input={torn}"], 1, f"cannot read {torn}: Compressed file ended"),
        ([output, f"--input={tmp_path}/empty.ndjson"], 1, "there is no drawing"),
        ([f"--output={tmp_path}", "--input=a"], 1, "is a folder; name a file"),
        ([output, "--pictures_per_class=0"], 2, "0 is not a positive integer"),
    ]
    for arguments, status, message in mistakes:
        done = start(*arguments)
        assert (done.returncode, done.stdout) == (status, "")
        # The last line; a progress bar may stand above it.
        last = done.stderr.splitlines()[-1]
        assert last.startswith("error: ")
        assert message in last
        assert "Traceback" not in done.stderr
    assert sorted(os.listdir(tmp_path)) == ["empty.ndjson", "torn.ndjson.gz"]
