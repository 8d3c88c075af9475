"""Free drawing by mouse, pen and finger."""

import gzip
import json

import pytest

from pipeline import sample
from pipeline.formats.text.containers import find_form
from pipeline.formats.text.ndjson_lines import parse_line, parse_raw
from serve_export import layout
from serve_export.predictor import Predictor

WORDS = sample.CLASSES[:4]


@pytest.mark.parametrize("method", ["draw", "draw_with_pen"])
def test_drawing_is_guessed(visit, doodle, method):
    visited = visit()
    box = visited.page.locator("#canvas").bounding_box()
    for word in WORDS[:2]:
        getattr(visited, method)(doodle(word))
        visited.wait_for_guess(word)
        assert visited.page.locator("#canvas").bounding_box() == box, (
            "the layout shifted"
        )
        visited.page.click("#clear")
        visited.wait_for_guess("")
    assert visited.errors == []


def test_finger_draws_on_phone_without_scrolling(visit, doodle, phone):
    visited = visit(**phone)
    visited.draw_with_finger(doodle(WORDS[0]))
    visited.wait_for_guess(WORDS[0])
    assert visited.page.evaluate("[scrollX, scrollY, visualViewport.scale]") == [
        0,
        0,
        1,
    ]
    assert visited.page.evaluate("document.documentElement.scrollWidth") == 390
    assert visited.errors == []


def test_guess_equals_prediction_of_sent_strokes(visit, doodle, export_dir):
    visited = visit()
    strokes = doodle(WORDS[1])
    visited.draw(strokes)
    visited.page.wait_for_load_state("networkidle")
    requests = [each for each in visited.requests if "predict" in each.url]
    sent = json.loads(requests[-1].post_data)["drawing"]
    assert len(sent) == len(strokes)
    expected = Predictor(export_dir).guess(sent, 1)[0]
    visited.wait_for_guess(expected.word)
    percent = visited.page.locator("#bars .bar-percent").first.inner_text()
    assert abs(float(percent.strip("%")) - 100 * expected.probability) <= 1
    points = sum(len(xs) for xs, _ in strokes)
    assert len(requests) < points, "one request per point"


def test_one_request_at_a_time_and_obsolete_responses_are_discarded(visit):
    visited, held = visit(), []
    page = visited.page
    page.route("**/v1/predict", lambda route: held.append(route))
    with page.expect_request("**/v1/predict"):
        visited.draw([[[0, 9], [0, 9]]])
    visited.draw([[[9, 0], [0, 9]]])
    page.wait_for_timeout(500)
    assert len(held) == 1
    page.click("#clear")
    with page.expect_response("**/v1/predict"):
        held[0].continue_()
    page.wait_for_timeout(500)
    assert visited.text("#bars").strip() == ""


def test_undo_removes_strokes(visit, doodle):
    visited = visit()
    strokes = doodle(WORDS[1])
    visited.draw([*strokes, [[0, 255], [0, 255]]])
    visited.page.click("#undo")
    visited.wait_for_guess(WORDS[1])
    for _ in strokes:
        visited.page.keyboard.press("Control+z")
    visited.wait_for_guess("")
    assert visited.page.locator("#save").is_disabled()


def test_undo_reverts_clear(visit, doodle):
    visited = visit()
    visited.draw(doodle(WORDS[1]))
    visited.wait_for_guess(WORDS[1])
    visited.page.click("#clear")
    visited.wait_for_guess("")
    visited.page.click("#undo")
    visited.wait_for_guess(WORDS[1])
    visited.page.click("#clear")
    visited.draw([[[0, 9], [0, 9]]])
    for _ in range(2):  # the line, then the clearing
        visited.page.click("#undo")
    visited.wait_for_guess(WORDS[1])


def test_reload_keeps_the_drawing(visit, doodle):
    visited = visit()
    visited.draw(doodle(WORDS[1]))
    visited.wait_for_guess(WORDS[1])
    visited.page.reload()
    visited.wait_for_guess(WORDS[1])
    visited.page.click("#clear")
    visited.page.reload()
    visited.wait_until_ready()
    assert visited.page.locator("#save").is_disabled()


def test_drawing_is_saved_as_ndjson_and_png(visit, doodle, tmp_path):
    visited = visit()
    strokes = doodle(WORDS[1])
    visited.draw(strokes)
    visited.wait_for_guess(WORDS[1])
    files = []
    for button in ("#save-ndjson", "#save-png"):
        visited.page.click("#save")
        with visited.page.expect_download() as download:
            visited.page.click(button)
        files.append(tmp_path / download.value.suggested_filename)
        download.value.save_as(files[-1])
    lines, picture = files
    assert lines.name == f"{WORDS[1]}.ndjson"
    with lines.open("rb") as file:
        assert find_form(file).format == "raw with times"
    fields = json.loads(lines.read_bytes())
    assert parse_raw(lines.read_bytes()).word == WORDS[1]
    assert [len(xs) for xs, _, _ in fields["drawing"]] == [len(xs) for xs, _ in strokes]
    times = [t for _, _, ts in fields["drawing"] for t in ts]
    assert times[0] == 0
    assert times == sorted(times)
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def real_drawings(folder, predictor, count):
    """Yields raw drawings of `count` words that the model recognizes."""
    for path in sorted(folder.glob("*.ndjson.gz")):
        for text in gzip.decompress(path.read_bytes()).splitlines():
            line = parse_line(text)
            guess = predictor.guess(line.drawing, 1)[0]
            points = sum(len(stroke[0]) for stroke in line.drawing)
            if guess.word == line.word and guess.probability > 0.8 and points < 100:
                yield line
                count -= 1
                break
        if not count:
            return


def test_real_drawings_are_guessed(visit, serving, quickdraw_dir):
    if not layout.list_versions(layout.BUNDLED_EXPORT_DIR):
        pytest.skip(f"no model in {layout.BUNDLED_EXPORT_DIR}")
    predictor = Predictor()
    with serving(predictor.path) as server:
        visited = visit(address=server.address)
        for line in real_drawings(quickdraw_dir / "pairs" / "raw", predictor, 2):
            visited.draw(line.drawing)
            visited.wait_for_guess(line.word)
            visited.page.click("#clear")
            visited.wait_for_guess("")
