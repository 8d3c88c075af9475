"""The steps of the Beam job, in the order in which a drawing meets them.

    files ─ ReadFile ──▶ Block ─ ParseBlock ─┬▶ drawings by shard ─ WriteShard ─┐
      └▶ tally                               ├▶ ranks by class ─ caps ─┘        │
                                             ├▶ tally ──────────────────────────┤
                                             └▶ rejects by file ─ WriteRejects  │
                                                               finish_dataset ◀─┘

Elements are few and large: a block of lines in, a packed list of drawings per shard
out. What a worker holds is a block, or the packed drawings of one shard.

Every line that is read ends in exactly one of these counts:

    blank       an empty line
    rejected    no drawing, by kind of reason; kept in `rejected-*.ndjson`
    filtered    a drawing that was not asked for, by filter
    duplicates  a drawing whose key another one has
    written     in a shard
"""

import collections
import dataclasses
import gzip
import heapq
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
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from pipeline import formats, strokes
from pipeline.blocks import MAX_LINE_BYTES, Block, read_blocks
from pipeline.placement import Placement
from pipeline.recipe import Recipe
from tfrecords import encode, schema
from tfrecords.dataset_info import FILE_NAME, DatasetInfo, Shard, Split

UNFINISHED = ".unfinished"
"""Folder inside the output folder; what stands there is not yet a data set."""

OUTCOME = "outcome.json"
"""File in `UNFINISHED`: how the job ended, for whoever launched it."""

TEXT_LIMIT = 64 << 10
"""Characters of a rejected line that are kept."""

ShardKey = tuple[str, int]
Tally = collections.Counter  # of ("read",), ("rejected", kind), ("word", word), …


class Placed(msgspec.Struct, frozen=True, array_like=True):
    """A drawing on its way to its shard."""

    order: bytes
    rank: int
    drawing: formats.Drawing


_order = operator.attrgetter("order")
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[Placed]).decode


@dataclasses.dataclass(frozen=True)
class Rejected:
    """A line that is no drawing."""

    line: int
    reason: str
    text: str


@dataclasses.dataclass(frozen=True)
class WrittenShard:
    """What `WriteShard` says of a shard.

    Attributes:
      key: split and number of the shard.
      path: its temporary name.
      bytes: its size.
      class_counts: records per class.
      over_cap, duplicates: drawings left out, and why.
    """

    key: ShardKey
    path: str
    bytes: int
    class_counts: tuple[int, ...]
    over_cap: int
    duplicates: int


def read_file(path: str) -> Iterator[Block]:
    """Reads a file, plain or `.gz`, local or remote, as blocks of lines.

    Raises:
      EOFError, gzip.BadGzipFile, zlib.error: a `.gz` that is cut off or damaged.
    """
    raw = CompressionTypes.UNCOMPRESSED
    with FileSystems.open(path, compression_type=raw) as stream:
        if path.endswith(".gz"):
            # Beam's own reader takes a file that is cut off for a whole one.
            stream = gzip.GzipFile(fileobj=stream)
        yield from read_blocks(stream, path)


class ReadFile(beam.DoFn):
    """Path → blocks; a file that no retry can mend goes to the tally."""

    TALLY = "tally"

    def process(self, path: str) -> Iterator[Any]:
        try:
            yield from read_file(path)
        except (EOFError, gzip.BadGzipFile, zlib.error, PermissionError) as error:
            tally = Tally({("unreadable", f"{path}: {error}"): 1})
            yield beam.pvalue.TaggedOutput(self.TALLY, tally)
        except OSError as error:
            raise OSError(f"{path}: {error}")


