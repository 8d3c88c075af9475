"""`dataset_info.json`: the content of a data set, and the sign that it is complete.

The file is written last, after every shard has its final name. A folder with the file
is a data set, a folder without it is not.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from tfrecords import schema, storage

FILE_NAME = "dataset_info.json"


@dataclasses.dataclass(frozen=True)
class Shard:
    """One file of records."""

    name: str
    examples: int
    bytes: int


@dataclasses.dataclass(frozen=True)
class Split:
    """A split of the data set: its shards, and the number of drawings per class."""

    shards: tuple[Shard, ...]
    class_counts: tuple[int, ...]

    @property
    def examples(self) -> int:
        """Number of drawings in the split."""
        return sum(self.class_counts)


@dataclasses.dataclass(frozen=True)
class DatasetInfo:
    """The content of `dataset_info.json`.

    Attributes:
      classes: the words, sorted; `class_index` is an index of this tuple.
      splits: split name to `Split`.
      kind: what the records hold, one of `schema.KINDS`.
      compression: "none" or "gzip".
      counts: the number of lines read, rejected, filtered and written (see
        `pipeline.beam_job.result`).
      made_by: the flags that determine the records.
      format_version: `schema.FORMAT_VERSION` of the writer.
    """

    classes: tuple[str, ...]
    splits: Mapping[str, Split]
    kind: str = schema.INK
    compression: str = "none"
    counts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    made_by: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    format_version: int = schema.FORMAT_VERSION

    def split(self, name: str) -> Split:
        """Returns a split by name.

        Raises:
          ValueError: there is none; the message lists the splits.
        """
        if name not in self.splits:
            raise ValueError(
                f"no split named {name!r}; the data set has {', '.join(self.splits)}"
            )
        return self.splits[name]

    def to_json(self) -> str:
        """Returns the content of `dataset_info.json`."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, source: str) -> "DatasetInfo":
        """Parses the content of `dataset_info.json`.

        Args:
          text: the content of the file.
          source: path of the file, for error messages.

        Raises:
          ValueError: the content is damaged, or has another format version.
        """
        try:
            fields = json.loads(text)
            version = fields["format_version"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{source} is damaged: {error!r}") from None
        if version != schema.FORMAT_VERSION:
            raise ValueError(
                f"{source} has format version {version}, this program reads "
                f"{schema.FORMAT_VERSION}; create the data set again"
            )
        try:
            fields["classes"] = tuple(fields["classes"])
            fields["splits"] = {
                name: Split(
                    shards=tuple(Shard(**shard) for shard in split["shards"]),
                    class_counts=tuple(split["class_counts"]),
                )
                for name, split in fields["splits"].items()
            }
            info = cls(**fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{source} is damaged: {error!r}") from None
        if info.kind not in schema.KINDS:
            raise ValueError(f"{source} is damaged: unknown kind {info.kind!r}")
        return info


def load_dataset_info(data_dir: str) -> DatasetInfo:
    """Loads `dataset_info.json` and checks that every shard is there and complete.

    Args:
      data_dir: the folder of the data set, local or remote.

    Raises:
      ValueError: there is no data set, it has another format version, or a shard is
        missing or has another size.
    """
    path = storage.join(data_dir, FILE_NAME)
    if not storage.exists(path):
        raise ValueError(
            f"{data_dir} is not a data set: there is no {FILE_NAME} "
            "(python -m pipeline.create_dataset writes one)"
        )
    info = DatasetInfo.from_json(storage.read_text(path), path)
    for split in info.splits.values():
        for shard in split.shards:
            size = storage.size(storage.join(data_dir, shard.name))
            if size is None:
                raise ValueError(f"{data_dir}: shard {shard.name} is missing")
            if size != shard.bytes:
                raise ValueError(
                    f"{data_dir}: shard {shard.name} has {size} bytes, "
                    f"{FILE_NAME} says {shard.bytes}"
                )
    return info
