"""Counts of all lines, and the result of the job.

Every line, or drawing in a format without lines, is in exactly one of these counts:

    blank       an empty line
    rejected    not a drawing, by reason; kept in `rejected-*.ndjson`
    filtered    excluded by a flag, by filter
    duplicates  another drawing has the same key
    written     in a shard
"""

import dataclasses
import difflib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import field
from typing import Any

from pipeline.beam_job.config import JobConfig
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo, Shard, Split

MAX_FILES_NAMED = 3
"""Files with rejected lines that an error message names."""

ShardKey = tuple[str, int]
"""Name of the split, index of the shard."""


_COUNTER_FIELDS = (
    "rejected",
    "filtered",
    "words",
    "other_words",
    "kinds",
    "rejected_per_file",
    "formats",
)


@dataclasses.dataclass
class InputCounts:
    """Counts of what was read and parsed.

    Attributes:
      read: lines, or drawings in a format without lines.
      blank: empty lines.
      rejected: rejected lines by kind of reason.
      filtered: drawings excluded by a flag, by filter.
      over_cap: drawings that the cap per class excluded before the shuffle.
      words: drawings by word, after the filters.
      other_words: drawings by word, of classes that were not requested.
      kinds: blocks by kind of record, of `schema.KINDS`.
      rejected_per_file: rejected lines by file.
      first_reject: (file, line, reason) of the first rejected line, if any.
      formats: files by format.
      format_reasons: format to the first file that has it and the reason why.
      words_from_names: files whose drawings have no class names of their own.
      first_word_from_name: the first of these files and its class name, if any.
    """

    read: int = 0
    blank: int = 0
    over_cap: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    filtered: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    other_words: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    rejected_per_file: Counter[str] = field(default_factory=Counter)
    first_reject: tuple[str, int, str] | None = None
    formats: Counter[str] = field(default_factory=Counter)
    format_reasons: dict[str, tuple[str, str]] = field(default_factory=dict)
    words_from_names: int = 0
    first_word_from_name: tuple[str, str] | None = None

    def add_file(self, file: str, format: str, reason: str, word: str) -> None:
        """Counts a file.

        Args:
          file: its path.
          format: its format.
          reason: why it has this format; empty if there is no doubt.
          word: class name of drawings that have none themselves; empty if none.
        """
        self.formats[format] += 1
        if reason:
            self._add_reason(format, (file, reason))
            if word:  # other formats never have class names of their own
                self.words_from_names += 1
                self.first_word_from_name = (file, word)

    def _add_reason(self, format: str, file_and_reason: tuple[str, str]) -> None:
        known = self.format_reasons.get(format, file_and_reason)
        self.format_reasons[format] = min(known, file_and_reason)

    def add(self, other: "InputCounts") -> None:
        """Adds the counts of other lines."""
        self.read += other.read
        self.blank += other.blank
        self.over_cap += other.over_cap
        self.words_from_names += other.words_from_names
        for name in _COUNTER_FIELDS:
            getattr(self, name).update(getattr(other, name))
        for format, file_and_reason in other.format_reasons.items():
            self._add_reason(format, file_and_reason)
        firsts = filter(None, (self.first_reject, other.first_reject))
        self.first_reject = min(firsts, default=None)
        names = filter(None, (self.first_word_from_name, other.first_word_from_name))
        self.first_word_from_name = min(names, default=None)

    def describe_files(self) -> list[str]:
        """Returns a line per format: its files, and why the first one has it."""
        lines = []
        for format, count in sorted(self.formats.items()):
            line = f"{count:,} {'file' if count == 1 else 'files'} read as {format}"
            if format in self.format_reasons:
                line += ": {}: {}".format(*self.format_reasons[format])
            lines.append(line)
        if self.first_word_from_name is not None:
            lines.append(
                f"{self.words_from_names:,} files without class names, which are taken "
                "from the names of the files: {}: {!r}".format(
                    *self.first_word_from_name
                )
            )
        return lines


def sum_counts(counts: Iterable[InputCounts]) -> InputCounts:
    """Sums counts; associative, so that Beam may sum them in any grouping."""
    total = InputCounts()
    for each in counts:
        total.add(each)
    return total


@dataclasses.dataclass(frozen=True)
class WrittenShard:
    """A shard under its temporary name.

    Attributes:
      key: its split and index.
      path: where it is.
      size: bytes.
      class_counts: records per class.
      over_cap: drawings that the cap per class excluded.
      duplicates: drawings excluded because another one has their key.
    """

    key: ShardKey
    path: str
    size: int
    class_counts: tuple[int, ...]
    over_cap: int
    duplicates: int


@dataclasses.dataclass(frozen=True)
class JobResult:
    """The result of a job.

    Attributes:
      error: why there is no data set, in one line; None if there is one.
      counts: line counts; see the top of this file.
      files: final name to temporary path of each file to publish.
      info: the content of `dataset_info.json`; None with an error.
      notes: how the files were read, for the user.
    """

    error: str | None
    counts: dict[str, Any]
    files: dict[str, str]
    info: str | None
    notes: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Returns the result as JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "JobResult":
        """Parses the text that `to_json` returned."""
        return cls(**json.loads(text))


