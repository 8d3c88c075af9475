"""Class names: the official ones, and those that a user gives by flag or file."""

import difflib
import functools
import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence

from tfrecords import storage


def _read_official_words() -> frozenset[str]:
    path = os.path.join(os.path.dirname(__file__), "official_words.txt")
    with open(path, encoding="utf-8") as file:
        return frozenset(file.read().splitlines())


OFFICIAL_WORDS = _read_official_words()
"""The 345 words of Quick, Draw!, from `categories.txt` in
https://github.com/googlecreativelab/quickdraw-dataset."""

_FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # control, surrogate, line separators


@functools.lru_cache(maxsize=4096)
def normalize_word(word: str) -> str:
    """Strips a class name, checks it, and gives Kaggle's spelling the official one.

    Kaggle writes `alarm_clock` for Google's `alarm clock`.

    Raises:
      ValueError: the word holds a line end or another control character, which the
        list of classes, one a line, cannot hold.
    """
    word = word.strip()
    if any(unicodedata.category(character) in _FORBIDDEN for character in word):
        raise ValueError(f"invalid word: control character in {word[:80]!r}")
    if "_" in word and (official := word.replace("_", " ")) in OFFICIAL_WORDS:
        return official
    return word


def read_classes(
    names: Sequence[str] | None, classes_file: str | None
) -> tuple[str, ...] | None:
    """Reads `--classes` or `--classes_file`.

    Blank names are dropped, and Kaggle's spelling becomes the official one.

    Args:
      names: the words themselves, or None.
      classes_file: a local or remote file with one word a line, or None.

    Returns:
      The words in their order, or None if neither is given.

    Raises:
      ValueError: both are given, the file cannot be read, or a word is invalid.
    """
    if names and classes_file:
        raise ValueError("give --classes or --classes_file, not both")
    flag = "--classes"
    if classes_file:
        flag = f"--classes_file={classes_file}"
        names = _read_lines(flag, classes_file)
    if names is None:
        return None
    return tuple(_normalize(flag, [name for name in names if name.strip()]))


def read_label_names(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Reads `--label_names`: the words, or the words in the one file that it names.

    Raises:
      ValueError: the file cannot be read, or a word is invalid.
    """
    flag = "--label_names"
    if names and len(names) == 1:
        flag = f"--label_names={names[0]}"
        names = _read_lines(flag, names[0])
    return None if names is None else tuple(_normalize(flag, names))


def find_similar_words(word: str, words: Iterable[str], count: int = 3) -> list[str]:
    """Returns the words closest to one, best first, ignoring case and punctuation."""
    by_letters = {_letters(each): each for each in words}
    matches = difflib.get_close_matches(_letters(word), by_letters, count, cutoff=0.75)
    return [by_letters[match] for match in matches if by_letters[match] != word]


def describe_unofficial_words(words: Iterable[str]) -> list[str]:
    """Returns a warning for each word that is not official but looks like one."""
    warnings = []
    for word in sorted(set(words) - OFFICIAL_WORDS):
        if similar := find_similar_words(word, OFFICIAL_WORDS, count=1):
            warnings.append(
                f"the class {word!r} is not one of the 345 official words; "
                f"did you mean {similar[0]!r}?"
            )
    return warnings


def _letters(word: str) -> str:
    return "".join(character for character in word.lower() if character.isalnum())


def _normalize(flag: str, names: Iterable[str]) -> list[str]:
    words = []
    for name in names:
        try:
            word = normalize_word(name)
        except ValueError as error:
            raise ValueError(f"{flag}: {error}") from None
        if word != name.strip():
            print(f"{flag}: {name.strip()!r} is read as {word!r}", file=sys.stderr)
        words.append(word)
    return words


def _read_lines(flag: str, path: str) -> list[str]:
    try:
        return storage.read_text(path).splitlines()
    except (OSError, ValueError) as error:
        raise ValueError(f"{flag}: {error}") from None
