"""Class names are read, checked and compared with the official ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import class_names


def test_the_official_words():
    assert len(class_names.OFFICIAL_WORDS) == 345
    assert {"cat", "The Eiffel Tower", "t-shirt"} <= class_names.OFFICIAL_WORDS


@pytest.mark.parametrize(
    ("word", "normalized"),
    [
        (" cat ", "cat"),
        ("cat\n", "cat"),
        ("\tzoë\u2028", "zoë"),
        ("alarm_clock", "alarm clock"),
        ("The_Eiffel_Tower", "The Eiffel Tower"),
        ("my_class", "my_class"),
        ("🐱", "🐱"),
        ("  ", ""),
    ],
)
def test_normalize_word(word, normalized):
    assert class_names.normalize_word(word) == normalized


@pytest.mark.parametrize(
    "separator", ["\n", "\r", "\t", "\0", "\x1c", "\x85", "\u2028"]
)
def test_words_with_control_characters_are_rejected(separator):
    with pytest.raises(ValueError, match=r"^invalid word: control character in 'a"):
        class_names.normalize_word(f"a{separator}b")


@given(st.text())
def test_normalized_words_fit_in_a_list_of_one_word_per_line(word):
    try:
        word = class_names.normalize_word(word)
    except ValueError:
        return
    assert f"{word}\n".encode().decode().splitlines() == [word]
    assert class_names.normalize_word(word) == word


def test_classes_by_flag_or_by_file(tmp_path, capsys):
    path = tmp_path / "classes.txt"
    path.write_bytes("\ufeffcat\r\n\r\nalarm_clock\r\n".encode())
    assert class_names.read_classes(None, str(path)) == ("cat", "alarm clock")
    assert "'alarm_clock' is read as 'alarm clock'" in capsys.readouterr().err
    assert class_names.read_classes([" zoë", ""], None) == ("zoë",)
    assert class_names.read_classes(None, None) is None
    with pytest.raises(ValueError, match="not both"):
        class_names.read_classes(["cat"], str(path))


@pytest.mark.parametrize("content", [None, "cat".encode("utf-16")])
def test_an_unreadable_file_is_named_with_its_flag(tmp_path, content):
    path = tmp_path / "classes.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^--classes_file=.*classes\.txt: "):
        class_names.read_classes(None, str(path))


def test_similar_words():
    words = {"star", "stairs", "sea turtle"}
    assert class_names.find_similar_words("Star", words)[0] == "star"
    assert class_names.find_similar_words("seaturtle", words) == ["sea turtle"]
    assert class_names.find_similar_words("xylophone", words) == []
    assert class_names.find_similar_words("star", words) == ["stairs"]


def test_unofficial_words_that_resemble_official_ones_are_described():
    warnings = class_names.describe_unofficial_words(["cat", "Star", "unicorn", "🐱"])
    assert len(warnings) == 1
    assert "'Star'" in warnings[0]
    assert "did you mean 'star'?" in warnings[0]