class ParseBlock(beam.DoFn):
    """Block → placed drawings by shard; rejects, tally and ranks beside them."""

    REJECTS, TALLY, RANKS = "rejects", "tally", "ranks"

    def __init__(self, recipe: Recipe):
        self._recipe = recipe

    def setup(self) -> None:
        recipe = self._recipe
        self._placement = Placement(recipe.splits, recipe.num_shards, recipe.seed)
        self._wanted = None if recipe.classes is None else frozenset(recipe.classes)

    def process(self, block: Block) -> Iterator[Any]:
        tally: Tally = Tally()
        shards: dict[ShardKey, list[Placed]] = collections.defaultdict(list)
        rejects: list[Rejected] = []
        ranks: dict[str, list[int]] = collections.defaultdict(list)
        for number, text in enumerate(block.lines(), block.first_line):
            tally["read",] += 1
            if not text.strip():
                tally["blank",] += 1
                continue
            try:
                if len(text) > MAX_LINE_BYTES:
                    raise ValueError("line too long")
                drawing = formats.parse_drawing(text)
            except ValueError as error:
                reason = str(error)
                tally["rejected", reason.partition(":")[0]] += 1
                kept = text[: 4 * TEXT_LIMIT].decode(errors="replace")[:TEXT_LIMIT]
                rejects.append(Rejected(number, reason, kept))
                continue
            if why := self._unwanted(drawing):
                tally["filtered", why] += 1
                continue
            tally["word", drawing.word] += 1
            place = self._placement.of(drawing.key_id)
            placed = Placed(place.order, place.rank, drawing)
            shards[place.split, place.shard].append(placed)
            if self._recipe.max_per_class is not None:
                ranks[drawing.word].append(place.rank)
        yield beam.pvalue.TaggedOutput(self.TALLY, tally)
        if rejects:
            yield beam.pvalue.TaggedOutput(self.REJECTS, (block.file, rejects))
        for word, values in ranks.items():
            array = np.array(values, np.uint64)
            yield beam.pvalue.TaggedOutput(self.RANKS, (word, array))
        for key, drawings in shards.items():
            yield key, _pack(drawings)

    def _unwanted(self, drawing: formats.Drawing) -> str | None:
        if self._wanted is not None and drawing.word not in self._wanted:
            return "other class"
        if self._recipe.recognized_only and drawing.recognized == 0:
            return "not recognized"
        return None


def add_tallies(tallies: Iterable[Tally]) -> Tally:
    """Adds tallies up; associative, so Beam may do it in any grouping."""
    total: Tally = Tally()
    for tally in tallies:
        total.update(tally)
    return total


def smallest_ranks(arrays: Iterable[np.ndarray], count: int) -> np.ndarray:
    """Keeps the `count` smallest distinct ranks of `<uint64>[n]` arrays, sorted."""
    return np.unique(np.concatenate(list(arrays) or [np.empty(0, np.uint64)]))[:count]


class WriteRejects(beam.DoFn):
    """(file, lists of rejects) → one `rejected-*.ndjson` beside the shards."""

    def __init__(self, output_dir: str, numbers: dict[str, int]):
        self._output_dir = output_dir
        self._numbers = numbers

    def process(self, element: tuple[str, Iterable[list[Rejected]]]) -> None:
        file, lists = element
        name = f"rejected-{self._numbers[file]:05d}.ndjson"
        path = FileSystems.join(self._output_dir, name)
        rejects = heapq.merge(*lists, key=lambda rejected: rejected.line)
        with FileSystems.create(path) as out:
            for rejected in rejects:
                line = {"file": file} | dataclasses.asdict(rejected)
                out.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


class WriteShard(beam.DoFn):
    """(split and shard, packed drawings) → one file of records, in hash order."""

    def __init__(self, output_dir: str, recipe: Recipe):
        self._folder = FileSystems.join(output_dir, UNFINISHED)
        self._recipe = recipe

    def process(
        self,
        element: tuple[ShardKey, Iterable[bytes]],
        classes: tuple[str, ...],
        caps: dict[str, int],
    ) -> Iterator[WrittenShard]:
        (split, shard), packs = element
        index = {word: number for number, word in enumerate(classes)}
        counts = [0] * len(classes)
        over_cap = duplicates = 0
        kept: list[Placed] = []
        for placed in (placed for pack in packs for placed in _unpack(pack)):
            if placed.rank > caps.get(placed.drawing.word, placed.rank):
                over_cap += 1
            else:
                kept.append(placed)
        kept.sort(key=_order)
        path = FileSystems.join(self._folder, f"{split}-{shard}-{uuid.uuid4().hex}")
        with _ShardFile(path, self._recipe.compression) as out:
            for _, same_key in itertools.groupby(kept, key=_order):
                # Of drawings with the same key the smallest record stays.
                records = [
                    (encode_drawing(placed.drawing, index), placed.drawing.word)
                    for placed in same_key
                ]
                record, word = min(records)
                duplicates += len(records) - 1
                counts[index[word]] += 1
                out.write(encode.frame_record(record))
        yield WrittenShard(
            key=(split, shard),
            path=path,
            bytes=out.bytes,
            class_counts=tuple(counts),
            over_cap=over_cap,
            duplicates=duplicates,
        )


