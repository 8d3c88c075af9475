"""The documentation: complete, self-contained, and its examples run."""

import html
import re
import subprocess
import urllib.parse

import pytest


@pytest.fixture(scope="module")
def page(server):
    return server.send("/docs").body.decode()


def test_the_page_shows_every_operation(server, page):
    document = server.send("/openapi.json").json
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"<h3>{method.upper()} {path}</h3>" in page
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert "$ref" not in page
    assert "<main>" in page


def test_every_example_runs(server, page):
    commands = re.findall(r'aria-label="Example request">(.*?)</pre>', page, re.S)
    assert len(commands) == page.count("<h3>")
    for command in map(html.unescape, commands):
        local = command.replace("http://localhost:8080", server.address)
        done = subprocess.run(
            [*("bash", "-c"), f"{local} --silent --write-out '%{{http_code}}'"],
            capture_output=True,
            text=True,
        )
        status = int(done.stdout[-3:])
        if "DELETE" in command:
            assert status == 403, command  # the example's secret is not one
        else:
            assert status in (200, 201), command + done.stdout


def test_example_bodies_are_accepted(server):
    document = server.send("/openapi.json").json
    for path, methods in document["paths"].items():
        operation = methods.get("post")
        if operation is None or "version" in path:
            continue
        body = operation["requestBody"]["content"]["application/json"]["example"]
        response = server.send(urllib.parse.quote(path, safe="/:"), body)
        assert str(response.status) in operation["responses"]
        assert response.status in (200, 201)


def test_axe_finds_nothing(browser, server):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = browser.new_page(bypass_csp=True)
    try:
        page.goto(f"{server.address}/docs")
        violations = axe.Axe().run(page).response["violations"]
        assert [each["id"] for each in violations] == []
    finally:
        page.close()