def summarize_job(
    config: JobConfig,
    shards: Iterable[WrittenShard],
    rejects: dict[str, str],
    input_counts: InputCounts,
    classes: tuple[str, ...],
) -> JobResult:
    """Makes the result of the job from the results of its steps.

    Args:
      config: the settings of the job.
      shards: all shards.
      rejects: final name to temporary path of each file of rejected lines.
      input_counts: the sum of all input counts.
      classes: the words, in the order of their indices.
    """
    shards = sorted(shards, key=lambda shard: shard.key)
    counts = count_lines(input_counts, shards)
    error = find_error(counts, input_counts, classes, config)
    if error is not None:
        return JobResult(error, counts, rejects, info=None)
    notes = tuple(input_counts.describe_files())
    names = {
        shard: schema.shard_name(*shard.key, config.num_shards, config.compression)
        for shard in shards
    }
    info = DatasetInfo(
        classes=classes,
        splits={
            split: _make_split({s: n for s, n in names.items() if s.key[0] == split})
            for split in config.splits
        },
        kind=schema.BITMAP if schema.BITMAP in input_counts.kinds else schema.INK,
        compression=config.compression,
        counts=counts,
        made_by=config.to_dict(),
    )
    files = {name: shard.path for shard, name in names.items()}
    return JobResult(None, counts, files | rejects, info.to_json(), notes)


def count_lines(
    input_counts: InputCounts, shards: Iterable[WrittenShard]
) -> dict[str, Any]:
    """Counts every line once; see the top of this file."""
    filtered = dict(sorted(input_counts.filtered.items()))
    over_cap = input_counts.over_cap + sum(shard.over_cap for shard in shards)
    if over_cap:
        filtered["over max_per_class"] = over_cap
    return {
        "read": input_counts.read,
        "blank": input_counts.blank,
        "rejected": dict(sorted(input_counts.rejected.items())),
        "filtered": filtered,
        "duplicates": sum(shard.duplicates for shard in shards),
        "written": sum(sum(shard.class_counts) for shard in shards),
    }


def find_error(
    counts: dict[str, Any],
    input_counts: InputCounts,
    classes: tuple[str, ...],
    config: JobConfig,
) -> str | None:
    """Returns in one line why there is no data set, or None if there is one."""
    if len(input_counts.kinds) > 1:
        return "the input holds strokes and bitmaps; make a data set of each"
    rejected = sum(counts["rejected"].values())
    if rejected > config.max_rejected * counts["read"]:
        reasons = ", ".join(f"{n} {kind}" for kind, n in counts["rejected"].items())
        return (
            f"{rejected} of {counts['read']} lines were rejected ({reasons}), more "
            f"than --max_rejected={config.max_rejected:g} allows; "
            f"{_describe_rejects(input_counts)}"
        )
    missing = [word for word in classes if word not in input_counts.words]
    if missing and input_counts.other_words:
        return _describe_missing(missing, input_counts.other_words)
    if not counts["written"]:
        return f"the input has no drawing to write ({counts['read']} lines read)"
    return _describe_missing(missing, {}) if missing else None


def _describe_missing(missing: list[str], other_words: Iterable[str]) -> str:
    """Names the classes without drawings, and similar words of the input."""
    error = f"no drawing of {', '.join(map(repr, missing))} in the input"
    words = {word.lower(): word for word in other_words}
    similar = [
        words[match]
        for word in missing
        for match in difflib.get_close_matches(word.lower(), words, n=2)
    ]
    if similar:
        error += f"; did you mean {' or '.join(map(repr, dict.fromkeys(similar)))}?"
    return error


def _describe_rejects(input_counts: InputCounts) -> str:
    """Names the first rejected line and the files with the most of them."""
    assert input_counts.first_reject is not None
    file, line, reason = input_counts.first_reject
    per_file = input_counts.rejected_per_file
    counts = ", ".join(
        f"{count} in {name}"
        for name, count in sorted(per_file.items(), key=lambda item: (-item[1], item))[
            :MAX_FILES_NAMED
        ]
    )
    if len(per_file) > MAX_FILES_NAMED:
        counts += f" and more in {len(per_file) - MAX_FILES_NAMED} other files"
    return (
        f"the first is {file}, line {line}: {reason}; {counts}; "
        "all are in rejected-*.ndjson in the output folder"
    )


def _make_split(names: dict[WrittenShard, str]) -> Split:
    per_class = zip(*(shard.class_counts for shard in names))
    return Split(
        shards=tuple(
            Shard(name, sum(shard.class_counts), shard.size)
            for shard, name in names.items()
        ),
        class_counts=tuple(map(sum, per_class)),
    )
