"""Versions of an export, and the information beside the model."""

import pytest

from serve_export import layout


def test_newest_version_is_found(exported_rnn):
    assert layout.find_newest_version(str(exported_rnn.parent)) == str(exported_rnn)
    assert layout.find_newest_version(str(exported_rnn)) == str(exported_rnn)


def test_versions_are_compared_as_numbers(tmp_path):
    for name in ("9", "10", ".11", "notes"):
        (tmp_path / name).mkdir()
    assert layout.find_newest_version(str(tmp_path)) == str(tmp_path / "10")


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_directory_without_export_is_an_error(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=f"{name} contains no export"):
        layout.find_newest_version(str(tmp_path / name))


def test_export_without_data_set_has_no_metrics(tmp_path):
    info = layout.load_export_info(str(tmp_path))
    assert info == layout.ExportInfo({}, {}, layout.DEFAULT_ATTRIBUTION)


def test_metrics_and_examples_are_read(tmp_path):
    (tmp_path / layout.METRICS_FILE).write_text(
        '{"classes": {"cat": {"drawings": 3, "top1": 0.5}}, "attribution": "me"}'
    )
    (tmp_path / layout.EXAMPLES_FILE).write_text(
        '{"word": "cat", "drawing": [[[1, 2], [3, 4]]]}\n'
        '{"word": "cat", "drawing": [[[5], [6]]]}\n'
    )
    examples = {"cat": [[[[1, 2], [3, 4]]], [[[5], [6]]]]}
    info = layout.load_export_info(str(tmp_path))
    assert info == layout.ExportInfo({"cat": 0.5}, examples, "me")
