"""The drawing that draws itself."""

import re
import xml.etree.ElementTree as ElementTree

from serve_export.api.routes.animated_svg import animated_svg

CROSS = [[[0, 255], [0, 255]], [[255, 0], [0, 255]], [[9, 9], [9, 9]]]


def test_a_path_a_stroke_one_after_the_other():
    svg = ElementTree.fromstring(animated_svg(CROSS, "a <cross>", "me & you"))
    assert svg.findtext("{*}title") == "a <cross>"
    assert svg.findtext("{*}desc") == "me & you"
    paths = svg.findall("{*}path")
    assert [path.get("d") for path in paths] == [
        "M0 0 255 255",
        "M255 0 0 255",
        "M9 9 9 9h0.1",
    ]
    ends = 0.0
    for path in paths:
        duration, delay = map(float, re.findall(r"([\d.]+)s", path.get("style")))
        assert delay >= ends
        ends = delay + duration
