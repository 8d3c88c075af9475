"""`/v1/classes` and `/v1/examples/{word}`."""

import xml.etree.ElementTree as ElementTree

import pytest

from serve_export.predictor import Predictor


@pytest.fixture(scope="module")
def classes(server):
    return server.send("/v1/classes").json["classes"]


def test_classes_are_those_of_the_model(classes, exported_rnn):
    words = [each["word"] for each in classes]
    assert tuple(words) == Predictor(str(exported_rnn)).classes
    assert all(each["top1"] is None or 0 <= each["top1"] <= 1 for each in classes)
    assert any(each["example"] for each in classes)
    assert all(each["example"] == (each["examples"] > 0) for each in classes)


def test_examples_are_pictures_and_strokes(server, classes):
    for known in classes:
        if not known["example"]:
            continue
        word = known["word"]
        response = server.send(f"/v1/examples/{word}/drawings").json
        assert response["word"] == word
        assert len(response["drawings"]) == known["examples"]
        assert "CC BY 4.0" in response["attribution"]
        for index, drawing in enumerate(response["drawings"]):
            picture = server.send(f"/v1/examples/{word}?index={index}")
            assert picture.headers["content-type"] == "image/svg+xml"
            svg = ElementTree.fromstring(picture.body)
            assert svg.findtext("{*}title") == word
            assert "CC BY 4.0" in svg.findtext("{*}desc")
            assert len(svg.findall("{*}path")) == len(drawing)
        assert server.send(f"/v1/examples/{word}").status == 200
        for index in (known["examples"], -1, "x", "9" * 500, "%C2%B2"):
            path = f"/v1/examples/{word}?index={index}"
            assert server.send(path).status == 404


def test_an_unknown_word_has_no_examples(server):
    for path in ("/v1/examples/quark", "/v1/examples/quark/drawings"):
        response = server.send(path)
        assert response.status == 404
        assert response.json["error"]["code"] == "not_found"
