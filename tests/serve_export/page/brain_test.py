"""A server that goes away, and a device that guesses itself."""

import signal
from urllib.parse import urlsplit

from pipeline import sample

WORDS = sample.CLASSES[:4]

KNOWS_ONE_WORD = """
export async function createLocalGuesser(base) {
  if (base.pathname !== "/web/") throw new Error(base);
  return {guess: async (drawing, most) => [{word: "yoga", probability: 0.9}]};
}
"""


def test_a_server_that_went_away_is_told_and_found_again(
    visit, serving, export_dir, doodle
):
    strokes = doodle(WORDS[1])
    with serving(export_dir) as server:
        visited = visit(address=server.address)
        page = visited.page
        visited.draw(strokes)
        visited.expect(".bar-word").not_to_be_empty()
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        visited.draw([[[0, 5], [0, 5]]])
        page.wait_for_selector("#banner:not([hidden])")
        assert "out of reach" in visited.text("#banner")
        page.click("#clear")
        visited.draw(strokes)  # nobody looks
    with serving(export_dir, f"--port={urlsplit(server.address).port}"):
        page.click("#try-now")
        visited.wait_for_guess(WORDS[1])
        page.wait_for_selector("#banner", state="hidden")


def test_a_device_that_cannot_guess_says_so(visit, doodle):
    visited = visit()
    page = visited.page
    page.route("**/offline/local_guesser.js", lambda route: route.abort())
    page.click("#open-settings")
    page.click("#on-device")
    page.wait_for_selector("text=the server goes on guessing")
    assert not page.locator("#on-device").is_checked()
    page.keyboard.press("Escape")
    visited.draw(doodle(WORDS[1]))
    visited.wait_for_guess(WORDS[1])


def test_a_device_that_can_guess_needs_no_server(visit, serving, export_dir, doodle):
    with serving(export_dir) as server:
        visited = visit(address=server.address)
        page = visited.page
        page.route(
            "**/offline/local_guesser.js",
            lambda route: route.fulfill(
                body=KNOWS_ONE_WORD, content_type="text/javascript"
            ),
        )
        page.click("#open-settings")
        page.click("#on-device")
        page.wait_for_selector("text=stays on this device")
        page.keyboard.press("Escape")
        visited.draw(doodle(WORDS[1]))
        visited.wait_for_guess("yoga")
        assert visited.posted("/v1/predict") == 0
        page.click("#open-settings")
        page.click("#on-device")
        page.keyboard.press("Escape")
        visited.wait_for_guess(WORDS[1])
    page.click("#clear")
    visited.draw(doodle(WORDS[1]))
    visited.wait_for_guess("yoga")
    assert "on this device" in visited.text("#banner")
