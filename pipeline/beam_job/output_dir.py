"""The output folder: what may stand in it, and how a data set gets there.

A job works in a folder of its own, `.unfinished/<id>`. What it made is moved into
place at the end, by the process that holds the folder's lock: first
`dataset_info.json` of the data set that was there goes, then that data set, then the
new files come, and the new `dataset_info.json` last. A folder without it is no data
set, so whenever the job dies, nobody finds one that is half old or half new.
"""

import os
import shutil
import time
import uuid
from collections.abc import Iterable

from apache_beam.io.filesystems import FileSystems

from pipeline import file_lock
from pipeline.beam_job.result import Outcome
from tfrecords import dataset_info, schema

UNFINISHED = ".unfinished"
"""Folder inside the output folder; what stands there is not yet a data set."""


def prepare(output_dir: str, overwrite: bool) -> str:
    """Makes room for a job and gives the folder that it is to work in.

    What a dead job left is removed; a whole data set stays until it is replaced.

    Raises:
      ValueError: the folder holds a data set that is not to be replaced, or files
        that are not ours.
    """
    paths = _content(output_dir)
    strange = [name for name in paths if not _is_ours(name)]
    if strange:
        raise ValueError(
            f"{output_dir} is in use: {min(strange)!r} there is no part of a data set"
        )
    whole = dataset_info.FILE_NAME in paths
    if whole and not overwrite:
        raise ValueError(
            f"{output_dir} is in use: it holds a data set (--overwrite replaces it)"
        )
    clean_up(output_dir)
    if not whole:
        _delete(path for name, path in paths.items() if name != UNFINISHED)
    folder = FileSystems.join(output_dir, UNFINISHED, uuid.uuid4().hex)
    FileSystems.mkdirs(folder)
    return folder


def publish(outcome: Outcome, output_dir: str, folder: str) -> None:
    """Moves what a job made into place, in the order told at the top of this file.

    Without a data set only the rejected lines are moved; one that was there stays.
    """
    paths = _content(output_dir)
    paths.pop(UNFINISHED, None)
    whole = paths.pop(dataset_info.FILE_NAME, None)
    if outcome.info is None:
        _delete(path for name, path in paths.items() if _is_rejects(name))
    else:
        _delete([whole] if whole else [])
        _delete(paths.values())
    for name, path in sorted(outcome.files.items()):
        FileSystems.rename([path], [FileSystems.join(output_dir, name)])
    if outcome.info is not None:
        info = FileSystems.join(folder, dataset_info.FILE_NAME)
        write_text(info, outcome.info)
        FileSystems.rename(
            [info], [FileSystems.join(output_dir, dataset_info.FILE_NAME)]
        )


def clean_up(output_dir: str) -> None:
    """Removes what is unfinished."""
    unfinished = FileSystems.join(output_dir, UNFINISHED)
    if not file_lock.is_local(output_dir):
        _delete(_match(FileSystems.join(unfinished, "**")))
        return
    for pause in (0.1, 0.3, 1, 0):
        try:
            shutil.rmtree(unfinished)
        except FileNotFoundError:
            return
        except OSError:
            # A worker that is about to die wrote one more file in between.
            if not pause:
                raise
            time.sleep(pause)


def write_text(path: str, text: str) -> None:
    with FileSystems.create(path) as out:
        out.write(text.encode())


def read_text(path: str) -> str:
    with FileSystems.open(path) as file:
        return file.read().decode()


def _content(output_dir: str) -> dict[str, str]:
    """Name to path of what stands in the folder, without the lock."""
    if file_lock.is_local(output_dir):
        found = [os.path.join(output_dir, name) for name in os.listdir(output_dir)]
    else:
        found = _match(FileSystems.join(output_dir, "*"))
    paths = {os.path.basename(path.rstrip("/")): path for path in found}
    paths.pop(file_lock.LOCK_FILE, None)
    return paths


def _match(pattern: str) -> list[str]:
    return [found.path for found in FileSystems.match([pattern])[0].metadata_list]


def _delete(paths: Iterable[str]) -> None:
    if paths := list(paths):
        FileSystems.delete(paths)


def _is_ours(name: str) -> bool:
    return (
        name in (dataset_info.FILE_NAME, UNFINISHED)
        or schema.is_shard_name(name)
        or _is_rejects(name)
    )


def _is_rejects(name: str) -> bool:
    return name.startswith("rejected-") and name.endswith(".ndjson")
