"""A small file of drawings for tests of the job."""

import pytest

LINE = '{"word": "cat", "key_id": "%s", "drawing": [[[0, 255, %d], [0, 10, 9]]]}\n'
LINES = "".join(LINE % (number, number) for number in range(200))


@pytest.fixture
def source(tmp_path):
    """A file of `LINES`."""
    path = tmp_path / "cat.ndjson"
    path.write_text(LINES)
    return path