def encode_drawing(drawing: formats.Drawing, index: dict[str, int]) -> bytes:
    """Serialises a drawing as the record of its class (`tfrecords.schema`)."""
    return encode.encode_example(
        ink=strokes.to_ink(drawing.points),
        class_index=index[drawing.word],
        key_id=drawing.key_id,
        countrycode=drawing.countrycode,
        timestamp=drawing.timestamp,
        recognized=drawing.recognized,
    )


class _ShardFile:
    """A file being written, compressed or not, that counts what lands on disk."""

    def __init__(self, path: str, compression: str):
        self.bytes = 0
        # Compressed here rather than by Beam, whose gzip header holds the time.
        self._file = FileSystems.create(
            path, compression_type=CompressionTypes.UNCOMPRESSED
        )
        self._gzip = None
        if compression == "gzip":
            sink = _Counted(self)
            self._gzip = gzip.GzipFile("", "wb", 6, fileobj=sink, mtime=0)
            self.write = self._gzip.write
        else:
            self.write = self.write_through

    def write_through(self, data: bytes) -> int:
        self.bytes += len(data)
        self._file.write(data)
        return len(data)

    def __enter__(self) -> "_ShardFile":
        return self

    def __exit__(self, *error: object) -> None:
        if self._gzip is not None:
            self._gzip.close()
        self._file.close()


class _Counted:
    """The face of a `_ShardFile` that gzip writes its output to."""

    def __init__(self, shard_file: _ShardFile):
        self.write = shard_file.write_through

    def flush(self) -> None:
        pass


def finish_dataset(
    _: None,
    shards: Iterable[WrittenShard],
    tally: Tally,
    classes: tuple[str, ...],
    *,
    output_dir: str,
    recipe: Recipe,
) -> None:
    """Makes a data set of what was written, if all is well; says so in `OUTCOME`.

    The shards get their names and `dataset_info.json` is written last. Where all is
    not well the shards are left where nobody takes them for a data set.
    """
    shards = sorted(shards, key=lambda shard: shard.key)
    counts = count_lines(tally, shards)
    problem = find_problem(counts, tally, shards, classes, recipe)
    if problem is None:
        splits = {}
        for name in recipe.splits:
            mine = [shard for shard in shards if shard.key[0] == name]
            splits[name] = _rename_split(mine, output_dir, recipe)
        info = DatasetInfo(
            classes=classes,
            splits=splits,
            compression=recipe.compression,
            counts=counts,
            made_by=recipe.to_dict(),
        )
        _write_whole(output_dir, [FILE_NAME], info.to_json())
    outcome = {"problem": problem, "counts": counts}
    _write_whole(output_dir, [UNFINISHED, OUTCOME], json.dumps(outcome))


def count_lines(tally: Tally, shards: Iterable[WrittenShard]) -> dict[str, Any]:
    """Says where every line went (the counts are listed at the top of this file)."""
    groups: dict[str, dict[str, int]] = {"rejected": {}, "filtered": {}}
    for key, number in sorted(tally.items()):
        if key[0] in groups:
            groups[key[0]][key[1]] = number
    if over_cap := sum(shard.over_cap for shard in shards):
        groups["filtered"]["over max_per_class"] = over_cap
    return {
        "read": tally.get(("read",), 0),
        "blank": tally.get(("blank",), 0),
        **groups,
        "duplicates": sum(shard.duplicates for shard in shards),
        "written": sum(sum(shard.class_counts) for shard in shards),
    }


