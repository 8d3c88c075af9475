"""The Beam transforms: read, parse, reject, place, write; `pipeline.beam_job.pipeline` joins them.

A block of drawings goes from reading to parsing in the same worker, so no file's bytes
are ever shuffled. What is shuffled are chunks: sorted runs of packed drawings, or
references to them (`pipeline.beam_job.sorted_runs`). What a worker holds is a block, or a few
drawings of each chunk of a shard. (An engine may hold more: what it shuffles itself,
and how it hands a shard over, is its own.)
"""

import collections
import gzip
import itertools
import json
import operator
import uuid
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import msgspec
import numpy as np
from apache_beam.io.filesystems import FileSystems

from pipeline.beam_job import sorted_runs
from pipeline.beam_job.class_caps import smallest_ranks
from pipeline.beam_job.config import Recipe
from pipeline.beam_job.progress import Meter
from pipeline.beam_job.result import ShardKey, Tally, WrittenShard
from pipeline.beam_job.shard_writer import Placed, Record, ShardFile, encode_drawings
from pipeline.beam_job.splits import Placement
from pipeline.formats import registry
from pipeline.formats.blocks import Block, Unreadable
from pipeline.formats.drawing import Drawing
from pipeline.formats.reader import Share, read_file
from tfrecords import encode

WRITTEN_TOGETHER = 256
"""Records that are handed to the file in one go."""


class Job(NamedTuple):
    """What every step is told.

    Attributes:
      folder: where to write, on any file system; the job's own.
      recipe: what the data set is to hold.
      scratch: folder that the workers share with the launcher, in a local run.
    """

    folder: str
    recipe: Recipe
    scratch: str | None = None


