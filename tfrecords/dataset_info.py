"""`dataset_info.json`: what a data set holds, and the proof that it is whole.

The file is written last, after every shard stands under its final name. So a folder
with it is a data set, and a folder without it is not.
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
    """A part of the data set: its shards, and its drawings per class."""

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
      classes: the words, sorted; `class_index` is a place in this tuple.
      splits: split name to `Split`.
      kind: what the records hold, "ink" or "bitmap": the feature's name.
      compression: "none" or "gzip".
      counts: where every line that was read went (see `pipeline.beam_job.result`).
      made_by: the flags that decide what the records are.
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
        """Gives a split by name; ValueError names those there are."""
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
        """Reads what `to_json` wrote.

        Args:
          text: the content of the file.
          source: the file's path, for the error message.

        Raises:
          ValueError: not such a file, or written in another format version.
        """
        try:
            fields = json.loads(text)
            version = fields["format_version"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{source} is damaged: {error!r}") from None
        if version != schema.FORMAT_VERSION:
            raise ValueError(
                f"{source} has format version {version}, this program reads "
                f"{schema.FORMAT_VERSION}; make the data set again"
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
            raise ValueError(f"{source} is damaged: no kind of drawing {info.kind!r}")
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
