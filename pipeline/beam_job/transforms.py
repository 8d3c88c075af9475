"""What the steps of the Beam job do; `pipeline.beam_job.pipeline` connects them.

A block of lines is read and parsed by the same worker, so Beam never shuffles the
bytes of a file. It shuffles sorted runs of drawings (`shard_shuffle`). A worker holds
one block, or a few drawings of each run of a shard. What else an engine holds in memory
while it shuffles is up to the engine.
"""

import collections
import gzip
import itertools
import json
import operator
import uuid
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import msgspec
import numpy as np

from pipeline.beam_job import class_caps, shard_shuffle
from pipeline.beam_job.config import JobConfig, JobContext
from pipeline.beam_job.errors import InputError
from pipeline.beam_job.progress import ProgressCounter
from pipeline.beam_job.result import InputCounts, ShardKey, WrittenShard
from pipeline.beam_job.shard_writer import (
    AssignedDrawing,
    Record,
    ShardFile,
    encode_drawings,
)
from pipeline.beam_job.splits import Assignment, SplitAssigner
from pipeline.formats import registry
from pipeline.formats.blocks import Block, UnreadableFileError
from pipeline.formats.drawing import Drawing, Parsed, unique_key
from pipeline.formats.reader import Share, read_file
from pipeline.formats.text.line_ranges import LineNumbers
from tfrecords import encode, storage

BATCH_RECORDS = 256
"""Records that are written together."""


