"""The page loses the server, and guesses on the device."""

import signal
from urllib.parse import urlsplit

import pytest

from pipeline import sample

WORDS = sample.CLASSES[:4]

FAKE_GUESSER = """
export async function createLocalGuesser(base) {
  if (base.pathname !== "/web/") throw new Error(base);
  return {guess: async () => [{word: "yoga", probability: 0.9}]};
}
"""

ABOUT = {
    "words": 4,
    "attribution": "doodles",
    "keeps_drawings": False,
    "guesses_on_device": True,
}


@pytest.fixture
def kill(serving):
    """Kills a server without any notice to its clients."""

    def kill(server):
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()

    return kill


def test_lost_server_is_reported_and_found_again(
    visit, serving, export_dir, doodle, kill
):
    strokes = doodle(WORDS[1])
    with serving(export_dir) as server:
        visited = visit(address=server.address)
        page = visited.page
        visited.draw(strokes)
        visited.expect(".bar-word").not_to_be_empty()
        kill(server)
        visited.draw([[[0, 5], [0, 5]]])
        page.wait_for_selector("#banner[data-state=lost]")
        page.click("#clear")
        visited.draw(strokes)
    with serving(export_dir, f"--port={urlsplit(server.address).port}"):
        page.dispatch_event("#try-now", "click")  # it may be back already
        visited.wait_for_guess(WORDS[1])
        page.wait_for_selector("#banner", state="hidden")


def test_banner_covers_neither_word_nor_timer(
    visit, serving, export_dir, doodle, phone, kill
):
    for options in (phone, {}, {"viewport": {"width": 740, "height": 360}}):
        with serving(export_dir) as server:
            visited = visit("/#game", address=server.address, **options)
            page = visited.page
            page.click("#start")
            page.click("#go")
            kill(server)
            visited.draw(doodle(WORDS[1]))
            page.wait_for_selector("#banner[data-state=lost]")
        banner = page.locator("#banner").bounding_box()
        for selector in ("#round-word", "#timer", "#canvas", "#skip"):
            box = page.locator(selector).bounding_box()
            is_apart = (
                banner["y"] + banner["height"] <= box["y"]
                or box["y"] + box["height"] <= banner["y"]
                or banner["x"] + banner["width"] <= box["x"]
                or box["x"] + box["width"] <= banner["x"]
            )
            assert is_apart, (selector, options)


def test_device_without_model_is_not_offered(visit):
    page = visit().page
    page.click("#open-settings")
    assert page.locator("#guess-on-device-label").is_hidden()


def test_device_that_cannot_guess_falls_back_to_the_server(visit, doodle):
    visited = visit(wait=False)
    page = visited.page
    page.route("**/v1/about", lambda route: route.fulfill(json=ABOUT))
    page.route("**/offline/worker.js", lambda route: route.abort())
    page.reload()
    visited.wait_until_ready()
    page.click("#open-settings")
    page.click("#guess-on-device")
    visited.expect("#guess-on-device-status").to_contain_text("does not work here")
    assert not page.locator("#guess-on-device").is_checked()
    page.keyboard.press("Escape")
    visited.draw(doodle(WORDS[1]))
    visited.wait_for_guess(WORDS[1])


def test_device_guesses_on_request_and_when_the_server_is_lost(
    visit, serving, export_dir, doodle
):
    with serving(export_dir) as server:
        visited = visit(address=server.address, wait=False)
        page = visited.page
        page.route("**/v1/about", lambda route: route.fulfill(json=ABOUT))
        page.route(
            "**/offline/local_guesser.js",
            lambda route: route.fulfill(
                body=FAKE_GUESSER, content_type="text/javascript"
            ),
        )
        page.reload()
        visited.wait_until_ready()
        page.click("#open-settings")
        page.click("#guess-on-device")
        visited.expect("#guess-on-device-status").to_contain_text("on this device")
        page.keyboard.press("Escape")
        visited.draw(doodle(WORDS[1]))
        visited.wait_for_guess("yoga")
        assert visited.count_requests("/v1/predict") == 0
        page.click("#open-settings")
        page.click("#guess-on-device")
        page.keyboard.press("Escape")
        visited.wait_for_guess(WORDS[1])
    page.click("#clear")
    visited.draw(doodle(WORDS[1]))
    visited.wait_for_guess("yoga")
    page.wait_for_selector("#banner[data-state=on-device]")
    page.wait_for_selector("#banner", state="hidden")
