"""The page about runs: whole, in need of nothing, and with the report's numbers."""

import html
import io
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image
from tests.pipeline.report.page_test import parse_outline

from rnn_model.evaluation import compare_runs, metrics_json
from rnn_model.evaluation.report import html_report
from rnn_model.evaluation.report import plots as evaluation_plots
from rnn_model.evaluation.report.plots import Point


def page_of(found):
    told = metrics_json.to_json(found)
    return html_report.build_page(found, told), told


@pytest.fixture(scope="module")
def two(found):
    return page_of(found)


@pytest.fixture(scope="module")
def of_bitmaps(bitmap_data_dir, trained_mlp):
    runs, data = [str(trained_mlp)], str(bitmap_data_dir)
    return page_of(compare_runs.evaluate_runs(runs, data, "test"))


def titles(page):
    return re.findall("<h2[^>]*>(.*?)</h2>", page.html)


def text_of(page):
    body = page.html.partition("</style>")[2]
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", body)).split())


def test_a_page_needs_nothing_else(two, of_bitmaps):
    for page, _ in (two, of_bitmaps):
        for address in parse_outline(page.html).urls:
            assert address.startswith(("#", "data:image/png;base64,"))
        beside = re.sub("<svg.*?</svg>", "", page.html, flags=re.DOTALL)
        assert "http" not in beside
        assert "url(http" not in page.html
        assert "<script" not in page.html
        for address in re.findall(r'xlink:href="(.*?)"', page.html, re.DOTALL):
            assert address.startswith(("#", "data:image/png;base64,"))


def test_all_parts_are_there(two):
    page, _ = two
    assert titles(page) == [
        "Metrics",
        "Pairs of runs",
        "rnn and mlp",
        "Cost",
        "How early",
        "Parts of the drawings",
        "Calibration",
        "Learning curves",
        "Confusions, rnn",
        "Classes, rnn",
        "Drawings, rnn",
        "Confusions, mlp",
        "Classes, mlp",
        "Drawings, mlp",
    ]
    assert set(page.pictures) == {
        "training-time.png",
        "model-size.png",
        "partial.png",
        "recognised.png",
        "points.png",
        "country.png",
        "reliability.png",
        "learning-top1.png",
        "learning-loss.png",
        *(f"{kind}-{run}.png" for kind in ("confusion", "classes")
          for run in ("rnn", "mlp")),
    }  # fmt: skip
    for picture in page.pictures.values():
        pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("L"))
        assert np.ptp(pixels) > 100


def test_the_numbers_are_the_reports(two):
    page, told = two
    text = text_of(page)
    for run in told["runs"]:
        low, high = run["intervals"]["top1"]
        row = f"{run['name']} {run['top1']:.1%} {100 * low:.1f} to {100 * high:.1f}"
        assert row in text
        assert f"{run['parameters']:,}" in text
    (pair,) = told["pairs"]
    assert f"{pair['mcnemar_p']:.4f}" in text
    assert f"Of {told['partial_drawings']} drawings, picked by a hash" in text


def test_drawings_are_drawn_from_their_strokes(two, of_bitmaps):
    page, _ = two
    assert page.html.count(' 272 272">') > 10
    assert "data:image/png" in page.html  # the matrices
    bitmaps, _ = of_bitmaps
    assert ' 272 272">' not in bitmaps.html
    assert bitmaps.html.count("<img ") > 5


def test_what_bitmaps_do_not_have_is_left_out_and_said(of_bitmaps):
    page, _ = of_bitmaps
    assert titles(page) == [
        "Metrics",
        "Cost",
        "Calibration",
        "Learning curves",
        "Confusions",
        "Classes",
        "Drawings",
    ]
    assert "The drawings are bitmaps: they have no points" in text_of(page)


def test_words_may_hold_any_sign():
    words = ["<b> & $x$", "a_{b}", "c", "d"]
    point = Point(0.5, 0.25, 0.75)
    plots = [
        evaluation_plots.confusion(words, np.eye(4)),
        evaluation_plots.class_accuracy(words, [point] * 4),
        evaluation_plots.groups(words, {"<run>": [point] * 4, "$b$": [point] * 4}),
        evaluation_plots.trade(dict.fromkeys(words, (9.0, point)), "minutes"),
        evaluation_plots.by_part({"<run>": ([0.5, 1.0], [point] * 2)}),
    ]
    for plot in plots:
        svg = plot.svg.replace("xlink:", "")
        ElementTree.fromstring(svg)
        colours = set(re.findall("#[0-9a-fA-F]{6}", svg))
        assert colours <= {evaluation_plots._ON_RIGHT}
        assert "<b>" not in svg


@pytest.mark.parametrize("count", [2, 40, 41, 345])
def test_few_and_many_classes_can_be_shown(count):
    words = [f"word{number}" for number in range(count)]
    shares = np.eye(count) * 0.9 + 0.1 / count
    svg = evaluation_plots.confusion(words, shares).svg
    named = sum(f">{word}<" in svg for word in words)
    assert named == (count if count <= evaluation_plots.NAMED else 0)
    points = [Point(number / count, 0.0, 1.0) for number in range(count)]
    svg = evaluation_plots.class_accuracy(words, points).svg
    assert f">word{count - 1}<" in svg
    assert ">word0<" in svg