class RejectedLine(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A line, or another item of a file, that is not a drawing."""

    line: int
    reason: str
    text: str


_get_sort_key = operator.attrgetter("sort_key")
_get_line = operator.attrgetter("line")


class _Step(beam.DoFn):
    """A step that counts its progress."""

    def __init__(self, context: JobContext):
        self._context = context
        self._config = context.config

    def setup(self) -> None:
        self._progress = ProgressCounter(self._context.scratch_dir)


class ReadFile(_Step):
    """Reads a share of a file as blocks.

    Raises:
      InputError: the file is damaged, unreadable or needs other settings.
      OSError: reading failed; a retry may succeed.
    """

    def process(self, share: Share) -> Iterator[Block]:
        """Yields the blocks of a share."""
        config = self._config
        try:
            blocks = read_file(
                share,
                config.input_format,
                config.label_names,
                on_bytes_read=lambda count: self._progress.add(bytes=count),
            )
            for block in blocks:
                self._check_split(block)
                yield block
        except (
            EOFError,
            gzip.BadGzipFile,
            zlib.error,
            PermissionError,
            UnreadableFileError,
        ) as error:
            raise InputError(f"cannot read {share.path}: {error}") from None
        except OSError as error:
            raise OSError(f"{share.path}: {error}") from None

    def _check_split(self, block: Block) -> None:
        if block.split and block.split not in self._config.splits:
            raise UnreadableFileError(
                "its drawings keep the splits they were published in, and --splits "
                f"has no {block.split!r}"
            )


class ParseBlock(_Step):
    """Parses a block into sorted runs of drawings, each with its (split, shard).

    Other outputs: `COUNTS`, `InputCounts`; `REJECTS`, (file, run of `RejectedLine`);
    `RANKS`, (word, smallest ranks `<int64>[n]`), if there is a cap per class.
    """

    COUNTS, REJECTS, RANKS = "counts", "rejects", "ranks"

    def setup(self) -> None:
        """Runs once per worker."""
        super().setup()
        config = self._config
        self._assigner = SplitAssigner(config.splits, config.num_shards, config.seed)
        self._split_names = list(config.splits)
        self._classes = None if config.classes is None else frozenset(config.classes)
        self._run_writer = shard_shuffle.RunWriter(self._context.scratch_dir)
        self._line_numbers = LineNumbers()
        self._running_cap = None
        if config.max_per_class is not None:
            self._running_cap = class_caps.RunningCap(config.max_per_class)

    def process(self, block: Block) -> Iterator[Any]:
        """Yields the runs of a block, and tagged outputs."""
        parsed = registry.parse(block)
        counts = InputCounts(read=len(parsed))
        counts.kinds[registry.FORMATS[block.format].kind] += 1
        if block.is_first:
            counts.add_file(block.file, block.format, block.reason, block.word)
        drawings = [item for item in parsed if type(item) is Drawing]
        rejects = []
        if len(drawings) < len(parsed):
            rejects = count_rejects(parsed, block, counts, self._line_numbers)
        drawings = self._filter(drawings, counts)
        counts.words.update(drawing.word for drawing in drawings)
        self._progress.add(lines=len(parsed))
        if rejects:
            run = self._run_writer.write(rejects)
            yield beam.pvalue.TaggedOutput(self.REJECTS, (block.file, run))
        if drawings:
            assigned = self._assigner.assign(list(map(unique_key, drawings)))
            if self._running_cap is not None:
                keep = np.ones(len(drawings), bool)
                yield from self._apply_running_cap(drawings, assigned.rank, keep)
                counts.over_cap = len(drawings) - int(keep.sum())
                assigned = assigned.select(keep)
                drawings = list(itertools.compress(drawings, keep))
            yield from self._write_runs(drawings, assigned, block.split)
        yield beam.pvalue.TaggedOutput(self.COUNTS, counts)

    def teardown(self) -> None:
        """Runs at the end of a worker."""
        self._run_writer.close()

    def _filter(self, drawings: list[Drawing], counts: InputCounts) -> list[Drawing]:
        """Removes, and counts, the drawings that the flags exclude."""
        total = len(drawings)
        if self._classes is not None:
            others = [d.word for d in drawings if d.word not in self._classes]
            counts.other_words.update(others)
            drawings = [each for each in drawings if each.word in self._classes]
        in_classes = len(drawings)
        if self._config.recognized_only:
            drawings = [each for each in drawings if each.recognized != 0]
        if in_classes < total:
            counts.filtered["other class"] += total - in_classes
        if len(drawings) < in_classes:
            counts.filtered["not recognized"] += in_classes - len(drawings)
        return drawings

    def _apply_running_cap(
        self, drawings: list[Drawing], ranks: np.ndarray, keep: np.ndarray
    ) -> Iterator[Any]:
        """Yields the smallest ranks of each word; clears `keep` beyond the cap."""
        assert self._running_cap is not None
        indices_by_word: dict[str, list[int]] = collections.defaultdict(list)
        for index, drawing in enumerate(drawings):
            indices_by_word[drawing.word].append(index)
        for word, indices in indices_by_word.items():
            keep[indices] = self._running_cap.may_keep(word, ranks[indices])
            word_ranks = ranks[indices][keep[indices]]
            if len(word_ranks):
                smallest = keep_smallest_ranks([word_ranks], self._config)
                yield beam.pvalue.TaggedOutput(self.RANKS, (word, smallest))

    def _write_runs(
        self, drawings: list[Drawing], assigned: Assignment, split: str
    ) -> Iterator[tuple[ShardKey, shard_shuffle.Run]]:
        """Yields a sorted run of drawings for each shard.

        Args:
          drawings: the drawings of a block.
          assigned: where they belong.
          split: the split they were published in; if empty, their keys decide.
        """
        splits = self._split_names.index(split) if split else assigned.split
        shards = splits * self._config.num_shards + assigned.shard
        rows_by_shard: dict[int, list[AssignedDrawing]] = collections.defaultdict(list)
        rows = map(AssignedDrawing, assigned.sort_key, assigned.rank.tolist(), drawings)
        for shard, row in zip(shards.tolist(), rows):
            rows_by_shard[shard].append(row)
        # Sorted, as Beam gives keys to its workers in the order in which they appear.
        for shard, shard_rows in sorted(rows_by_shard.items()):
            shard_rows.sort(key=_get_sort_key)
            split_index, shard_index = divmod(shard, self._config.num_shards)
            key = (self._split_names[split_index], shard_index)
            yield key, self._run_writer.write(shard_rows)


def count_rejects(
    parsed: list[Parsed],
    block: Block,
    counts: InputCounts,
    line_numbers: LineNumbers,
) -> list[RejectedLine]:
    """Counts blank and rejected items; returns the rejected ones with their text.

    The line number of a reject needs the number of lines before the block's range,
    which nothing else needs: they are counted only then.
    """
    rejects = []
    items = block.items()
    for index, item in enumerate(parsed):
        if item is None:
            counts.blank += 1
        elif isinstance(item, ValueError):
            lines_before = line_numbers.count_before(block.file, block.offset)
            line, reason = lines_before + block.first + index, str(item)
            counts.rejected[reason.partition(":")[0]] += 1
            rejects.append(
                RejectedLine(line, reason, block.rejected_text(items[index]))
            )
    if rejects:
        counts.rejected_per_file[block.file] = len(rejects)
        counts.first_reject = (block.file, rejects[0].line, rejects[0].reason)
    return rejects


def keep_smallest_ranks(arrays: Iterable[np.ndarray], config: JobConfig) -> np.ndarray:
    """Keeps as many of the smallest ranks of a class as its cap needs."""
    assert config.max_per_class is not None
    return class_caps.smallest_ranks(
        arrays, config.max_per_class, distinct=not config.keep_duplicates
    )


class WriteRejects(_Step):
    """Writes the rejected lines of a file as `rejected-*.ndjson`.

    Yields the final name and the temporary path of the file.

    Args:
      context: of the job.
      file_numbers: input file to its number.
    """

    def __init__(self, context: JobContext, file_numbers: dict[str, int]):
        super().__init__(context)
        self._file_numbers = file_numbers

    def process(
        self, element: tuple[str, Iterable[shard_shuffle.Run]]
    ) -> Iterator[tuple[str, str]]:
        """Yields the names of the file that it writes."""
        file, runs = element
        name = f"rejected-{self._file_numbers[file]:05d}.ndjson"
        path = storage.join(self._context.working_dir, f"{uuid.uuid4().hex}-{name}")
        with storage.open_write(path) as out:
            for reject in shard_shuffle.merge_runs(runs, RejectedLine, _get_line):
                line = {"file": file} | msgspec.structs.asdict(reject)
                out.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        yield name, path


class WriteShard(_Step):
    """Writes the drawings of a shard, in the order of their sort keys."""

    def process(
        self,
        element: tuple[ShardKey, Iterable[shard_shuffle.Run]],
        classes: tuple[str, ...],
        max_ranks: dict[str, int],
    ) -> Iterator[WrittenShard]:
        """Yields the shard that it writes.

        Args:
          element: (split, shard) and its runs.
          classes: the words, in the order of their indices.
          max_ranks: word to the largest rank that the cap per class keeps.
        """
        (split, shard), runs = element
        class_indices = {word: index for index, word in enumerate(classes)}
        class_counts = [0] * len(classes)
        excluded: collections.Counter[str] = collections.Counter()
        rows = shard_shuffle.merge_runs(runs, AssignedDrawing, _get_sort_key)
        if max_ranks:
            rows = _apply_caps(rows, max_ranks, excluded)
        records = self._drop_duplicates(encode_drawings(rows, class_indices), excluded)
        name = f"{split}-{shard}-{uuid.uuid4().hex}"
        path = storage.join(self._context.working_dir, name)
        with ShardFile(path, self._config.compression) as out:
            while batch := list(itertools.islice(records, BATCH_RECORDS)):
                out.write(encode.frame_records([record.example for record in batch]))
                for record in batch:
                    class_counts[record.class_index] += 1
                self._progress.add(written=len(batch))
        yield WrittenShard(
            key=(split, shard),
            path=path,
            size=out.size,
            class_counts=tuple(class_counts),
            over_cap=excluded["over cap"],
            duplicates=excluded["duplicate"],
        )

    def _drop_duplicates(
        self, records: Iterable[Record], excluded: collections.Counter[str]
    ) -> Iterator[Record]:
        """Keeps the smallest of the records with equal sort keys, thus equal keys."""
        for _, group in itertools.groupby(records, _get_sort_key):
            if self._config.keep_duplicates:
                yield from sorted(group)
                continue
            same_key = list(group)
            excluded["duplicate"] += len(same_key) - 1
            yield min(same_key)


def _apply_caps(
    rows: Iterable[AssignedDrawing],
    max_ranks: dict[str, int],
    excluded: collections.Counter[str],
) -> Iterator[AssignedDrawing]:
    for row in rows:
        if row.rank > max_ranks.get(row.drawing.word, row.rank):
            excluded["over cap"] += 1
        else:
            yield row
