"""The steps of the Beam job, in the order in which a drawing meets them.

    files ─ ReadFile ─ ParseBlock ─┬▶ drawings by shard ─ WriteShard ─┐
              └▶ tally             ├▶ ranks by class ─ caps ─┘        │
                                   ├▶ tally ──────────────────────────┤
                                   └▶ rejects by file ─ WriteRejects  │
                                                         conclude ◀───┘

A block of lines goes from reading to parsing in the same worker, so no text is ever
shuffled. What is shuffled are chunks: sorted runs of packed drawings, or references to
them (`pipeline.chunks`). What a worker holds is a block, or a few drawings of each
chunk of a shard.
"""

import collections
import functools
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

from pipeline import chunks, formats, output_folder
from pipeline.blocks import Block
from pipeline.caps import cap_of, smallest_ranks
from pipeline.outcome import ShardKey, Tally, WrittenShard, add_tallies, conclude
from pipeline.placement import Placement
from pipeline.progress import Meter
from pipeline.reading import Share, read_file
from pipeline.recipe import Recipe
from pipeline.shard_file import Placed, Record, ShardFile, encode_drawings
from tfrecords import encode

OUTCOME = "outcome.json"
"""File in the job's folder: how the job ended, for whoever launched it."""

TEXT_LIMIT = 64 << 10
"""Characters of a rejected line that are kept."""


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
    """A line that is no drawing."""

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
        try:
            blocks = read_file(share.path, share.size, self._meter)
            yield from itertools.islice(blocks, share.number, None, share.of)
        except (EOFError, gzip.BadGzipFile, zlib.error, PermissionError) as error:
            tally = Tally({("unreadable", f"{share.path}: {error}"): 1})
            yield beam.pvalue.TaggedOutput(self.TALLY, tally)
        except OSError as error:
            raise OSError(f"{share.path}: {error}")


class ParseBlock(_Step):
    """Block → chunks of drawings by shard; rejects, tally and ranks beside them."""

    REJECTS, TALLY, RANKS = "rejects", "tally", "ranks"

    def setup(self) -> None:
        super().setup()
        recipe = self._recipe
        self._placement = Placement(recipe.splits, recipe.num_shards, recipe.seed)
        self._splits = list(recipe.splits)
        self._wanted = None if recipe.classes is None else frozenset(recipe.classes)
        self._chunks = chunks.ChunkWriter(self._job.scratch)

    def process(self, block: Block) -> Iterator[Any]:
        tally: Tally = Tally()
        drawings: list[formats.Drawing] = []
        rejects: list[Rejected] = []
        parsed = formats.parse_lines(block.text)
        for number, found in enumerate(parsed, block.first_line):
            if found is None:
                tally["blank",] += 1
            elif isinstance(found, ValueError):
                reason = str(found)
                tally["rejected", reason.partition(":")[0]] += 1
                rejects.append(Rejected(number, reason, ""))
            elif why := self._unwanted(found):
                tally["filtered", why] += 1
            else:
                drawings.append(found)
        tally["read",] = len(parsed)
        words = collections.Counter(drawing.word for drawing in drawings)
        tally.update({("word", word): number for word, number in words.items()})
        self._meter.add(lines=len(parsed))
        yield beam.pvalue.TaggedOutput(self.TALLY, tally)
        if rejects:
            chunk = self._chunks.put(_with_text(rejects, block))
            yield beam.pvalue.TaggedOutput(self.REJECTS, (block.file, chunk))
        if drawings:
            yield from self._place(drawings)

    def teardown(self) -> None:
        self._chunks.close()

    def _unwanted(self, drawing: formats.Drawing) -> str | None:
        if self._wanted is not None and drawing.word not in self._wanted:
            return "other class"
        if self._recipe.recognized_only and drawing.recognized == 0:
            return "not recognized"
        return None

    def _place(self, drawings: list[formats.Drawing]) -> Iterator[Any]:
        places = self._placement.of([drawing.key_id for drawing in drawings])
        if self._recipe.max_per_class is not None:
            by_word: dict[str, list[int]] = collections.defaultdict(list)
            for drawing, rank in zip(drawings, places.rank.tolist()):
                by_word[drawing.word].append(rank)
            for word, ranks in by_word.items():
                smallest = _smallest(self._recipe, [np.array(ranks)])
                yield beam.pvalue.TaggedOutput(self.RANKS, (word, smallest))
        shards = places.split * self._recipe.num_shards + places.shard
        placed = list(map(Placed, places.order, places.rank.tolist(), drawings))
        by_shard: dict[int, list[Placed]] = collections.defaultdict(list)
        for shard, row in zip(shards.tolist(), placed):
            by_shard[shard].append(row)
        for shard, rows in by_shard.items():
            rows.sort(key=_order)
            split, number = divmod(shard, self._recipe.num_shards)
            yield (self._splits[split], number), self._chunks.put(rows)


def _with_text(rejects: list[Rejected], block: Block) -> list[Rejected]:
    """Adds the text of rejected lines, as much of it as is kept."""
    lines = block.lines()
    texts = (lines[rejected.line - block.first_line] for rejected in rejects)
    return [
        msgspec.structs.replace(
            rejected, text=text[: 4 * TEXT_LIMIT].decode(errors="replace")[:TEXT_LIMIT]
        )
        for rejected, text in zip(rejects, texts)
    ]


