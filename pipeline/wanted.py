"""The classes that a person asks for, by name or in a file."""

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
        try:
            with FileSystems.open(classes_file) as file:
                names = file.read().decode().splitlines()
        except (BeamIOError, UnicodeDecodeError) as error:
            raise ValueError(f"--classes_file={classes_file}: {error}") from None
    if names is None:
        return None
    return tuple(name.strip() for name in names if name.strip())
