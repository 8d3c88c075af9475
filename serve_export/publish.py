"""How an export gets into its place: written aside, and there all at once.

On this machine a folder is written beside the others and renamed. Other storage has no
folders to rename, or renames them file by file: there the files are copied, and the
last of them makes a version of it (`layout.versions`). That is `model_card.md`; before
it comes `saved_model.pb`, for which TF Serving looks.
"""

import contextlib
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from serve_export import layout

LAST = (layout.SAVED_MODEL, layout.MODEL_CARD)
"""The files that are copied after all others, in this order."""


@contextlib.contextmanager
def new_version(output_dir: str) -> Iterator[tuple[str, str]]:
    """Puts what is written within into a new version, unless it fails.

    Yields:
      A folder of this machine to write to, and the path of the version to be.
    """
    tf.io.gfile.makedirs(output_dir)
    version = str(1 + max(layout.versions(output_dir), default=0))
    target = layout.join(output_dir, version)
    with contextlib.ExitStack() as stack:
        if layout.is_remote(output_dir):
            aside = stack.enter_context(tempfile.TemporaryDirectory())
        else:
            aside = layout.join(output_dir, f".{version}-{uuid.uuid4().hex}")
            Path(aside).mkdir()
            stack.callback(shutil.rmtree, aside, ignore_errors=True)
        yield aside, target
        if layout.is_remote(output_dir):
            _copy(aside, target)
        else:
            Path(aside).rename(target)


def _copy(source: str, target: str) -> None:
    """Copies a folder of this machine to where TensorFlow can write."""
    if tf.io.gfile.exists(target):
        tf.io.gfile.rmtree(target)  # of an export that died on its way
    names = [
        path.relative_to(source).as_posix()
        for path in Path(source).rglob("*")
        if path.is_file()
    ]
    order = {name: place for place, name in enumerate(LAST)}
    for name in sorted(names, key=lambda name: (order.get(name, -1), name)):
        path = layout.join(target, name)
        tf.io.gfile.makedirs(path.rpartition("/")[0])
        tf.io.gfile.copy(layout.join(source, name), path)