class Rejected(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A line, or another item of a file, that is no drawing."""

    line: int
    reason: str
    text: str


_order = operator.attrgetter("order")
_line = operator.attrgetter("line")


class _Step(beam.DoFn):
    """A step that counts what it does."""

    def __init__(self, job: Job):
        self._job = job
        self._recipe = job.recipe

    def setup(self) -> None:
        self._meter = Meter(self._job.scratch)


class ReadFile(_Step):
    """Share of a file → blocks; a file that no retry can mend goes to the tally."""

    TALLY = "tally"

    def process(self, share: Share) -> Iterator[Any]:
        recipe = self._recipe
        try:
            blocks = read_file(
                share.path,
                share.size,
                recipe.input_format,
                recipe.label_names,
                on_bytes_read=lambda count: self._meter.add(bytes=count),
            )
            for block in itertools.islice(blocks, share.number, None, share.of):
                self._check_split(block)
                yield block
        except (
            EOFError,
            gzip.BadGzipFile,
            zlib.error,
            PermissionError,
            Unreadable,
        ) as error:
            tally = Tally({("unreadable", f"{share.path}: {error}"): 1})
            yield beam.pvalue.TaggedOutput(self.TALLY, tally)
        except OSError as error:
            raise OSError(f"{share.path}: {error}")

    def _check_split(self, block: Block) -> None:
        if block.split and block.split not in self._recipe.splits:
            raise Unreadable(
                f"its drawings stay in the splits they were published in, and "
                f"--splits has no {block.split}"
            )


class ParseBlock(_Step):
    """Block → chunks of drawings by shard; rejects, tally and ranks beside them."""

    REJECTS, TALLY, RANKS = "rejects", "tally", "ranks"

    def setup(self) -> None:
        super().setup()
        recipe = self._recipe
        self._placement = Placement(recipe.splits, recipe.num_shards, recipe.seed)
        self._splits = list(recipe.splits)
        self._wanted = None if recipe.classes is None else frozenset(recipe.classes)
        self._chunks = sorted_runs.ChunkWriter(self._job.scratch)

    def process(self, block: Block) -> Iterator[Any]:
        tally: Tally = Tally()
        rejects: list[Rejected] = []
        parsed = registry.parse(block)
        drawings = [found for found in parsed if type(found) is Drawing]
        if len(drawings) < len(parsed):
            for number, found in enumerate(parsed, block.first):
                if found is None:
                    tally["blank",] += 1
                elif isinstance(found, ValueError):
                    reason = str(found)
                    tally["rejected", reason.partition(":")[0]] += 1
                    rejects.append(Rejected(number, reason, ""))
        drawings = self._wanted_of(drawings, tally)
        tally["read",] = len(parsed)
        tally["kind", registry.FORMATS[block.format].kind] += 1
        words = collections.Counter(drawing.word for drawing in drawings)
        tally.update({("word", word): number for word, number in words.items()})
        self._meter.add(lines=len(parsed))
        yield beam.pvalue.TaggedOutput(self.TALLY, tally)
        if rejects:
            chunk = self._chunks.put(_with_text(rejects, block))
            yield beam.pvalue.TaggedOutput(self.REJECTS, (block.file, chunk))
        if drawings:
            yield from self._place(drawings, block.split)

    def teardown(self) -> None:
        self._chunks.close()

    def _wanted_of(self, drawings: list[Drawing], tally: Tally) -> list[Drawing]:
        """Leaves out, and counts, what was not asked for."""
        found = len(drawings)
        if self._wanted is not None:
            drawings = [each for each in drawings if each.word in self._wanted]
        of_class = len(drawings)
        if self._recipe.recognized_only:
            drawings = [each for each in drawings if each.recognized != 0]
        if of_class < found:
            tally["filtered", "other class"] += found - of_class
        if len(drawings) < of_class:
            tally["filtered", "not recognized"] += of_class - len(drawings)
        return drawings

    def _place(self, drawings: list[Drawing], split: str) -> Iterator[Any]:
        """Yields chunks by shard, and ranks; in the split, or in those of the keys."""
        places = self._placement.of([drawing.key_id for drawing in drawings])
        if self._recipe.max_per_class is not None:
            by_word: dict[str, list[int]] = collections.defaultdict(list)
            for drawing, rank in zip(drawings, places.rank.tolist()):
                by_word[drawing.word].append(rank)
            for word, ranks in by_word.items():
                smallest = smallest_wanted(self._recipe, [np.array(ranks)])
                yield beam.pvalue.TaggedOutput(self.RANKS, (word, smallest))
        splits = self._splits.index(split) if split else places.split
        shards = splits * self._recipe.num_shards + places.shard
        placed = list(map(Placed, places.order, places.rank.tolist(), drawings))
        by_shard: dict[int, list[Placed]] = collections.defaultdict(list)
        for shard, row in zip(shards.tolist(), placed):
            by_shard[shard].append(row)
        # In order: Beam deals them out to its workers in that in which they come.
        for shard, rows in sorted(by_shard.items()):
            rows.sort(key=_order)
            place, number = divmod(shard, self._recipe.num_shards)
            yield (self._splits[place], number), self._chunks.put(rows)


def _with_text(rejects: list[Rejected], block: Block) -> list[Rejected]:
    """Adds the text of what was rejected, as much of it as is kept."""
    items = block.items()
    texts = (block.text_of(items[each.line - block.first]) for each in rejects)
    return [
        msgspec.structs.replace(rejected, text=text)
        for rejected, text in zip(rejects, texts)
    ]


def smallest_wanted(recipe: Recipe, arrays: Iterable[np.ndarray]) -> np.ndarray:
    """Keeps the smallest ranks of a class, as many as the recipe's cap needs."""
    return smallest_ranks(arrays, recipe.max_per_class, not recipe.keep_duplicates)


class WriteRejects(_Step):
    """(file, chunks of rejects) → one `rejected-*.ndjson`; its name and its path."""

    def __init__(self, job: Job, numbers: dict[str, int]):
        super().__init__(job)
        self._numbers = numbers

    def process(
        self, element: tuple[str, Iterable[sorted_runs.Chunk]]
    ) -> Iterator[tuple[str, str]]:
        file, runs = element
        name = f"rejected-{self._numbers[file]:05d}.ndjson"
        path = FileSystems.join(self._job.folder, f"{uuid.uuid4().hex}-{name}")
        with FileSystems.create(path) as out:
            for rejected in sorted_runs.merge(runs, Rejected, _line):
                line = {"file": file} | msgspec.structs.asdict(rejected)
                out.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        yield name, path


class WriteShard(_Step):
    """(split and shard, chunks of drawings) → one file of records, in hash order."""

    def process(
        self,
        element: tuple[ShardKey, Iterable[sorted_runs.Chunk]],
        classes: tuple[str, ...],
        caps: dict[str, int],
    ) -> Iterator[WrittenShard]:
        (split, shard), runs = element
        index = {word: number for number, word in enumerate(classes)}
        counts = [0] * len(classes)
        left_out: collections.Counter = collections.Counter()
        rows = sorted_runs.merge(runs, Placed, _order)
        if caps:
            rows = _under_cap(rows, caps, left_out)
        records = self._without_duplicates(encode_drawings(rows, index), left_out)
        name = f"{split}-{shard}-{uuid.uuid4().hex}"
        path = FileSystems.join(self._job.folder, name)
        with ShardFile(path, self._recipe.compression) as out:
            while together := list(itertools.islice(records, WRITTEN_TOGETHER)):
                out.write(encode.frame_records([data for _, data, _ in together]))
                for _, _, number in together:
                    counts[number] += 1
                self._meter.add(written=len(together))
        yield WrittenShard(
            key=(split, shard),
            path=path,
            bytes=out.bytes,
            class_counts=tuple(counts),
            over_cap=left_out["over cap"],
            duplicates=left_out["duplicate"],
        )

    def _without_duplicates(
        self, records: Iterable[Record], left_out: collections.Counter
    ) -> Iterator[Record]:
        """Of records with the same order, which is the same key, the smallest stays."""
        for _, same_key in itertools.groupby(records, operator.itemgetter(0)):
            if self._recipe.keep_duplicates:
                yield from sorted(same_key)
                continue
            smallest: Record | None = None
            for record in same_key:
                if smallest is not None:
                    left_out["duplicate"] += 1
                    record = min(smallest, record)
                smallest = record
            yield smallest


def _under_cap(
    rows: Iterable[Placed], caps: dict[str, int], left_out: collections.Counter
) -> Iterator[Placed]:
    for placed in rows:
        if placed.rank > caps.get(placed.drawing.word, placed.rank):
            left_out["over cap"] += 1
        else:
            yield placed
