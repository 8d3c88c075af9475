"""Publishes an export atomically: a version is visible only when it is complete.

On a local disk a directory is written under a temporary name and renamed. Remote
storage has no directories, or renames them file by file. There the files are copied,
and the last one, model_card.md, makes the version visible (see
`layout.list_versions`). Before it comes saved_model.pb, which TensorFlow Serving looks
for.
"""

import contextlib
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from serve_export import layout
from tfrecords import storage

LAST_FILES = (layout.SAVED_MODEL_FILE, layout.MODEL_CARD_FILE)
"""The files that are copied after all others, in this order."""


@contextlib.contextmanager
def new_version(output_dir: str) -> Iterator[tuple[str, str]]:
    """Publishes a new version when the `with` block ends without an exception.

    Args:
      output_dir: directory of the versions, local or remote.

    Yields:
      A local staging directory to write to, and the path of the new version.
    """
    storage.make_dirs(output_dir)
    version = str(1 + max(layout.list_versions(output_dir), default=0))
    version_dir = storage.join(output_dir, version)
    with contextlib.ExitStack() as stack:
        if storage.is_remote(output_dir):
            staging_dir = stack.enter_context(tempfile.TemporaryDirectory())
        else:
            staging_dir = storage.join(output_dir, f".{version}-{uuid.uuid4().hex}")
            Path(staging_dir).mkdir()
            stack.callback(shutil.rmtree, staging_dir, ignore_errors=True)
        yield staging_dir, version_dir
        if storage.is_remote(output_dir):
            _upload(staging_dir, version_dir)
        else:
            Path(staging_dir).rename(version_dir)


def _upload(source_dir: str, target_dir: str) -> None:
    storage.delete_tree(target_dir)  # left by an interrupted export
    names = [
        path.relative_to(source_dir).as_posix()
        for path in Path(source_dir).rglob("*")
        if path.is_file()
    ]
    order = {name: index for index, name in enumerate(LAST_FILES)}
    for name in sorted(names, key=lambda name: (order.get(name, -1), name)):
        path = storage.join(target_dir, name)
        storage.make_dirs(path.rpartition("/")[0])
        storage.copy(storage.join(source_dir, name), path)
