"""File names are safe, unique and readable."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.convert.file_names import MAX_NAME_BYTES, make_safe_name

SAFE_CHARACTERS = set(string.ascii_letters + string.digits + " .,+()'&!@=-_%")


@given(st.text(), st.text())
def test_names_are_safe_and_unique(first, second):
    names = make_safe_name(first), make_safe_name(second)
    assert (names[0] == names[1]) == (first == second)
    for name in names:
        assert 0 < len(name.encode()) <= MAX_NAME_BYTES
        assert not name.startswith(".")
        assert all(char in SAFE_CHARACTERS or char.isalnum() for char in name)


@given(st.text(min_size=100, alphabet="é/a"))
def test_long_names_are_cut_between_characters(text):
    assert len(make_safe_name(text).encode()) <= MAX_NAME_BYTES


@pytest.mark.parametrize("word", ["The Eiffel Tower", "t-shirt", "zoë", "日本"])
def test_ordinary_names_are_not_changed(word):
    assert make_safe_name(word) == word
