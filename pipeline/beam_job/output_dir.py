"""The output folder: what it may contain, and how a job publishes its files.

A job writes to its own working folder, `.unfinished/<id>` in the output folder. The
last step of the job publishes: it deletes the info file (`dataset_info.json` of a data
set) and the other files of the previous job, moves the new files into place, and writes
the new info file last. A folder without that file is not complete, so a reader never
finds a mixture of old and new files, whenever the job dies.
"""

import time
import uuid
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pipeline import file_lock
from pipeline.beam_job.config import JobContext
from pipeline.beam_job.result import JobResult
from tfrecords import dataset_info, schema, storage

UNFINISHED = ".unfinished"
"""Folder inside the output folder with the working folders of jobs."""

RESULT_FILE = "result.json"
"""File in the working folder: the result of the job, written after publishing."""


class OutputKind(NamedTuple):
    """What a job writes.

    Attributes:
      name: in error messages.
      info_file: name of the file that is written last.
      is_output_name: returns whether a name is one of its other files, apart from
        rejected lines.
    """

    name: str
    info_file: str
    is_output_name: Callable[[str], bool]


DATA_SET = OutputKind("a data set", dataset_info.FILE_NAME, schema.is_shard_name)


def prepare_output_dir(
    output_dir: str, overwrite: bool, kind: OutputKind = DATA_SET
) -> str:
    """Makes room for a job; returns its working folder.

    Removes the remains of jobs that died. The complete output of another job stays
    until the new one replaces it.

    Raises:
      ValueError: the folder contains a complete output and `overwrite` is False, or
        files of another kind.
    """
    names = _list_files(output_dir)
    known = (kind.info_file, UNFINISHED)
    unknown = [
        name
        for name in names
        if not (name in known or kind.is_output_name(name) or _is_rejects_file(name))
    ]
    if unknown:
        raise ValueError(
            f"{output_dir} contains {min(unknown)!r}, which is not part of "
            f"{kind.name}; name another folder"
        )
    is_complete = kind.info_file in names
    if is_complete and not overwrite:
        raise ValueError(f"{output_dir} already contains {kind.name} (see --overwrite)")
    clean_up(output_dir)
    if not is_complete:
        _delete(output_dir, [name for name in names if name != UNFINISHED])
    working_dir = storage.join(output_dir, UNFINISHED, uuid.uuid4().hex)
    storage.make_dirs(working_dir)
    return working_dir


def publish(
    result: JobResult, context: JobContext, info_file: str = dataset_info.FILE_NAME
) -> None:
    """Moves the files of a job into place and writes its result.

    After an error only the rejected lines are moved; a previous output stays.
    Beam may run this step again after a failure: files that are in place already are
    left alone.

    Raises:
      FolderInUseError: another job has taken over the output folder.
      FileNotFoundError: a file of this job was deleted.
    """
    output_dir, working_dir = context.output_dir, context.working_dir
    file_lock.check_owner(output_dir, context.lock_owner)
    unpublished = set(storage.list_dir(working_dir))
    pending = {
        name: path
        for name, path in sorted(result.files.items())
        if storage.basename(path) in unpublished
    }
    existing = _list_files(output_dir)
    if missing := set(result.files) - set(pending) - set(existing):
        raise FileNotFoundError(f"{min(missing)} of this job was deleted")
    outdated = [
        name for name in existing if name in pending or name not in result.files
    ]
    if result.info is None:
        _delete(output_dir, filter(_is_rejects_file, outdated))
    else:
        _delete(output_dir, [n for n in outdated if n == info_file])
        _delete(output_dir, [n for n in outdated if n not in (info_file, UNFINISHED)])
    for name, path in pending.items():
        storage.rename(path, storage.join(output_dir, name))
    if result.info is not None:
        info_path = storage.join(working_dir, info_file)
        storage.write(info_path, result.info)
        storage.rename(info_path, storage.join(output_dir, info_file))
    storage.write(storage.join(working_dir, RESULT_FILE), result.to_json())


def read_result(working_dir: str) -> JobResult:
    """Reads the result that `publish` wrote.

    Raises:
      ValueError: the workers did not write to this machine's folder.
    """
    try:
        return JobResult.from_json(
            storage.read_text(storage.join(working_dir, RESULT_FILE))
        )
    except FileNotFoundError:
        raise ValueError(
            f"the workers wrote to a {working_dir} on another machine; --output_dir "
            "must be on storage that they share with this one"
        ) from None


def clean_up(output_dir: str) -> None:
    """Removes the working folders of all jobs."""
    unfinished = storage.join(output_dir, UNFINISHED)
    for pause in (0.1, 0.3, 1):
        try:
            return storage.delete_tree(unfinished)
        except OSError:
            time.sleep(pause)  # a worker that is ending wrote one more file
    storage.delete_tree(unfinished)


def _list_files(output_dir: str) -> list[str]:
    """Lists the names in a folder, without the lock."""
    return [n for n in storage.list_dir(output_dir) if n != file_lock.LOCK_FILE]


def _delete(output_dir: str, names: Iterable[str]) -> None:
    storage.delete(storage.join(output_dir, name) for name in names)


def _is_rejects_file(name: str) -> bool:
    return name.startswith("rejected-") and name.endswith(".ndjson")
