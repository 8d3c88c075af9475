"""The words that a person gives, on the command line or in a file."""

from collections.abc import Sequence

from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems


def wanted_classes(
    names: Sequence[str] | None, classes_file: str | None
) -> tuple[str, ...] | None:
    """Reads `--classes` or `--classes_file`, as given; blanks are left out.

    Args:
      names: the words themselves, or None.
      classes_file: a file with one word a line, local or gs://, or None.

    Returns:
      The words in the order given, or None where neither says any.

    Raises:
      ValueError: both are given, or the file cannot be read.
    """
    if names and classes_file:
        raise ValueError("--classes and --classes_file: give one of them")
    if classes_file:
        names = _read_words("classes_file", classes_file)
    if names is None:
        return None
    return tuple(name.strip() for name in names if name.strip())


def label_names(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Reads `--label_names`: the words as given, or those in the one file it names.

    Raises:
      ValueError: the file cannot be read.
    """
    if names and len(names) == 1:
        names = _read_words("label_names", names[0])
    return None if names is None else tuple(name.strip() for name in names)


def _read_words(flag: str, path: str) -> list[str]:
    try:
        with FileSystems.open(path) as file:
            return file.read().decode().splitlines()
    except (BeamIOError, OSError, UnicodeDecodeError) as error:
        raise ValueError(f"--{flag}={path}: {error}") from None
