"""File names for arbitrary text."""

import os
import re
from hashlib import blake2b
from typing import BinaryIO

MAX_NAME_BYTES = 200
"""File systems allow 255 bytes, including the suffix."""

_UNSAFE = re.compile(r"^\.|[^\w .,+()'&!@=-]")


def make_safe_name(text: str) -> str:
    """Converts a text to a file name; different texts get different names.

    Letters, digits, spaces and some other characters are kept. All others are
    percent-encoded. The end of a long name is replaced by a hash of the text.
    """
    name = _UNSAFE.sub(lambda match: _percent_encode(match[0]), text) or "%"
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    digest = blake2b(text.encode(), digest_size=16).hexdigest()
    prefix = name.encode()[: MAX_NAME_BYTES - len(digest) - 1]
    return f"{prefix.decode(errors='ignore')}%{digest}"


def _percent_encode(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def create_unique_file(folder: str, stem: str, suffix: str) -> BinaryIO:
    """Creates a file; appends `%2`, `%3`, … to the stem if the name exists."""
    number = 1
    while True:
        name = stem if number == 1 else f"{stem}%{number}"
        try:
            return open(os.path.join(folder, name + suffix), "xb")
        except FileExistsError:
            number += 1
