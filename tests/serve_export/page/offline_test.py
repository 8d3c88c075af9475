"""The page without its server: installed, and reloaded with the server stopped."""

import pytest

IS_READY = """
() => navigator.serviceWorker.controller !== null
  && localStorage.getItem("blot.model_is_cached") === "true"
"""

LINE = [[[0, 100, 200], [0, 50, 0]]]


@pytest.fixture
def wait_until_offline_ready():
    """Waits until the page and the model are cached."""

    def wait(visited):
        for _ in range(200):
            if visited.page.evaluate(IS_READY):
                return
            visited.page.wait_for_timeout(100)
        raise AssertionError("the model is not cached")

    return wait


def test_reload_and_play_with_the_server_stopped(
    visit, serving, web_export, wait_until_offline_ready
):
    with serving(web_export) as server:
        visited = visit(address=server.address, service_workers="allow", locale="fr")
        page = visited.page
        wait_until_offline_ready(visited)
        page.wait_for_load_state("networkidle")
        assert visited.errors == []
        server.process.kill()
        server.process.wait()
    page.reload()
    visited.wait_until_ready()
    assert visited.text("a[href='#draw']") == "Dessiner"
    visited.draw(LINE)
    visited.expect("#bars .bar-word").not_to_be_empty()
    page.click("a[href='#game']")
    page.click("#start")
    page.click("#go")
    visited.draw(LINE)
    visited.expect("#bot-text").not_to_have_text("J’ouvre grand les yeux !")
    page.click("#skip")
    visited.wait_for_screen("result")
    page.goto(f"{server.address}/words")
    visited.expect("#words .word").to_be_visible()


def test_page_is_installable(visit, site):
    visited = visit()
    devtools = visited.context.new_cdp_session(visited.page)
    manifest = devtools.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["manifest"]["startUrl"] == f"{site}/"
    assert manifest["manifest"]["scope"] == f"{site}/"
    errors = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [error["errorId"] for error in errors] in ([], ["in-incognito"])
