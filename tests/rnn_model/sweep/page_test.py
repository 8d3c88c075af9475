"""The report of a sweep: complete, in the common style, with its plots as files."""

import re

import numpy as np
import pytest
from PIL import Image

from rnn_model.sweep import page, plots, results
from tests.pipeline.report.dataset_plots_test import find_texts, parse_svg
from tests.pipeline.report.page_test import parse_outline


@pytest.fixture(scope="module")
def ranked(trial_results):
    return results.rank(trial_results)


def test_page_lists_every_trial(ranked, search_space):
    html = page.build_page(
        ranked, search_space, "data/<mine>", "sweep", "python train.py"
    )
    outline = parse_outline(re.sub(r"<(use|path)([^>]*)/>", "", html))
    text = " ".join(" ".join(outline.texts).split())
    assert "4 trials of optimizer, balance, learning_rate, on data/<mine>" in text
    assert "best validation top-1 87.5% trial 2, epoch 2" in text
    assert "optimizer=adam, balance=0.5, learning_rate=0.0025" in text
    assert "failed: diverged <&>" in text
    assert "python train.py" in text
    assert all(url.startswith("#part-") for url in outline.urls)


def test_page_without_a_completed_trial(ranked, search_space):
    html = page.build_page(ranked[2:], search_space, "data", "sweep", "")
    assert "Best trial" not in html
    html = page.build_page(ranked[3:], search_space, "data", "sweep", "")
    assert "1 trial of optimizer" in html


def test_plots_show_names_and_numbers(ranked, search_space):
    by_setting = dict(page._setting_plots(ranked, search_space))
    assert list(by_setting) == ["optimizer", "balance", "learning_rate"]
    texts = find_texts(by_setting["optimizer"].svg)
    assert {"adam", "sgd", "validation top-1"} <= set(texts)
    (pair,) = page._pair_plots(ranked, search_space)
    assert pair[0] == ("optimizer", "balance")
    texts = find_texts(pair[1].svg)
    assert texts.count("0.875") == 1
    assert texts.count("–") == 3  # no completed trial of sgd or balance 0
    texts = find_texts(by_setting["learning_rate"].svg)
    assert {"0.0001", "0.001", "0.01"} <= set(texts)
    legend = find_texts(plots.plot_learning_curves(ranked).svg)
    assert "2: optimizer=adam, balance=0.5, learning_rate=0.0025" in legend


@pytest.mark.parametrize("first", [0, 3])
def test_plots_are_reproducible_and_follow_the_theme(ranked, search_space, first):
    def draw_all():
        trials = ranked[first:]
        yield plots.plot_trials(trials)
        yield plots.plot_learning_curves(trials)
        for _, plot in page._setting_plots(trials, search_space):
            yield plot
        for _, plot in page._pair_plots(trials, search_space):
            yield plot

    for plot, again in zip(draw_all(), draw_all(), strict=True):
        assert plot.svg == again.svg
        assert parse_svg(plot.svg).get("viewBox")
        assert not re.search(r"#(?!D)[0-9a-f]{6}", plot.svg), "not a theme color"


def test_png_files_have_the_light_colors(ranked, search_space, tmp_path):
    page.write_pngs(ranked, search_space, str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {
        *("trials.png", "curves.png", "optimizer_balance.png"),
        *("by_optimizer.png", "by_balance.png", "by_learning_rate.png"),
    }
    for path in tmp_path.iterdir():
        pixels = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3)
        is_white = (pixels == 255).all(axis=1)
        assert is_white.mean() > 0.3, path.name
    blue = np.array([0x35, 0x68, 0xCF])
    pixels = np.asarray(Image.open(tmp_path / "curves.png").convert("RGB"))
    assert (pixels == blue).all(axis=2).any()
