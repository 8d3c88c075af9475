"""The page of a sweep: whole, in the style of all pages, and its plots as files."""

import re

import numpy as np
import pytest
from PIL import Image
from tests.pipeline.report.dataset_plots_test import find_texts, parse_svg
from tests.pipeline.report.page_test import parse_outline

from rnn_model.sweep import page, plots, results


@pytest.fixture(scope="module")
def ranked(some_results):
    return results.ranked(some_results)


def test_the_page_is_whole_and_names_every_trial(ranked, tried):
    text = page.build_page(ranked, tried, "data/<mine>", "sweep", "python train.py")
    outline = parse_outline(re.sub(r"<(use|path)([^>]*)/>", "", text))
    told = " ".join(" ".join(outline.texts).split())
    assert "4 trials of optimizer, balance, learning_rate, on data/<mine>" in told
    assert "best validation top-1 87.5% trial 2, epoch 2" in told
    assert "optimizer=adam, balance=0.5, learning_rate=0.0025; again:" in told
    assert "failed: diverged <&>" in told
    assert "python train.py" in told
    assert all(address.startswith("#part-") for address in outline.urls)


def test_without_a_completed_trial_there_is_a_page_too(ranked, tried):
    text = page.build_page(ranked[2:], tried, "data", "sweep", "")
    assert "Best run" not in text
    nothing = page.build_page(ranked[3:], tried, "data", "sweep", "")
    assert "1 trial of optimizer" in nothing


def test_plots_show_the_numbers(ranked, tried):
    names = dict(page._each(ranked, tried))
    assert list(names) == ["optimizer", "balance", "learning_rate"]
    assert {"adam", "sgd", "validation top-1"} <= set(
        find_texts(names["optimizer"].svg)
    )
    (pair,) = page._pairs(ranked, tried)
    assert pair[0] == ("optimizer", "balance")
    shown = find_texts(pair[1].svg)
    assert shown.count("0.875") == 1
    assert shown.count("–") == 3  # sgd completed nothing; nobody tried 0
    assert {"0.0001", "0.001", "0.01"} <= set(find_texts(names["learning_rate"].svg))
    legend = find_texts(plots.curves(ranked).svg)
    assert "2: optimizer=adam, balance=0.5, learning_rate=0.0025" in legend


@pytest.mark.parametrize("count", [0, 3])
def test_every_plot_follows_the_page_and_repeats(ranked, tried, count):
    def draw():
        yield from (plots.by_trial(ranked[count:]), plots.curves(ranked[count:]))
        for _, plot in page._each(ranked[count:], tried):
            yield plot
        for _, plot in page._pairs(ranked[count:], tried):
            yield plot

    for plot, again in zip(draw(), draw(), strict=True):
        assert plot.svg == again.svg
        assert parse_svg(plot.svg).get("viewBox")
        assert not re.search(r"#(?!D)[0-9a-f]{6}", plot.svg), "a colour of its own"


def test_files_have_the_light_colours(ranked, tried, tmp_path):
    page.write_pngs(ranked, tried, str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {
        *("trials.png", "curves.png", "optimizer_balance.png"),
        *("by_optimizer.png", "by_balance.png", "by_learning_rate.png"),
    }
    for path in tmp_path.iterdir():
        pixels = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3)
        assert (pixels == 255).all(axis=1).mean() > 0.3, path.name  # the paper
    blue = np.array([0x35, 0x68, 0xCF])
    pixels = np.asarray(Image.open(tmp_path / "curves.png").convert("RGB"))
    assert (pixels == blue).all(axis=2).any()
