"""Where an export's newest version is found."""

import pytest

from serve_export.layout import newest_version


def test_the_newest_version_is_taken(exported_rnn):
    assert newest_version(str(exported_rnn.parent)) == str(exported_rnn)
    assert newest_version(str(exported_rnn)) == str(exported_rnn)


def test_versions_count_as_numbers(tmp_path):
    for name in ("9", "10", ".11", "notes"):
        (tmp_path / name).mkdir()
    assert newest_version(str(tmp_path)) == str(tmp_path / "10")


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_a_folder_without_export_is_named(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=f"{name} holds no export"):
        newest_version(str(tmp_path / name))