def find_problem(
    counts: dict[str, Any],
    tally: Tally,
    shards: Iterable[WrittenShard],
    classes: tuple[str, ...],
    recipe: Recipe,
) -> str | None:
    """Says in a line why there can be no data set, or gives None."""
    if unreadable := sorted(key[1] for key in tally if key[0] == "unreadable"):
        return f"cannot read {unreadable[0]}"
    rejected = sum(counts["rejected"].values())
    if rejected > recipe.max_rejected * counts["read"]:
        reasons = ", ".join(f"{n} {kind}" for kind, n in counts["rejected"].items())
        return (
            f"{rejected} of {counts['read']} lines were rejected ({reasons}), more "
            f"than --max_rejected={recipe.max_rejected:g} allows"
        )
    if not counts["written"]:
        return f"the input has no drawing to write ({counts['read']} lines read)"
    missing = [word for word in classes if ("word", word) not in tally]
    if missing:
        return f"no drawing of {', '.join(map(repr, missing))} in the input"
    return None


def _rename_split(shards: list[WrittenShard], output_dir: str, recipe: Recipe) -> Split:
    named = []
    for shard in shards:
        name = schema.shard_name(*shard.key, recipe.num_shards, recipe.compression)
        target = FileSystems.join(output_dir, name)
        # A retry of this step finds some renamed already.
        if not FileSystems.exists(target):
            FileSystems.rename([shard.path], [target])
        named.append(Shard(name, sum(shard.class_counts), shard.bytes))
    per_class = zip(*(shard.class_counts for shard in shards))
    return Split(shards=tuple(named), class_counts=tuple(map(sum, per_class)))


def _write_whole(output_dir: str, path: list[str], text: str) -> None:
    """Writes a small file under a temporary name, then renames it."""
    temporary = FileSystems.join(output_dir, UNFINISHED, uuid.uuid4().hex)
    with FileSystems.create(temporary) as out:
        out.write(text.encode())
    target = FileSystems.join(output_dir, *path)
    if FileSystems.exists(target):
        FileSystems.delete([target])
    FileSystems.rename([temporary], [target])


def build(
    pipeline: beam.Pipeline, files: list[str], output_dir: str, recipe: Recipe
) -> None:
    """Lays the steps out; the drawing at the top of this file shows how."""
    read = (
        pipeline
        | "Files" >> beam.Create(files)
        | "SpreadFiles" >> beam.Reshuffle()
        | "ReadFile"
        >> beam.ParDo(ReadFile()).with_outputs(ReadFile.TALLY, main="blocks")
    )
    parsed = (
        read["blocks"]
        | "SpreadBlocks" >> beam.Reshuffle()
        | "ParseBlock"
        >> beam.ParDo(ParseBlock(recipe)).with_outputs(
            ParseBlock.REJECTS, ParseBlock.TALLY, ParseBlock.RANKS, main="drawings"
        )
    )
    (
        parsed[ParseBlock.REJECTS]
        | "RejectsByFile" >> beam.GroupByKey()
        | "WriteRejects"
        >> beam.ParDo(WriteRejects(output_dir, {f: n for n, f in enumerate(files)}))
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
        | "SmallestRanks"
        >> beam.CombinePerKey(smallest_ranks, count=recipe.max_per_class)
        | "Caps" >> beam.MapTuple(lambda word, ranks: (word, int(ranks[-1])))
    )
    every_shard = [
        ((split, shard), _pack([]))
        for split in recipe.splits
        for shard in range(recipe.num_shards)
    ]
    written = (
        (parsed["drawings"], pipeline | "EveryShard" >> beam.Create(every_shard))
        | "WithEmptyShards" >> beam.Flatten()
        | "DrawingsByShard" >> beam.GroupByKey()
        | "WriteShard"
        >> beam.ParDo(WriteShard(output_dir, recipe), classes=classes, caps=caps)
    )
    (
        pipeline
        | "Once" >> beam.Create([None])
        | "FinishDataset"
        >> beam.Map(
            finish_dataset,
            beam.pvalue.AsIter(written),
            beam.pvalue.AsSingleton(tally),
            classes,
            output_dir=output_dir,
            recipe=recipe,
        )
    )


def _classes(tally: Tally, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    """The wanted classes, or all words that were found; sorted."""
    if wanted is not None:
        return wanted
    return tuple(sorted(key[1] for key in tally if key[0] == "word"))