def _smallest(recipe: Recipe, arrays: Iterable[np.ndarray]) -> np.ndarray:
    return smallest_ranks(arrays, recipe.max_per_class, not recipe.keep_duplicates)


class WriteRejects(_Step):
    """(file, chunks of rejects) → one `rejected-*.ndjson`; its name and its path."""

    def __init__(self, job: Job, numbers: dict[str, int]):
        super().__init__(job)
        self._numbers = numbers

    def process(
        self, element: tuple[str, Iterable[chunks.Chunk]]
    ) -> Iterator[tuple[str, str]]:
        file, runs = element
        name = f"rejected-{self._numbers[file]:05d}.ndjson"
        path = FileSystems.join(self._job.folder, f"{uuid.uuid4().hex}-{name}")
        with FileSystems.create(path) as out:
            for rejected in chunks.merge(runs, Rejected, _line):
                line = {"file": file} | msgspec.structs.asdict(rejected)
                out.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        yield name, path


class WriteShard(_Step):
    """(split and shard, chunks of drawings) → one file of records, in hash order."""

    def process(
        self,
        element: tuple[ShardKey, Iterable[chunks.Chunk]],
        classes: tuple[str, ...],
        caps: dict[str, int],
    ) -> Iterator[WrittenShard]:
        (split, shard), runs = element
        index = {word: number for number, word in enumerate(classes)}
        counts = [0] * len(classes)
        left_out: collections.Counter = collections.Counter()
        rows = chunks.merge(runs, Placed, _order)
        if caps:
            rows = _under_cap(rows, caps, left_out)
        records = self._without_duplicates(encode_drawings(rows, index), left_out)
        name = f"{split}-{shard}-{uuid.uuid4().hex}"
        path = FileSystems.join(self._job.folder, name)
        with ShardFile(path, self._recipe.compression) as out:
            while together := list(itertools.islice(records, WRITTEN_TOGETHER)):
                out.write(b"".join(encode.frame_record(r) for _, r, _ in together))
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


def build(pipeline: beam.Pipeline, job: Job, shares: list[Share]) -> None:
    """Lays the steps out; the drawing at the top of this file shows how.

    Args:
      pipeline: to lay them out in.
      job: what every step is told.
      shares: what is to be read, all shares of a file or none.
    """
    recipe = job.recipe
    files = sorted({share.path for share in shares})
    read = (
        pipeline
        | "Shares" >> beam.Create(shares)
        | "SpreadShares" >> beam.Reshuffle()
        | "ReadFile"
        >> beam.ParDo(ReadFile(job)).with_outputs(ReadFile.TALLY, main="blocks")
    )
    parsed = read["blocks"] | "ParseBlock" >> beam.ParDo(ParseBlock(job)).with_outputs(
        ParseBlock.REJECTS, ParseBlock.TALLY, ParseBlock.RANKS, main="drawings"
    )
    rejects = (
        parsed[ParseBlock.REJECTS]
        | "RejectsByFile" >> beam.GroupByKey()
        | "WriteRejects"
        >> beam.ParDo(WriteRejects(job, {f: n for n, f in enumerate(files)}))
    )
    tally = (
        (read[ReadFile.TALLY], parsed[ParseBlock.TALLY])
        | "Tallies" >> beam.Flatten()
        | "AddTallies" >> beam.CombineGlobally(add_tallies)
    )
    classes = beam.pvalue.AsSingleton(
        tally | "Classes" >> beam.Map(_classes, wanted=recipe.classes)
    )
    caps = beam.pvalue.AsDict(
        parsed[ParseBlock.RANKS]
        | "SmallestRanks" >> beam.CombinePerKey(functools.partial(_smallest, recipe))
        | "Caps"
        >> beam.MapTuple(
            lambda word, ranks: (word, cap_of(ranks, recipe.max_per_class))
        )
        | "CapsThatBind" >> beam.Filter(lambda cap: cap[1] is not None)
    )
    every_shard = [
        ((split, shard), b"")
        for split in recipe.splits
        for shard in range(recipe.num_shards)
    ]
    written = (
        (parsed["drawings"], pipeline | "EveryShard" >> beam.Create(every_shard))
        | "WithEmptyShards" >> beam.Flatten()
        | "DrawingsByShard" >> beam.GroupByKey()
        | "WriteShard" >> beam.ParDo(WriteShard(job), classes=classes, caps=caps)
    )
    (
        pipeline
        | "Once" >> beam.Create([FileSystems.join(job.folder, OUTCOME)])
        | "Conclude"
        >> beam.Map(
            _conclude,
            beam.pvalue.AsList(written),
            beam.pvalue.AsDict(rejects),
            beam.pvalue.AsSingleton(tally),
            classes,
            recipe=recipe,
        )
    )


def _conclude(path: str, *what: Any, recipe: Recipe) -> None:
    output_folder.write_text(path, conclude(*what, recipe=recipe).to_json())


def _classes(tally: Tally, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    """The wanted classes, or all words that were found; sorted."""
    if wanted is not None:
        return wanted
    return tuple(sorted(key[1] for key in tally if key[0] == "word"))
