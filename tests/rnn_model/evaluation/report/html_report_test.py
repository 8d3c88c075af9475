"""The HTML report: complete, self-contained, and with the numbers of metrics.json."""

import html
import io
import os
import re
import shutil
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

from rnn_model.evaluation import compare_runs
from rnn_model.evaluation.report import html_report, metrics_json, plots
from rnn_model.evaluation.report.plots import Estimate
from tests.pipeline.report.page_test import parse_outline


def build_page(result):
    report = metrics_json.to_json(result)
    return html_report.build_page(result, report), report


@pytest.fixture(scope="module")
def two_runs(comparison):
    return build_page(comparison)


@pytest.fixture(scope="module")
def bitmaps(bitmap_data_dir, trained_mlp):
    runs, data = [str(trained_mlp)], str(bitmap_data_dir)
    return build_page(compare_runs.compare_runs(runs, data, "test"))


def get_titles(page):
    return re.findall("<h2[^>]*>(.*?)</h2>", page.html)


def get_text(page):
    body = page.html.partition("</style>")[2]
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", body)).split())


def test_page_is_self_contained(two_runs, bitmaps):
    for page, _ in (two_runs, bitmaps):
        for address in parse_outline(page.html).urls:
            assert address.startswith(("#", "data:image/png;base64,"))
        outside_svg = re.sub("<svg.*?</svg>", "", page.html, flags=re.DOTALL)
        assert "http" not in outside_svg
        assert "url(http" not in page.html
        assert "<script" not in page.html
        for address in re.findall(r'xlink:href="(.*?)"', page.html, re.DOTALL):
            assert address.startswith(("#", "data:image/png;base64,"))


def test_page_of_two_runs_has_all_sections_and_plots(two_runs):
    page, _ = two_runs
    assert get_titles(page) == [
        "Metrics",
        "Pairs of runs",
        "rnn and mlp",
        "Cost",
        "Partial drawings",
        "Unknown words",
        "Subgroups",
        "Calibration",
        "Learning curves",
        "Confusion matrix, rnn",
        "Classes, rnn",
        "Drawings, rnn",
        "Confusion matrix, mlp",
        "Classes, mlp",
        "Drawings, mlp",
    ]
    assert set(page.plots) == {
        "training-time.png",
        "model-size.png",
        "partial.png",
        "unknown-words.png",
        "recognized.png",
        "points.png",
        "country.png",
        "reliability.png",
        "learning-top1.png",
        "learning-loss.png",
        *(f"{kind}-{run}.png" for kind in ("confusion", "classes")
          for run in ("rnn", "mlp")),
    }  # fmt: skip
    for png in page.plots.values():
        pixels = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
        assert np.ptp(pixels) > 100


def test_page_has_the_numbers_of_metrics_json(two_runs):
    page, report = two_runs
    text = get_text(page)
    for run in report["runs"]:
        low, high = run["intervals"]["top1"]
        row = f"{run['name']} {run['top1']:.1%} {100 * low:.1f} to {100 * high:.1f}"
        assert row in text
        assert f"{run['parameters']:,}" in text
        for part in run["partial"]:
            assert f"{part['mean_confidence']:.1%}" in text
    (pair,) = report["pairs"]
    for row in (pair, pair["recognized_only"]):
        assert f"{row['mcnemar_p']:.4f}" in text
        difference = 100 * row["differences"]["top1"]["difference"]
        assert f"rnn − mlp {difference:+.2f}" in text
    text_of_parts = text.partition("Partial drawings On")[2]
    for row in pair["partial"]:
        assert f"{100 * row['top1']['difference']:+.2f}" in text_of_parts
    for run in report["runs"]:
        assert f"{run['unknown_words']['auroc']:.1%}" in text
    assert f"On {report['partial_drawings']} drawings, chosen by a hash" in text


def test_ink_is_drawn_as_strokes_and_bitmaps_as_images(two_runs, bitmaps):
    page, _ = two_runs
    assert page.html.count(' 272 272">') > 10
    assert "data:image/png" in page.html  # the confusion matrices
    page, _ = bitmaps
    assert ' 272 272">' not in page.html
    assert page.html.count("<img ") > 5


def test_page_of_bitmaps_says_what_it_omits(bitmaps):
    page, _ = bitmaps
    assert get_titles(page) == [
        "Metrics",
        "Cost",
        "Calibration",
        "Learning curves",
        "Confusion matrix",
        "Classes",
        "Drawings",
    ]
    assert "Bitmaps have no points" in get_text(page)


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = os.environ.get("QUICKDRAW_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.skip("Chromium not found (install it, or set QUICKDRAW_CHROMIUM)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1240])
def test_page_is_accessible_and_fits_the_screen(
    two_runs, browser, tmp_path, color_scheme, width
):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    path = tmp_path / "index.html"
    path.write_text(two_runs[0].html)
    viewport = {"width": width, "height": 900}
    with browser.new_page(viewport=viewport, color_scheme=color_scheme) as page:
        page.goto(path.as_uri())
        violations = axe.run(page).response["violations"]
        assert [violation["id"] for violation in violations] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_names_are_escaped():
    words = ["<b> & $x$", "a_{b}", "c", "d"]
    estimate = Estimate(0.5, 0.25, 0.75)
    estimates = dict.fromkeys(words, estimate)
    runs = {"<run>": [estimate] * 4, "$b$": [estimate] * 4}
    for plot in (
        plots.plot_confusion(words, np.eye(4)),
        plots.plot_class_top1(words, [estimate] * 4),
        plots.plot_subgroups(words, runs),
        plots.plot_cost(dict.fromkeys(words, 9.0), estimates, "minutes"),
        plots.plot_roc({"<run>": ([1.0, 0.0], [1.0, 0.0]), "$b$": ([1.0], [0.0])}),
        plots.plot_parts([0.5, 1.0], {"<run>": [estimate] * 2}, {"<run>": [0.1, 0.2]}),
    ):
        svg = plot.svg.replace("xlink:", "")
        ElementTree.fromstring(svg)
        colors = set(re.findall("#[0-9a-fA-F]{6}", svg))
        assert colors <= {plots._TEXT_ON_CORRECT}
        assert "<b>" not in svg


@pytest.mark.parametrize("count", [2, 40, 41, 345])
def test_few_and_many_classes_can_be_plotted(count):
    words = [f"word{number}" for number in range(count)]
    shares = np.eye(count) * 0.9 + 0.1 / count
    svg = plots.plot_confusion(words, shares).svg
    labeled = sum(f">{word}<" in svg for word in words)
    assert labeled == (count if count <= plots.MAX_LABELED_CLASSES else 0)
    estimates = [Estimate(number / count, 0.0, 1.0) for number in range(count)]
    svg = plots.plot_class_top1(words, estimates).svg
    assert f">word{count - 1}<" in svg
    assert ">word0<" in svg
