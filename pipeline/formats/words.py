"""Class names recovered from the names of files and folders."""

import re
import urllib.parse

from pipeline.class_names import OFFICIAL_WORDS, normalize_word

_EXTENSIONS = (
    "ndjson|jsonl|json|csv|tsv|txt|xml|bin|npy|npz|parquet|svg|inkml|png|jpe?g|gif|webp"
)
_SUFFIX = re.compile(
    rf"(\.full)?\.({_EXTENSIONS})(\.gz)?(\.\d+)?$|\.gz$", re.IGNORECASE
)
_URL_QUERY = re.compile(
    rf"(\.({_EXTENSIONS})(\.gz)?)[?#].*$", re.IGNORECASE | re.DOTALL
)
_PREFIX = re.compile(
    r"(full[_-](simplified|raw|binary|numpy[_-]bitmap)|sketch[_-]?rnn)[_-]",
    re.IGNORECASE,
)
_COPY = re.compile(r"^Copy of | - Copy( ?\(\d+\))?$| ?\(\d+\)$")
_GENERIC_FOLDERS = frozenset(
    ["train", "training", "test", "testing", "valid", "validation", "val", "eval"]
    + ["dev", "data", "images", "image", "pictures", "png", "jpg", "jpeg", "gif"]
    + ["webp", "svg", "inkml"]
)


def word_from_file_name(path: str) -> str:
    """Returns the class name in a file's name, empty if there is none.

    Handles the names in Google's bucket (`aircraft carrier.bin`), those that browsers
    give to downloads (`full%2Fbinary%2Faircraft carrier.bin`, `cat (1).npy`) and paths
    written on Windows.
    """
    path = urllib.parse.unquote(_URL_QUERY.sub(r"\1", path)).replace("\\", "/")
    name = _SUFFIX.sub("", path.rpartition("/")[2])
    name = _PREFIX.sub("", _COPY.sub("", name), count=1)
    return _COPY.sub("", name).strip()


def word_from_folder(path: str) -> str:
    """Returns the class name in the name of the folder that holds a file.

    A folder such as `train` or `png` is taken for a part of the data set, and the
    folder above it names the class; empty if that is such a folder too.
    """
    folders = path.replace("\\", "/").split("/")[:-1]
    for folder in folders[:-3:-1]:
        if folder.lower() not in _GENERIC_FOLDERS:
            return folder
    return ""


def word_from_path(path: str) -> str:
    """Returns the class name of a file with one drawing, from its name or its folder.

    A name that is an official word wins; then a folder that is one; then a name
    without digits, such as `circle.svg`, but not `0001.svg`.
    """
    name = normalize_word(word_from_file_name(path))
    folder = normalize_word(word_from_folder(path))
    if name in OFFICIAL_WORDS or not folder:
        return name
    if folder in OFFICIAL_WORDS or re.search(r"\d", name):
        return folder
    return name
